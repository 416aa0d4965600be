package nn

import "github.com/actually-robust-training/art/internal/kernel"

// operator computes one layer. The float64 instance proves gradients.
type operator[F kernel.Float] interface {
	// forward computes a.out.
	forward(p *pass[F], a *args[F])
	// backward computes those of the gradients a.din that are not nil, from
	// a.dout and what forward left. It must not write to a.dout: other operators
	// may read it.
	backward(p *pass[F], a *args[F])
}

// opPair is an operator for each element type.
type opPair struct {
	f32 operator[float32]
	f64 operator[float64]
}

func pickOp[F kernel.Float](o opPair) operator[F] {
	if op, ok := any(o.f32).(operator[F]); ok {
		return op
	}
	return any(o.f64).(operator[F])
}

// args are what an operator reads and writes.
type args[F kernel.Float] struct {
	// layer is the full name, for messages and for seeds.
	layer string
	// in holds the layer's inputs, then its parameters.
	in  []*value[F]
	out *value[F]
	// dout is the gradient of out, din those of in. Nil outside of backward.
	dout *value[F]
	din  []*value[F]
}

// pass is one walk over the operators.
type pass[F kernel.Float] struct {
	// train is false in inference: dropout off, batch norm by running statistics.
	train bool
	// exact asks inference for what backward needs.
	exact bool
	rows  int
	// iteration and seed decide everything random.
	iteration int
	seed      uint64
	ws        kernel.Workspace
	temporary []F
	// layer is the one at work, for the message of a panic.
	layer string
}

// scratch returns n elements of undefined content, valid until the next call.
func (p *pass[F]) scratch(n int) []F {
	if cap(p.temporary) < n {
		p.temporary = make([]F, n)
	}
	return p.temporary[:n]
}

// reluGradient is the gradient before the ReLU that a layer has absorbed, in
// scratch memory.
func (p *pass[F]) reluGradient(a *args[F]) []F {
	dz := p.scratch(len(a.dout.data))
	kernel.ReLUBackward(dz, a.out.data, a.dout.data)
	return dz
}

// value is a tensor of the network: a layer's output, a gradient, a parameter.
type value[F kernel.Float] struct {
	// row is the number of elements of a row; 0 for parameters and their
	// gradients, whose size does not depend on the batch.
	row  int
	data []F
	own  []F // memory of this value; data may be another's
	// frozen parameters and statistics must not change.
	frozen bool
}

// resize gives the value as many rows, of undefined content, and returns data.
func (v *value[F]) resize(rows int) []F {
	if v.row == 0 {
		return v.data
	}
	v.own = grow(v.own, rows*v.row)
	v.data = v.own
	return v.data
}

// grow returns a slice of n elements, which is s if s has room for them.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
