package tensorfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// maxDims is NumPy's own limit on the number of dimensions.
const maxDims = 64

// Array is one dense array as it stands in a file.
type Array struct {
	Name  string // key in an archive or safetensors file; free for .npy, which keeps no name
	Shape []int  // each ≥ 0; empty for a scalar
	DType DType  // type of an element
	Data  []byte // elements in C order (last index fastest), little-endian; product(Shape)·DType.Size() bytes
}

// Element are the Go types that are element types of an [Array].
type Element interface {
	bool | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 |
		float32 | float64 | complex64 | complex128
}

// New returns an array with a copy of data, which is in C order. It fails when
// the shape does not hold exactly len(data) elements.
func New[T Element](name string, shape []int, data []T) (Array, error) {
	a := Array{Name: name, Shape: slices.Clone(shape), DType: dtypeOf[T]()}
	if err := checkShape(shape, len(data)); err != nil {
		return Array{}, fmt.Errorf("array %q: %w", name, err)
	}
	raw, err := binary.Append(make([]byte, 0, len(data)*a.DType.Size()), binary.LittleEndian, data)
	if err != nil {
		return Array{}, fmt.Errorf("array %q: %w", name, err)
	}
	a.Data = raw
	return a, nil
}

// Values returns a copy of the elements of a, bit for bit, in C order. T must
// be the array's own type; [Array.Float32] converts.
func Values[T Element](a Array) ([]T, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	if want := dtypeOf[T](); a.DType != want {
		return nil, fmt.Errorf("array %q holds %s, not %s: ask for its own type or convert with Float32", a.Name, a.DType, want)
	}
	out := make([]T, a.Len())
	if err := binary.Read(bytes.NewReader(a.Data), binary.LittleEndian, out); err != nil {
		return nil, fmt.Errorf("array %q: %w", a.Name, err)
	}
	return out, nil
}

// Len returns the number of elements, 1 for a scalar. The array must be valid.
func (a Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// check tells whether shape, type and data agree.
func (a Array) check() error {
	info, err := a.DType.info()
	if err != nil {
		return fmt.Errorf("array %q: %w", a.Name, err)
	}
	n, err := byteLen(a.Shape, info.size)
	if err != nil {
		return fmt.Errorf("array %q: %w", a.Name, err)
	}
	if n != len(a.Data) {
		return fmt.Errorf("array %q: shape %v of %s takes %d bytes, Data has %d", a.Name, a.Shape, a.DType, n, len(a.Data))
	}
	return nil
}

func checkShape(shape []int, elements int) error {
	n, err := byteLen(shape, 1)
	if err != nil {
		return err
	}
	if n != elements {
		return fmt.Errorf("shape %v holds %d elements, the data has %d", shape, n, elements)
	}
	return nil
}

// byteLen returns product(shape)·size, or an error if the shape is not one or
// the product does not fit.
func byteLen(shape []int, size int) (int, error) {
	if len(shape) > maxDims {
		return 0, fmt.Errorf("shape has %d dimensions, at most %d are allowed", len(shape), maxDims)
	}
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
	}
	if slices.Contains(shape, 0) {
		return 0, nil // whatever the others are
	}
	n := size
	for _, d := range shape {
		if n > math.MaxInt/d {
			return 0, fmt.Errorf("shape %v is too large for this machine", shape)
		}
		n *= d
	}
	return n, nil
}
