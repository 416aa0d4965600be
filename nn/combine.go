package nn

import (
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

// Add is the sum of x and others of the same shape: a residual connection.
func (x Node) Add(others ...Node) Node {
	if x.inert() {
		return x
	}
	if len(others) == 0 {
		return x.wrong("add", "something to add", "nothing", "pass another Node")
	}
	for _, o := range others {
		if o.plan == x.plan && !slices.Equal(o.shape(), x.shape()) {
			return x.wrong("add", fmt.Sprintf("rows of shape %v, like those of x", x.shape()), fmt.Sprint(o.shape()),
				"bring both to one shape, as with a Conv of kernel 1 or a Dense")
		}
	}
	return x.add(&layer{
		kind: "add", shape: x.Shape(), flops: len(others) * train.Size(x.shape()), passGradient: true,
		ops: opPair{add[float32]{}, add[float64]{}},
	}, others...)
}

// add needs no backward: its inputs share the gradient of its output.
type add[F kernel.Float] struct{}

func (add[F]) forward(p *pass[F], a *args[F]) {
	y := a.out.resize(p.rows)
	kernel.Add(y, a.in[0].data, a.in[1].data)
	for _, v := range a.in[2:] {
		kernel.Add(y, y, v.data)
	}
}

func (add[F]) backward(*pass[F], *args[F]) {}

// Concat joins tensors along an axis of their rows, counted from 0 (channels of
// pictures, positions of sequences); -1 is the last. The other axes must agree.
func Concat(axis int, nodes ...Node) Node {
	if len(nodes) == 0 {
		return Node{}
	}
	x := nodes[0]
	if x.inert() {
		return x
	}
	shape := x.Shape()
	at := axis
	if at == -1 {
		at = len(shape) - 1
	}
	if at < 0 || at >= len(shape) {
		return x.wrong("concat", fmt.Sprintf("an axis of rows of shape %v", shape), fmt.Sprint(axis), "axes count from 0")
	}
	spec := &concatSpec{}
	shape[at] = 0
	for _, n := range nodes {
		if n.plan != x.plan {
			return x.wrong("concat", "nodes of one network", "a node of another", "combine nodes that come from the same x")
		}
		s := n.Shape()
		if len(s) != len(shape) || !slices.Equal(s[:at], shape[:at]) || !slices.Equal(s[at+1:], shape[at+1:]) {
			return x.wrong("concat", fmt.Sprintf("rows that differ from %v in axis %d only", x.shape(), at), fmt.Sprint(s), "bring them to the same shape")
		}
		shape[at] += s[at]
		spec.blocks = append(spec.blocks, train.Size(s[at:]))
	}
	spec.outer = train.Size(shape[:at])
	return x.add(&layer{kind: "concat", shape: shape, ops: opPair{concat[float32]{spec}, concat[float64]{spec}}}, nodes[1:]...)
}

// concatSpec: each row is outer times one block of each input.
type concatSpec struct {
	outer  int
	blocks []int
}

type concat[F kernel.Float] struct{ *concatSpec }

func (c concat[F]) forward(p *pass[F], a *args[F]) {
	y := a.out.resize(p.rows)
	c.each(p.rows, func(i, whole, part, n int) { copy(y[whole:whole+n], a.in[i].data[part:]) })
}

func (c concat[F]) backward(p *pass[F], a *args[F]) {
	for _, v := range a.din {
		if v != nil {
			v.resize(p.rows)
		}
	}
	c.each(p.rows, func(i, whole, part, n int) {
		if a.din[i] != nil {
			copy(a.din[i].data[part:part+n], a.dout.data[whole:])
		}
	})
}

// each calls f with the position of every block in the whole and in its part i.
func (c concat[F]) each(rows int, f func(i, whole, part, n int)) {
	whole := 0
	for o := range rows * c.outer {
		for i, n := range c.blocks {
			f(i, whole, o*n, n)
			whole += n
		}
	}
}

// Softmax makes the last axis positive with sum 1. A classifier needs none at
// the end: losses take logits.
func (x Node) Softmax() Node {
	if x.inert() {
		return x
	}
	shape := x.Shape()
	if len(shape) == 0 {
		return x.wrong("softmax", "rows with an axis", "rows of one number", "use Sigmoid")
	}
	cols := shape[len(shape)-1]
	return x.add(&layer{
		kind: "softmax", shape: shape, flops: 5 * train.Size(shape), activation: true,
		ops: opPair{softmax[float32]{cols}, softmax[float64]{cols}},
	})
}

type softmax[F kernel.Float] struct{ cols int }

func (s softmax[F]) forward(p *pass[F], a *args[F]) {
	y := a.out.resize(p.rows)
	kernel.Softmax(y, a.in[0].data, len(y)/s.cols, s.cols, 1, 0)
}

func (s softmax[F]) backward(p *pass[F], a *args[F]) {
	dy := a.dout.data
	kernel.SoftmaxBackward(a.din[0].resize(p.rows), a.out.data, dy, len(dy)/s.cols, s.cols, 1)
}
