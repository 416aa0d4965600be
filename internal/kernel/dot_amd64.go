package kernel

import "unsafe"

// dotArgs is what the dot product assembly reads. Strides are in bytes.
type dotArgs struct {
	n            int
	a            unsafe.Pointer
	rowA         int
	b            unsafe.Pointer
	off          unsafe.Pointer // *int, in elements
	groups       int            // of 4 columns; the assembly counts it down
	c            unsafe.Pointer
	rowC         int
	tail         int // columns in the last group
	add, relu    int
	biasM, biasN unsafe.Pointer
	cursor       int // scratch of the assembly
}

// dot32 runs t, whose F is float32, in assembly.
func dot32[F Float](t *dotJob[F]) {
	groups := (t.cols + dotGroup - 1) / dotGroup
	var args dotArgs // field by field, as in tile32
	args.n, args.rowA, args.rowC, args.tail = t.n, 4*t.rowA, 4*t.rowC, t.cols-(groups-1)*dotGroup
	args.a, args.b, args.off, args.c = first(t.a), first(t.b), unsafe.Pointer(unsafe.SliceData(t.off)), first(t.c)
	args.add, args.relu, args.biasM, args.biasN = asInt(t.add), asInt(t.relu), first(t.biasM), first(t.biasN)
	most := 4
	if simd == levelAVX2 {
		most = 2
	}
	for done := 0; done < t.rows; {
		rows := min(most, t.rows-done)
		if rows == 3 {
			rows = 2
		}
		args.groups, args.cursor = groups, 0
		dotRows(&args, rows)
		if done += rows; done < t.rows {
			args.a = unsafe.Add(args.a, rows*args.rowA)
			args.c = unsafe.Add(args.c, rows*args.rowC)
			if args.biasM != nil {
				args.biasM = unsafe.Add(args.biasM, 4*rows)
			}
		}
	}
}

func dotRows(args *dotArgs, rows int) {
	p := (*byte)(unsafe.Pointer(args))
	wide := simd == levelAVX512
	switch {
	case rows == 4:
		dot512_4x4(p)
	case rows == 2 && wide:
		dot512_2x4(p)
	case rows == 1 && wide:
		dot512_1x4(p)
	case rows == 2:
		dot256_2x4(p)
	default:
		dot256_1x4(p)
	}
}
