package tensorfile

import (
	"fmt"
	"reflect"
	"slices"
)

// DType is the element type of an [Array], spelled as NumPy spells it. The zero
// value is not a valid type.
type DType string

// The element types. Float32 is the work-horse. BFloat16 exists in safetensors
// only, Complex128 in .npy and .npz only.
const (
	Bool       DType = "bool" // one byte, 0 or 1
	Int8       DType = "int8"
	Int16      DType = "int16"
	Int32      DType = "int32"
	Int64      DType = "int64"
	Uint8      DType = "uint8"
	Uint16     DType = "uint16"
	Uint32     DType = "uint32"
	Uint64     DType = "uint64"
	Float16    DType = "float16"  // IEEE 754 binary16
	BFloat16   DType = "bfloat16" // upper half of a float32
	Float32    DType = "float32"
	Float64    DType = "float64"
	Complex64  DType = "complex64"
	Complex128 DType = "complex128"
)

// dtypeInfo is what the formats call one element type; an empty code means that
// the format does not have it.
type dtypeInfo struct {
	dtype       DType
	size        int    // bytes of an element
	part        int    // bytes of what a byte order applies to: half of a complex element
	npy         string // descr without its byte order
	safetensors string
}

func dtypes() []dtypeInfo {
	return []dtypeInfo{
		{Bool, 1, 1, "b1", "BOOL"},
		{Int8, 1, 1, "i1", "I8"},
		{Int16, 2, 2, "i2", "I16"},
		{Int32, 4, 4, "i4", "I32"},
		{Int64, 8, 8, "i8", "I64"},
		{Uint8, 1, 1, "u1", "U8"},
		{Uint16, 2, 2, "u2", "U16"},
		{Uint32, 4, 4, "u4", "U32"},
		{Uint64, 8, 8, "u8", "U64"},
		{Float16, 2, 2, "f2", "F16"},
		{BFloat16, 2, 2, "", "BF16"},
		{Float32, 4, 4, "f4", "F32"},
		{Float64, 8, 8, "f8", "F64"},
		{Complex64, 8, 4, "c8", "C64"},
		{Complex128, 16, 8, "c16", ""},
	}
}

func findDType(match func(dtypeInfo) bool) (dtypeInfo, bool) {
	all := dtypes()
	i := slices.IndexFunc(all, match)
	if i < 0 {
		return dtypeInfo{}, false
	}
	return all[i], true
}

func (d DType) info() (dtypeInfo, error) {
	info, ok := findDType(func(i dtypeInfo) bool { return i.dtype == d })
	if !ok {
		return info, fmt.Errorf("unknown element type %q: use one of the DType constants", string(d))
	}
	return info, nil
}

// Size returns the bytes one element takes, 0 for an unknown type.
func (d DType) Size() int {
	info, _ := findDType(func(i dtypeInfo) bool { return i.dtype == d })
	return info.size
}

// dtypeOf returns the DType of a Go element type: NumPy's names are Go's names.
func dtypeOf[T Element]() DType {
	return DType(reflect.TypeFor[T]().Name())
}
