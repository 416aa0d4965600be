package train

import (
	"fmt"
	"slices"
)

// Tensor is a dense array of float32 in row-major order (the last axis varies
// fastest). The first axis counts the rows (examples) of a batch; pictures are
// [rows, channels, height, width]. Class ids and token ids are whole numbers
// stored as float32, exact up to 1<<24. The zero value holds nothing.
type Tensor struct {
	Shape []int
	Data  []float32
}

// NewTensor returns a tensor of zeros of the given shape.
func NewTensor(shape ...int) Tensor {
	return Tensor{Shape: slices.Clone(shape), Data: make([]float32, Size(shape))}
}

// Size is the number of elements of a shape: the product of its axes, 1 for none.
func Size(shape []int) int {
	size := 1
	for _, n := range shape {
		size *= n
	}
	return size
}

// Rows is the length of the first axis, 0 for an empty tensor.
func (t Tensor) Rows() int {
	if len(t.Shape) == 0 {
		return 0
	}
	return t.Shape[0]
}

// RowSize is the number of elements of one row: 1 for a tensor of one axis.
func (t Tensor) RowSize() int {
	if len(t.Shape) == 0 {
		return 0
	}
	return Size(t.Shape[1:])
}

// Row is the part of Data that holds row i. It is not a copy.
func (t Tensor) Row(i int) []float32 {
	n := t.RowSize()
	return t.Data[i*n : (i+1)*n : (i+1)*n]
}

// Clone returns a tensor that shares no memory with t.
func (t Tensor) Clone() Tensor {
	return Tensor{Shape: slices.Clone(t.Shape), Data: slices.Clone(t.Data)}
}

// Check reports a shape that does not fit the number of elements.
func (t Tensor) Check() error {
	for _, n := range t.Shape {
		if n < 0 {
			return fmt.Errorf("shape %v has the negative axis %d", t.Shape, n)
		}
	}
	want := Size(t.Shape)
	if len(t.Shape) == 0 {
		want = 0
	}
	if len(t.Data) != want {
		return fmt.Errorf("shape %v needs %d elements, there are %d", t.Shape, want, len(t.Data))
	}
	return nil
}
