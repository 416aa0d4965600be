package nn

import "github.com/actually-robust-training/art/internal/kernel"

// ReLU is max(x, 0).
func (x Node) ReLU() Node {
	return x.activation("relu", opPair{
		&activation[float32]{kernel.ReLU[float32], outputGradient(kernel.ReLUBackward[float32])},
		&activation[float64]{kernel.ReLU[float64], outputGradient(kernel.ReLUBackward[float64])},
	})
}

func (x Node) activation(kind string, ops opPair) Node {
	if x.inert() {
		return x
	}
	return x.add(&layer{kind: kind, shape: x.Shape(), ops: ops, activation: true})
}

// activation is a function of single elements. backward computes dx from dy and
// both x and y, of which each function needs one.
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

// outputGradient adapts a gradient that is computed from the output.
func outputGradient[F kernel.Float](f func(dx, y, dy []F)) func(dx, x, y, dy []F) {
	return func(dx, _, y, dy []F) { f(dx, y, dy) }
}
