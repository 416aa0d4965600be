package kernel

import (
	"fmt"
	"unsafe"
)

// Float is the set of element types. The bounds are exact: named types would
// not reach the assembly.
type Float interface{ float32 | float64 }

// isFloat32 reports whether F is float32; the compiler folds it to a constant
// in each instantiation.
func isFloat32[F Float]() bool {
	var zero F
	return unsafe.Sizeof(zero) == 4
}

// head returns the address of the first element for assembly, which only
// handles float32: valid if isFloat32[F]().
func head[F Float](x []F) *float32 { return (*float32)(unsafe.Pointer(unsafe.SliceData(x))) }

// need panics unless the slice called name has at least want elements. op
// names the function for the message.
func need[F Float | int32](op, name string, x []F, want int) {
	if len(x) < want {
		badLen(op, name, len(x), want)
	}
}

func badLen(op, name string, got, want int) {
	panic(fmt.Sprintf("kernel: %s: %s has %d elements, needs %d: check the shapes handed in", op, name, got, want))
}

// asInt is how assembly takes a condition.
func asInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
