package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/internal/kernel"
)

// LayerNorm normalises the features of each row [features] or position
// [positions, features] by their own mean and variance, then scales and shifts
// them (Ba, Kiros, Hinton 2016).
type LayerNorm struct {
	// Epsilon is added to the variance. Default 1e-5.
	Epsilon float64
}

// LayerNorm appends a layer normalisation.
func (x Node) LayerNorm(name string) Node { return x.Apply(name, LayerNorm{}) }

// Build implements Layer.
func (l LayerNorm) Build(x Node) Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	if len(in) != 1 && len(in) != 2 {
		return x.wrong("layernorm", "rows of shape [features] or [positions, features]", fmt.Sprint(in), "use BatchNorm for pictures")
	}
	if l.Epsilon < 0 || !finite(l.Epsilon) {
		return x.wrong("layernorm", "an epsilon of at least 0", fmt.Sprint(l.Epsilon), "correct it, or leave it out for 1e-5")
	}
	spec := &layerNormSpec{positions: 1, features: in[len(in)-1], epsilon: orDefault(l.Epsilon, 1e-5)}
	if len(in) == 2 {
		spec.positions = in[0]
	}
	c := []int{spec.features}
	return x.add(&layer{
		kind: "layernorm", shape: x.Shape(), flops: 8 * spec.positions * spec.features,
		params: []paramSpec{{suffix: "scale", shape: c, init: Constant(1)}, {suffix: "shift", shape: c, init: Zeros}},
		ops:    opPair{&layerNorm[float32]{layerNormSpec: spec}, &layerNorm[float64]{layerNormSpec: spec}},
	})
}

type layerNormSpec struct {
	positions, features int
	epsilon             float64
}

type layerNorm[F kernel.Float] struct {
	*layerNormSpec
	mean, invStd []F
}

func (l *layerNorm[F]) forward(p *pass[F], a *args[F]) {
	m := p.rows * l.positions
	l.mean, l.invStd = grow(l.mean, m), grow(l.invStd, m)
	kernel.LayerNormForward(a.in[0].data, a.in[1].data, a.in[2].data, a.out.resize(p.rows), l.mean, l.invStd, m, l.features, F(l.epsilon))
}

func (l *layerNorm[F]) backward(p *pass[F], a *args[F]) {
	kernel.LayerNormBackward(&p.ws, a.in[0].data, l.mean, l.invStd, a.in[1].data, a.dout.data,
		wanted(a.din[0], p.rows), wanted(a.din[1], 0), wanted(a.din[2], 0), p.rows*l.positions, l.features)
}
