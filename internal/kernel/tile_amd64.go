package kernel

import (
	"math/bits"
	"unsafe"
)

// tileArgs is what the tile assembly reads. Strides are in bytes.
type tileArgs struct {
	k            int
	a            unsafe.Pointer
	rowA, colA   int
	panels       int // groups of rows; the assembly counts it down
	stepA        int
	b            unsafe.Pointer
	rowB         int
	c            unsafe.Pointer
	rowC         int
	tail         int // valid lanes in the last vector of columns
	add, relu    int
	biasM, biasN unsafe.Pointer
	cursor       int // scratch of the assembly
}

// tile32 runs t, whose F is float32, in assembly.
func tile32[F Float](t *tileJob[F]) {
	shape := tilingFor[F]()
	vecs := (t.cols + shape.lanes - 1) / shape.lanes
	// Field by field: a literal is made elsewhere on the stack and copied 16 bytes at a
	// time, which waits for the stores, and long where a page ends in between.
	var args tileArgs
	args.k, args.rowA, args.colA, args.rowB, args.rowC = t.k, 4*t.rowA, 4*t.colA, 4*t.rowB, 4*t.rowC
	args.tail, args.add, args.relu = t.cols-(vecs-1)*shape.lanes, asInt(t.add), asInt(t.relu)
	args.a, args.b, args.c, args.biasM, args.biasN = first(t.a), first(t.b), first(t.c), first(t.biasM), first(t.biasN)
	most := shape.rows
	if vecs == 1 && shape.lanes == 16 {
		most = 16 // there are registers for it
	}
	left := t.rows
	for shift := bits.TrailingZeros(uint(most)); left > 0; shift-- {
		rows := 1 << shift
		args.panels = left >> shift
		if args.panels == 0 {
			continue
		}
		done := args.panels * rows
		args.stepA = rows * args.rowA
		args.call(shape.lanes, rows, vecs)
		left -= done
		if left > 0 {
			args.a = unsafe.Add(args.a, done*args.rowA) // cursor has moved down the bias
			args.c = unsafe.Add(args.c, done*args.rowC)
		}
	}
}

// first returns the address of the first element, or nil.
func first[F Float](x []F) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

func (args *tileArgs) call(lanes, rows, vecs int) {
	p := (*byte)(unsafe.Pointer(args))
	if lanes == 8 {
		call256(p, rows, vecs)
	} else {
		call512(p, rows, vecs)
	}
}

func call512(p *byte, rows, vecs int) {
	switch 4*rows + vecs {
	case 4*16 + 1:
		tile512_16x1(p)
	case 4*8 + 3:
		tile512_8x3(p)
	case 4*8 + 2:
		tile512_8x2(p)
	case 4*8 + 1:
		tile512_8x1(p)
	case 4*4 + 3:
		tile512_4x3(p)
	case 4*4 + 2:
		tile512_4x2(p)
	case 4*4 + 1:
		tile512_4x1(p)
	case 4*2 + 3:
		tile512_2x3(p)
	case 4*2 + 2:
		tile512_2x2(p)
	case 4*2 + 1:
		tile512_2x1(p)
	case 4*1 + 3:
		tile512_1x3(p)
	case 4*1 + 2:
		tile512_1x2(p)
	case 4*1 + 1:
		tile512_1x1(p)
	}
}

func call256(p *byte, rows, vecs int) {
	switch 4*rows + vecs {
	case 4*4 + 3:
		tile256_4x3(p)
	case 4*4 + 2:
		tile256_4x2(p)
	case 4*4 + 1:
		tile256_4x1(p)
	case 4*2 + 3:
		tile256_2x3(p)
	case 4*2 + 2:
		tile256_2x2(p)
	case 4*2 + 1:
		tile256_2x1(p)
	case 4*1 + 3:
		tile256_1x3(p)
	case 4*1 + 2:
		tile256_1x2(p)
	case 4*1 + 1:
		tile256_1x1(p)
	}
}
