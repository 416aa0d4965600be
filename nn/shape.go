package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

// Flatten makes each row one axis.
func (x Node) Flatten() Node {
	if x.inert() {
		return x
	}
	return x.reshape("flatten", []int{train.Size(x.shape())})
}

// Reshape gives each row another shape with as many elements. One axis may be
// -1: it takes what the others leave.
func (x Node) Reshape(shape ...int) Node {
	if x.inert() {
		return x
	}
	return x.reshape("reshape", shape)
}

func (x Node) reshape(kind string, shape []int) Node {
	in := x.shape()
	size, known, open := train.Size(in), 1, -1
	out := append([]int(nil), shape...)
	for i, n := range out {
		switch {
		case n == -1 && open < 0:
			open = i
		case n < 1 || n > size:
			return x.wrong(kind, fmt.Sprintf("axes of 1 to %d, one of them -1 at most", size), fmt.Sprint(shape), "correct the shape")
		default:
			known = min(known*n, size+1) // neither factor is greater than size+1
		}
	}
	if open >= 0 {
		out[open] = size / known
		known *= out[open]
	}
	if known != size {
		return x.wrong(kind, fmt.Sprintf("a shape of %d elements, like the row %v", size, in), fmt.Sprint(shape), "correct the shape")
	}
	return x.add(&layer{kind: kind, shape: out, ops: opPair{view[float32]{}, view[float64]{}}})
}

// view hands on its input under another shape, without a copy.
type view[F kernel.Float] struct{}

func (view[F]) forward(_ *pass[F], a *args[F])  { a.out.data = a.in[0].data }
func (view[F]) backward(_ *pass[F], a *args[F]) { a.din[0].data = a.dout.data }
