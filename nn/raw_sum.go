package nn

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/actually-robust-training/art/internal/kernel"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// sumAxes are the axes of gorgonia's sum operator, which tells them in its String:
// "Σ[1 3]".
func sumAxes(op gorgonia.Op) []int {
	axes := []int{}
	for field := range strings.FieldsSeq(strings.Trim(op.String(), "Σ[]")) {
		axis, err := strconv.Atoi(field)
		if err != nil {
			panic(fmt.Sprintf("gorgonia's sum operator calls itself %v, not Σ[axes]", op))
		}
		axes = append(axes, axis)
	}
	return axes
}

// sumAlong computes a sum.
func sumAlong[F kernel.Float](n rawNode, value gorgonia.Value) (gorgonia.Value, error) {
	x, ok := value.(*tensor.Dense)
	if !ok {
		return n.Op().Do(value) // of one number
	}
	data, ok := x.Data().([]F)
	if !ok {
		return nil, fmt.Errorf("a Sum of %T", x.Data())
	}
	shape := x.Shape()
	stride := make([]int, len(shape)) // in the result, 0 for the axes that are summed over
	for i := range stride {
		stride[i] = 1
	}
	for _, axis := range n.along {
		stride[axis] = 0
	}
	size := 1
	for i := len(shape) - 1; i >= 0; i-- {
		if stride[i] != 0 {
			stride[i], size = size, size*shape[i]
		}
	}
	sums, index := make([]F, size), make([]int, len(shape))
	it := x.Iterator() // x may be a part of another tensor
	for from, err := it.Start(); err == nil; from, err = it.Next() {
		to := 0
		for i, at := range index {
			to += at * stride[i]
		}
		sums[to] += data[from]
		for i := len(index) - 1; i >= 0; i-- {
			if index[i]++; index[i] < shape[i] {
				break
			}
			index[i] = 0
		}
	}
	if n.IsScalar() {
		return scalar(sums[0]), nil
	}
	return tensor.New(tensor.WithShape(n.Shape()...), tensor.WithBacking(sums)), nil
}

func scalar[F kernel.Float](v F) gorgonia.Value {
	if v, ok := any(v).(float32); ok {
		return gorgonia.NewF32(v)
	}
	return gorgonia.NewF64(float64(v))
}
