package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/internal/kernel"
)

// BatchNorm normalises each channel of pictures [channels, height, width], or
// each feature of rows [features], by mean and variance over the batch, then
// scales and shifts it (Ioffe, Szegedy 2015). In inference, and when it is
// frozen, it normalises by running statistics: parameters "mean" and
// "variance", which start at 0 and 1 and, as in PyTorch, take in the unbiased
// variance.
type BatchNorm struct {
	// Momentum is the share of a batch in the running statistics. Default 0.1.
	Momentum float64
	// Epsilon is added to the variance. Default 1e-5.
	Epsilon float64
}

// BatchNorm appends a batch normalisation.
func (x Node) BatchNorm(name string) Node { return x.Apply(name, BatchNorm{}) }

// Build implements Layer.
func (l BatchNorm) Build(x Node) Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	spec := &batchNormSpec{momentum: orDefault(l.Momentum, 0.1), epsilon: orDefault(l.Epsilon, 1e-5)}
	switch {
	case len(in) == 3:
		spec.channels, spec.positions = in[0], in[1]*in[2]
	case len(in) == 1:
		spec.channels, spec.positions = in[0], 1
	default:
		return x.wrong("batchnorm", "pictures [channels, height, width] or rows [features]", fmt.Sprintf("rows of shape %v", in), "use LayerNorm for sequences")
	}
	if !(spec.momentum >= 0 && spec.momentum <= 1) || spec.epsilon < 0 || !finite(spec.epsilon) {
		return x.wrong("batchnorm", "a momentum in (0, 1] and an epsilon of at least 0", fmt.Sprintf("momentum %v and epsilon %v", l.Momentum, l.Epsilon), "correct them, or leave them out for 0.1 and 1e-5")
	}
	c := []int{spec.channels}
	return x.add(&layer{
		kind: "batchnorm", shape: x.Shape(), flops: 4 * spec.channels * spec.positions,
		params: []paramSpec{
			{suffix: "scale", shape: c, init: Constant(1)},
			{suffix: "shift", shape: c, init: Zeros},
			{suffix: "mean", shape: c, init: Zeros, statistic: true},
			{suffix: "variance", shape: c, init: Constant(1), statistic: true},
		},
		ops:      opPair{&batchNorm[float32]{batchNormSpec: spec}, &batchNorm[float64]{batchNormSpec: spec}},
		fuseReLU: func() { spec.relu = true },
		skipMask: func() { spec.masked = true },
	})
}

func orDefault(v, fallback float64) float64 {
	if v == 0 {
		return fallback
	}
	return v
}

type batchNormSpec struct {
	channels, positions int
	momentum, epsilon   float64
	relu, masked        bool // as in convSpec
}

type batchNorm[F kernel.Float] struct {
	*batchNormSpec
	// of the last batch; mean is the running one if the batch's was not used
	mean, variance, invStd []F
	fromBatch              bool
	sums                   []float64
	line                   []F
	count                  int // of values for each channel of the last batch
}

func (l *batchNorm[F]) forward(p *pass[F], a *args[F]) {
	g := kernel.BatchNorm{N: p.rows, C: l.channels, S: l.positions}
	x, running, runningVar := a.in[0].data, a.in[3], a.in[4]
	l.mean, l.variance, l.invStd = grow(l.mean, g.C), grow(l.variance, g.C), grow(l.invStd, g.C)
	l.fromBatch = p.train && !running.frozen && !runningVar.frozen
	if l.fromBatch {
		if g.N*g.S < 2 {
			panic(mistake("one value for each channel has no variance: batch norm trains on batches of at least 2 rows; choose a batch size that leaves no single row, or use LayerNorm"))
		}
		l.statistics(g, x)
		l.count = g.N * g.S
	} else {
		copy(l.mean, running.data)
		copy(l.variance, runningVar.data)
	}
	kernel.InvStd(l.invStd, l.variance, F(l.epsilon))
	scale, shift, y := a.in[1].data, a.in[2].data, a.out.resize(p.rows)
	if g.S == 1 {
		l.line = grow(l.line, 2*g.C)
		rowNormalise(x, l.mean, l.invStd, scale, shift, y, l.line, g.N, g.C, l.relu)
		return
	}
	kernel.BatchNormForward(g, x, l.mean, l.invStd, scale, shift, y, l.relu)
}

func (l *batchNorm[F]) statistics(g kernel.BatchNorm, x []F) {
	if g.S == 1 {
		l.sums = grow(l.sums, 2*g.C)
		rowStatistics(x, l.mean, l.variance, l.sums, g.N, g.C)
		return
	}
	kernel.BatchNormStats(g, x, l.mean, l.variance)
}

// settle takes the batch's statistics into the running ones.
func (l *batchNorm[F]) settle(a *args[F]) {
	if !l.fromBatch {
		return
	}
	n := float64(l.count)
	keep, take, unbiased := F(1-l.momentum), F(l.momentum), F(l.momentum*n/(n-1))
	running, runningVar := a.in[3].data, a.in[4].data
	for c := range running {
		running[c] = keep*running[c] + take*l.mean[c]
		runningVar[c] = keep*runningVar[c] + unbiased*l.variance[c]
	}
}

func (l *batchNorm[F]) backward(p *pass[F], a *args[F]) {
	g := kernel.BatchNorm{N: p.rows, C: l.channels, S: l.positions}
	dz := a.dout.data
	if l.relu && !(l.masked && p.train) {
		dz = p.reluGradient(a)
	}
	dx, dscale, dshift := wanted(a.din[0], p.rows), wanted(a.din[1], 0), wanted(a.din[2], 0)
	if g.S == 1 {
		l.sums = grow(l.sums, 2*g.C)
		rowGradients(a.in[0].data, l.mean, l.invStd, a.in[1].data, dz, dx, dscale, dshift, l.sums, g.N, g.C, l.fromBatch)
		return
	}
	kernel.BatchNormBackward(g, a.in[0].data, l.mean, l.invStd, a.in[1].data, dz, dx, dscale, dshift, l.fromBatch)
}

// wanted is the memory of a gradient, nil if nobody asked for it.
func wanted[F kernel.Float](v *value[F], rows int) []F {
	if v == nil {
		return nil
	}
	return v.resize(rows)
}
