package nn

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/internal/kernel"
)

// Attention is multi-head self-attention over sequences [positions, features]
// (Vaswani et al. 2017): queries, keys and values are projections of x, each
// head of features/heads elements attends by softmax(q·k/√size), and the heads
// together are projected once more. Parameters and layout are those of PyTorch's
// MultiheadAttention: "in/weight" [3·features, features] holds the projections
// of queries, keys and values, in this order, "out/weight" is the last.
type Attention struct {
	// Heads is the number of heads, a divisor of the features. Default 1.
	Heads int
	// Causal lets a position see itself and what comes before.
	Causal bool
	// Init of the weights. Default Glorot uniform.
	Init Init
}

// Attention appends multi-head self-attention.
func (x Node) Attention(name string, a Attention) Node { return x.Apply(name, a) }

// Build implements Layer.
func (l Attention) Build(x Node) Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	if len(in) != 2 {
		return x.wrong("attention", "sequences [positions, features]", fmt.Sprintf("rows of shape %v", in), "use it after an Embedding, or Reshape before it")
	}
	heads := max(l.Heads, 1)
	t, d := in[0], in[1]
	if l.Heads < 0 || d%heads != 0 {
		return x.wrong("attention", "heads that divide the features evenly", fmt.Sprintf("%d heads and %d features", l.Heads, d), "change Heads or the features before it")
	}
	spec := attentionSpec{positions: t, features: d, heads: heads, causal: l.Causal}
	init := orInit(l.Init, GlorotUniform)
	return x.add(&layer{
		kind: "attention", shape: x.Shape(), flops: 8*t*d*d + 4*t*t*d,
		params: []paramSpec{
			{suffix: "in/weight", shape: []int{3 * d, d}, init: init, decays: true},
			{suffix: "in/bias", shape: []int{3 * d}, init: Zeros},
			{suffix: "out/weight", shape: []int{d, d}, init: init, decays: true},
			{suffix: "out/bias", shape: []int{d}, init: Zeros},
		},
		ops: opPair{&attention[float32]{attentionSpec: spec}, &attention[float64]{attentionSpec: spec}},
	})
}

type attentionSpec struct {
	positions, features, heads int
	causal                     bool
}

func (l *attentionSpec) scale() float64 {
	return 1 / math.Sqrt(float64(l.features/l.heads))
}

type attention[F kernel.Float] struct {
	attentionSpec
	qkv      []F // [rows, positions, 3·features]
	shares   []F // softmax, [rows, heads, positions, positions]
	joined   []F // heads side by side, [rows, positions, features]
	dqkv     []F
	dshares  []F
	dscratch []F // gradient of joined
}

// Strides of one sequence and one head in qkv, shares and joined.
func (l *attention[F]) batch(rows int) (qkvOuter, sharesOuter, sharesInner, joinedOuter, head int, b kernel.Batch) {
	t, d := l.positions, l.features
	return t * 3 * d, l.heads * t * t, t * t, t * d, d / l.heads, kernel.Batch{Outer: rows, Inner: l.heads}
}

func (l *attention[F]) forward(p *pass[F], a *args[F]) {
	t, d := l.positions, l.features
	m := p.rows * t
	l.qkv, l.joined = grow(l.qkv, 3*m*d), grow(l.joined, m*d)
	l.shares = grow(l.shares, p.rows*l.heads*t*t)
	kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: m, N: 3 * d, K: d, A: a.in[0].data, B: a.in[1].data, TransB: true, C: l.qkv, BiasN: a.in[2].data})
	qkvOuter, sOuter, sInner, jOuter, head, b := l.batch(p.rows)
	scores := b
	scores.AOuter, scores.AInner, scores.BOuter, scores.BInner, scores.COuter, scores.CInner = qkvOuter, head, qkvOuter, head, sOuter, sInner
	kernel.GemmBatch(&p.ws, kernel.GemmArgs[F]{
		M: t, N: t, K: head, A: l.qkv, LDA: 3 * d, B: l.qkv[d:], LDB: 3 * d, TransB: true, C: l.shares,
	}, scores)
	causal := 0
	if l.causal {
		causal = t
	}
	kernel.Softmax(l.shares, l.shares, p.rows*l.heads*t, t, F(l.scale()), causal)
	mix := b
	mix.AOuter, mix.AInner, mix.BOuter, mix.BInner, mix.COuter, mix.CInner = sOuter, sInner, qkvOuter, head, jOuter, head
	kernel.GemmBatch(&p.ws, kernel.GemmArgs[F]{
		M: t, N: head, K: t, A: l.shares, B: l.qkv[2*d:], LDB: 3 * d, C: l.joined, LDC: d,
	}, mix)
	kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: m, N: d, K: d, A: l.joined, B: a.in[3].data, TransB: true, C: a.out.resize(p.rows), BiasN: a.in[4].data})
}

func (l *attention[F]) backward(p *pass[F], a *args[F]) {
	d := l.features
	m := p.rows * l.positions
	dy := a.dout.data
	if dw := a.din[3]; dw != nil {
		kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: d, N: d, K: m, A: dy, TransA: true, B: l.joined, C: dw.data})
	}
	if db := a.din[4]; db != nil {
		kernel.ColSums(&p.ws, db.data, dy, m, d)
	}
	if a.din[0] == nil && a.din[1] == nil && a.din[2] == nil {
		return
	}
	l.dscratch = grow(l.dscratch, m*d)
	kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: m, N: d, K: d, A: dy, B: a.in[3].data, C: l.dscratch})
	l.heads2qkv(p)
	if dx := a.din[0]; dx != nil {
		kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: m, N: d, K: 3 * d, A: l.dqkv, B: a.in[1].data, C: dx.resize(p.rows)})
	}
	if dw := a.din[1]; dw != nil {
		kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: 3 * d, N: d, K: m, A: l.dqkv, TransA: true, B: a.in[0].data, C: dw.data})
	}
	if db := a.din[2]; db != nil {
		kernel.ColSums(&p.ws, db.data, l.dqkv, m, 3*d)
	}
}

// heads2qkv computes dqkv from the gradient of the joined heads.
func (l *attention[F]) heads2qkv(p *pass[F]) {
	t, d := l.positions, l.features
	l.dqkv, l.dshares = grow(l.dqkv, len(l.qkv)), grow(l.dshares, len(l.shares))
	qkvOuter, sOuter, sInner, jOuter, head, b := l.batch(p.rows)

	shares := b // dshares = djoined·vᵀ
	shares.AOuter, shares.AInner, shares.BOuter, shares.BInner, shares.COuter, shares.CInner = jOuter, head, qkvOuter, head, sOuter, sInner
	kernel.GemmBatch(&p.ws, kernel.GemmArgs[F]{
		M: t, N: t, K: head, A: l.dscratch, LDA: d, B: l.qkv[2*d:], LDB: 3 * d, TransB: true, C: l.dshares,
	}, shares)

	values := b // dv = sharesᵀ·djoined
	values.AOuter, values.AInner, values.BOuter, values.BInner, values.COuter, values.CInner = sOuter, sInner, jOuter, head, qkvOuter, head
	kernel.GemmBatch(&p.ws, kernel.GemmArgs[F]{
		M: t, N: head, K: t, A: l.shares, TransA: true, B: l.dscratch, LDB: d, C: l.dqkv[2*d:], LDC: 3 * d,
	}, values)

	// Causal shares are 0 beyond the diagonal, and so are these gradients.
	kernel.SoftmaxBackward(l.dshares, l.shares, l.dshares, p.rows*l.heads*t, t, F(l.scale()))

	scores := b // dq = dscores·k, dk = dscoresᵀ·q
	scores.AOuter, scores.AInner, scores.BOuter, scores.BInner, scores.COuter, scores.CInner = sOuter, sInner, qkvOuter, head, qkvOuter, head
	kernel.GemmBatch(&p.ws, kernel.GemmArgs[F]{
		M: t, N: head, K: t, A: l.dshares, B: l.qkv[d:], LDB: 3 * d, C: l.dqkv, LDC: 3 * d,
	}, scores)
	kernel.GemmBatch(&p.ws, kernel.GemmArgs[F]{
		M: t, N: head, K: t, A: l.dshares, TransA: true, B: l.qkv, LDB: 3 * d, C: l.dqkv[d:], LDC: 3 * d,
	}, scores)
}
