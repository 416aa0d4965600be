package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/internal/kernel"
)

// ReLU is max(x, 0).
func (x Node) ReLU() Node {
	return x.activation("relu", opPair{
		&activation[float32]{kernel.ReLU[float32], fromOutput(kernel.ReLUBackward[float32])},
		&activation[float64]{kernel.ReLU[float64], fromOutput(kernel.ReLUBackward[float64])},
	})
}

// LeakyReLU is x for x > 0, else slope·x; slope is in [0, 1), often 0.01.
func (x Node) LeakyReLU(slope float64) Node {
	if !(slope >= 0 && slope < 1) {
		return x.wrong("leakyrelu", "a slope in [0, 1)", fmt.Sprint(slope), "use 0.01")
	}
	return x.activation("leakyrelu", opPair{leaky(float32(slope)), leaky(slope)})
}

func leaky[F kernel.Float](slope F) *activation[F] {
	return &activation[F]{
		func(dst, x []F) { kernel.LeakyReLU(dst, slope, x) },
		func(dx, x, _, dy []F) { kernel.LeakyReLUBackward(dx, slope, x, dy) },
	}
}

// GELU is x·Φ(x), with the normal distribution function Φ (Hendrycks, Gimpel
// 2016); exact, not the tanh approximation.
func (x Node) GELU() Node {
	return x.activation("gelu", opPair{
		&activation[float32]{kernel.GELU[float32], fromInput(kernel.GELUBackward[float32])},
		&activation[float64]{kernel.GELU[float64], fromInput(kernel.GELUBackward[float64])},
	})
}

// Tanh is the hyperbolic tangent.
func (x Node) Tanh() Node {
	return x.activation("tanh", opPair{
		&activation[float32]{kernel.Tanh[float32], fromOutput(kernel.TanhBackward[float32])},
		&activation[float64]{kernel.Tanh[float64], fromOutput(kernel.TanhBackward[float64])},
	})
}

// Sigmoid is 1/(1+exp(−x)). A classifier needs none at the end: losses take
// logits.
func (x Node) Sigmoid() Node {
	return x.activation("sigmoid", opPair{
		&activation[float32]{kernel.Sigmoid[float32], fromOutput(kernel.SigmoidBackward[float32])},
		&activation[float64]{kernel.Sigmoid[float64], fromOutput(kernel.SigmoidBackward[float64])},
	})
}

func (x Node) activation(kind string, ops opPair) Node {
	if x.inert() {
		return x
	}
	return x.add(&layer{kind: kind, shape: x.Shape(), ops: ops, activation: true})
}

// activation is a function of single elements. gradient computes dx from dy and
// from x or y, whichever the function needs.
type activation[F kernel.Float] struct {
	function func(dst, x []F)
	gradient func(dx, x, y, dy []F)
}

func (f *activation[F]) forward(p *pass[F], a *args[F]) {
	f.function(a.out.resize(p.rows), a.in[0].data)
}

func (f *activation[F]) backward(p *pass[F], a *args[F]) {
	f.gradient(a.din[0].resize(p.rows), a.in[0].data, a.out.data, a.dout.data)
}

func fromOutput[F kernel.Float](f func(dx, y, dy []F)) func(dx, x, y, dy []F) {
	return func(dx, _, y, dy []F) { f(dx, y, dy) }
}

func fromInput[F kernel.Float](f func(dx, x, dy []F)) func(dx, x, y, dy []F) {
	return func(dx, x, _, dy []F) { f(dx, x, dy) }
}
