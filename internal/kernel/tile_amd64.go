package kernel

import "unsafe"

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
	args := tileArgs{
		k: t.k, rowA: 4 * t.rowA, colA: 4 * t.colA, rowB: 4 * t.rowB, rowC: 4 * t.rowC,
		tail: t.cols - (vecs-1)*shape.lanes, add: asInt(t.add), relu: asInt(t.relu),
		a: first(t.a), b: first(t.b), c: first(t.c), biasM: first(t.biasM), biasN: first(t.biasN),
	}
	left := t.rows
	most := shape.rows
	if vecs == 1 && shape.lanes == 16 {
		most = 16 // there are registers for it
	}
	for rows := most; left > 0; rows /= 2 {
		args.panels = left / rows
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
