package nn

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/internal/kernel"
)

// GRU is a gated recurrent unit over sequences [positions, features] (Cho et al.
// 2014, in PyTorch's form, state 0 before the first position):
//
//	r = σ(Wr·x + br + Ur·h + cr)
//	z = σ(Wz·x + bz + Uz·h + cz)
//	n = tanh(Wn·x + bn + r∘(Un·h + cn))
//	h = (1−z)∘n + z∘h
//
// "in/weight" [3·units, features] holds Wr, Wz, Wn, "in/bias" the b; "state/weight"
// [3·units, units] and "state/bias" hold the U and c. They are PyTorch's
// weight_ih_l0, bias_ih_l0, weight_hh_l0 and bias_hh_l0.
type GRU struct {
	// Units is the size of the state.
	Units int
	// Last gives only the state after the last position, [units], instead of
	// those after each, [positions, units].
	Last bool
	// Init of weights and biases. Default uniform in ±1/√units, as in PyTorch.
	Init Init
}

// GRU appends a gated recurrent unit.
func (x Node) GRU(name string, g GRU) Node { return x.Apply(name, g) }

// Build implements Layer.
func (l GRU) Build(x Node) Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	if len(in) != 2 {
		return x.wrong("gru", "sequences [positions, features]", fmt.Sprintf("rows of shape %v", in), "use it after an Embedding, or Reshape before it")
	}
	if l.Units < 1 {
		return x.wrong("gru", "at least 1 unit", fmt.Sprint(l.Units), "set Units")
	}
	spec := gruSpec{positions: in[0], features: in[1], units: l.Units, last: l.Last}
	shape := []int{in[0], l.Units}
	if l.Last {
		shape = shape[1:]
	}
	u := l.Units
	init := orInit(l.Init, symmetric(1/math.Sqrt(float64(u))))
	return x.add(&layer{
		kind: "gru", shape: shape, flops: 6 * in[0] * u * (in[1] + u),
		params: []paramSpec{
			{suffix: "in/weight", shape: []int{3 * u, in[1]}, init: init, decays: true},
			{suffix: "in/bias", shape: []int{3 * u}, init: init},
			{suffix: "state/weight", shape: []int{3 * u, u}, init: init, decays: true},
			{suffix: "state/bias", shape: []int{3 * u}, init: init},
		},
		ops: opPair{&gru[float32]{gruSpec: spec}, &gru[float64]{gruSpec: spec}},
	})
}

type gruSpec struct {
	positions, features, units int
	last                       bool
}

// gru keeps, for each row and position, what the backward pass needs.
type gru[F kernel.Float] struct {
	gruSpec
	gates  []F // r, z, n: [rows, positions, 3·units]
	inner  []F // Un·h + cn: [rows, positions, units]
	states []F // h after each position: [rows, positions, units]
	before []F // h before each position, for the gradient of U
	fromH  []F // U·h + c of one position: [rows, 3·units]
	// arguments and values of the functions at one position
	sigmoids []F // r and z: [rows, 2·units]
	tanhs    []F // [rows, units]
	dgates   []F // gradients of W·x + b, like gates
	dfromH   []F // gradients of U·h + c, like gates
	dstate   []F // of one position: [rows, units]
}

func (l *gru[F]) forward(p *pass[F], a *args[F]) {
	t, u, rows := l.positions, l.units, p.rows
	l.gates, l.inner, l.fromH = grow(l.gates, rows*t*3*u), grow(l.inner, rows*t*u), grow(l.fromH, rows*3*u)
	l.states = grow(l.states, rows*t*u)
	kernel.Gemm(&p.ws, kernel.GemmArgs[F]{
		M: rows * t, N: 3 * u, K: l.features, A: a.in[0].data, B: a.in[1].data, TransB: true, C: l.gates, BiasN: a.in[2].data,
	})
	for i := range t {
		g := kernel.GemmArgs[F]{M: rows, N: 3 * u, B: a.in[3].data, TransB: true, C: l.fromH, BiasN: a.in[4].data}
		if i > 0 { // else h is 0 and the biases remain
			g.K, g.A, g.LDA = u, l.states[(i-1)*u:], t*u
		}
		kernel.Gemm(&p.ws, g)
		l.position(rows, i)
	}
	y := a.out.resize(rows)
	if !l.last {
		copy(y, l.states)
		return
	}
	for b := range rows {
		copy(y[b*u:(b+1)*u], l.states[((b+1)*t-1)*u:])
	}
}

// position computes the states after position i. The functions of single
// elements run over all rows at once.
func (l *gru[F]) position(rows, i int) {
	u := l.units
	l.sigmoids, l.tanhs = grow(l.sigmoids, rows*2*u), grow(l.tanhs, rows*u)
	for b := range rows {
		at := (b*l.positions + i) * 3 * u
		fromX, fromH := l.gates[at:at+2*u], l.fromH[b*3*u:]
		for k, v := range fromX {
			l.sigmoids[b*2*u+k] = v + fromH[k]
		}
	}
	kernel.Sigmoid(l.sigmoids, l.sigmoids)
	for b := range rows {
		at := b*l.positions + i
		n, r := l.gates[(at*3+2)*u:(at*3+3)*u], l.sigmoids[b*2*u:]
		inner := l.inner[at*u : (at+1)*u]
		copy(inner, l.fromH[(b*3+2)*u:])
		for k, v := range n {
			l.tanhs[b*u+k] = v + r[k]*inner[k]
		}
	}
	kernel.Tanh(l.tanhs, l.tanhs)
	for b := range rows {
		at := b*l.positions + i
		rz, n, h := l.sigmoids[b*2*u:(b+1)*2*u], l.tanhs[b*u:(b+1)*u], l.states[at*u:(at+1)*u]
		copy(l.gates[at*3*u:], rz)
		copy(l.gates[(at*3+2)*u:], n)
		for k := range h { // the state before, if any, lies just before h
			z := rz[u+k]
			h[k] = n[k] - z*n[k]
			if i > 0 {
				h[k] += z * l.states[(at-1)*u+k]
			}
		}
	}
}

func (l *gru[F]) backward(p *pass[F], a *args[F]) {
	t, u, rows := l.positions, l.units, p.rows
	l.dgates, l.dfromH, l.dstate = grow(l.dgates, len(l.gates)), grow(l.dfromH, len(l.gates)), grow(l.dstate, rows*u)
	l.before = grow(l.before, len(l.states))
	clear(l.dstate)
	for i := t - 1; i >= 0; i-- {
		for b := range rows {
			l.positionBackward(b, i, a.dout.data)
		}
		if i > 0 { // dstate += dfromH·U
			kernel.Gemm(&p.ws, kernel.GemmArgs[F]{
				M: rows, N: u, K: 3 * u, A: l.dfromH[i*3*u:], LDA: t * 3 * u, B: a.in[3].data, C: l.dstate, Accumulate: true,
			})
		}
	}
	l.weightGradients(p, a)
}

// positionBackward turns the gradient of the state after position i into those
// of the gates and, in dstate, that part of the state before which bypasses them.
func (l *gru[F]) positionBackward(b, i int, dout []F) {
	t, u := l.positions, l.units
	at := b*t + i
	gates, dgates, dfromH := l.gates[at*3*u:(at+1)*3*u], l.dgates[at*3*u:(at+1)*3*u], l.dfromH[at*3*u:(at+1)*3*u]
	for k := range u {
		dh := l.dstate[b*u+k]
		switch {
		case !l.last:
			dh += dout[at*u+k]
		case i == t-1:
			dh += dout[b*u+k]
		}
		r, z, n := gates[k], gates[u+k], gates[2*u+k]
		before := F(0)
		if i > 0 {
			before = l.states[(at-1)*u+k]
		}
		l.before[at*u+k] = before
		dn := dh * (1 - z) * (1 - n*n)
		dz := dh * (before - n) * z * (1 - z)
		dr := dn * l.inner[at*u+k] * r * (1 - r)
		dgates[k], dgates[u+k], dgates[2*u+k] = dr, dz, dn
		dfromH[k], dfromH[u+k], dfromH[2*u+k] = dr, dz, dn*r
		l.dstate[b*u+k] = dh * z
	}
}

func (l *gru[F]) weightGradients(p *pass[F], a *args[F]) {
	u, m := l.units, p.rows*l.positions
	if dx := a.din[0]; dx != nil {
		kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: m, N: l.features, K: 3 * u, A: l.dgates, B: a.in[1].data, C: dx.resize(p.rows)})
	}
	if dw := a.din[1]; dw != nil {
		kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: 3 * u, N: l.features, K: m, A: l.dgates, TransA: true, B: a.in[0].data, C: dw.data})
	}
	if db := a.din[2]; db != nil {
		kernel.ColSums(&p.ws, db.data, l.dgates, m, 3*u)
	}
	if dw := a.din[3]; dw != nil {
		kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: 3 * u, N: u, K: m, A: l.dfromH, TransA: true, B: l.before, C: dw.data})
	}
	if db := a.din[4]; db != nil {
		kernel.ColSums(&p.ws, db.data, l.dfromH, m, 3*u)
	}
}
