package nn

import (
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/internal/kernel"
)

// Dense is a fully connected layer: y = x·Wᵀ + b over the last axis. x is
// [features] or [positions, features]; the weight is [units, features], as
// PyTorch stores it.
type Dense struct {
	// Units is the number of outputs, at least 1.
	Units int
	// NoBias leaves out b.
	NoBias bool
	// Init of the weight. Default He uniform, and for the last layer of the
	// network, which should begin by favouring no class, a hundredth of Glorot uniform.
	Init Init
	// BiasInit defaults to zeros.
	BiasInit Init
}

// Dense appends a fully connected layer with a bias.
func (x Node) Dense(name string, units int) Node { return x.Apply(name, Dense{Units: units}) }

// Build implements Layer.
func (d Dense) Build(x Node) Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	switch {
	case d.Units < 1:
		return x.wrong("dense", "at least 1 unit", fmt.Sprintf("%d", d.Units), "set Units")
	case len(in) == 0:
		return x.wrong("dense", "rows of features", "rows of one number without an axis", "use Reshape(1) before it")
	case len(in) > 2:
		return x.wrong("dense", "rows of shape [features] or [positions, features]", fmt.Sprint(in), "use Flatten() before it")
	case in[len(in)-1] < 1:
		return x.wrong("dense", "at least 1 feature", fmt.Sprint(in), "check the shape of the inputs")
	}
	features, positions := in[len(in)-1], 1
	if len(in) == 2 {
		positions = in[0]
	}
	spec := &denseSpec{in: features, out: d.Units, positions: positions, bias: !d.NoBias}
	params := []paramSpec{{suffix: "weight", shape: []int{d.Units, features}, init: d.Init, decays: true}}
	if spec.bias {
		params = append(params, paramSpec{suffix: "bias", shape: []int{d.Units}, init: orInit(d.BiasInit, Zeros)})
	}
	shape := slices.Clone(in)
	shape[len(shape)-1] = d.Units
	return x.add(&layer{
		kind: "dense", shape: shape, params: params, flops: 2 * positions * features * d.Units,
		ops:      opPair{&dense[float32]{denseSpec: spec}, &dense[float64]{denseSpec: spec}},
		fuseReLU: func() { spec.relu = true },
	})
}

type denseSpec struct {
	in, out, positions int
	bias, relu         bool
}

type dense[F kernel.Float] struct{ *denseSpec }

func (d *dense[F]) forward(p *pass[F], a *args[F]) {
	var bias []F
	if d.bias {
		bias = a.in[2].data
	}
	kernel.Gemm(&p.ws, kernel.GemmArgs[F]{
		M: p.rows * d.positions, N: d.out, K: d.in,
		A: a.in[0].data, B: a.in[1].data, TransB: true, C: a.out.resize(p.rows),
		BiasN: bias, ReLU: d.relu,
	})
}

func (d *dense[F]) backward(p *pass[F], a *args[F]) {
	m := p.rows * d.positions
	dz := a.dout.data
	if d.relu {
		dz = p.reluGradient(a)
	}
	if dx := a.din[0]; dx != nil {
		kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: m, N: d.in, K: d.out, A: dz, B: a.in[1].data, C: dx.resize(p.rows)})
	}
	if dw := a.din[1]; dw != nil {
		kernel.Gemm(&p.ws, kernel.GemmArgs[F]{M: d.out, N: d.in, K: m, A: dz, TransA: true, B: a.in[0].data, C: dw.data})
	}
	if d.bias && a.din[2] != nil {
		kernel.ColSums(&p.ws, a.din[2].data, dz, m, d.out)
	}
}
