package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tiles writes the matrix product kernels of one instruction set: C tiles of
// 8, 4, 2 and 1 rows (AVX2: 4, 2, 1) by 1, 2 and 3 vectors, and with AVX-512
// of 16 rows by 1 vector, which 8 rows would not keep busy.
func tiles(s isa) {
	for rows := s.rows; rows > 0; rows /= 2 {
		for vecs := 1; vecs <= 3; vecs++ {
			tile(s, rows, vecs)
		}
	}
	if s.wide() {
		tile(s, 2*s.rows, 1)
	}
}

// tile writes one kernel. It walks down groups of rows of A with the same
// columns of B, and keeps a whole tile of C in registers.
func tile(s isa, rows, vecs int) {
	shape := fmt.Sprintf("%s_%dx%d", s.name, rows, vecs)
	TEXT("tile"+shape, 4, "func(args *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("tile%s computes rows of C in groups of %d by up to %d columns; args is a *tileArgs.", shape, rows, vecs*s.lanes))
	args := Load(Param("args"), GP64())
	last := s.firstLanes(field(args, tileTail))
	strides := rowStrides(field(args, tileRowA), min(rows, 8))
	colA, rowB := field(args, tileColA), field(args, tileRowB)
	aPanel, cPanel := field(args, tileA), field(args, tileC)

	panel, loop, done := "panel"+shape, "loop"+shape, "done"+shape
	Label(panel)
	a, b, k := GP64(), field(args, tileB), field(args, tileK)
	MOVQ(aPanel, a)
	half, ahead := a, GP64() // rows from 8 on, and lines of the next group
	if rows > 8 {
		half = GP64()
		LEAQ(Mem{Base: a, Index: strides[1], Scale: 8}, half)
		MOVQ(a, ahead)
		ADDQ(at(args, tileStepA), ahead)
	}
	acc := s.zeros(rows, vecs)
	if s.wide() && rows <= 8 {
		fetchNextC(s, args, cPanel, k, rows, vecs)
	}
	TESTQ(k, k)
	JLE(LabelRef(done))
	right, left := s.vecs(vecs), s.vec()

	Label(loop)
	for v := range vecs - 1 {
		VMOVUPS(at(b, 4*s.lanes*v), right[v])
	}
	last.load(at(b, 4*s.lanes*(vecs-1)), right[vecs-1])
	if rows > 8 { // 16 rows that touch are k lines
		PREFETCHT0(at(ahead, 0))
		ADDQ(I8(64), ahead)
	}
	for r := range rows {
		VBROADCASTSS(rowOf([]reg.GPVirtual{a, half}[r/8], strides, r%8), left)
		for v, b := range right {
			VFMADD231PS(b, left, acc[r][v])
		}
	}
	ADDQ(colA, a)
	if rows > 8 {
		ADDQ(colA, half)
	}
	ADDQ(rowB, b)
	DECQ(k)
	JNE(LabelRef(loop))

	Label(done)
	tileEpilogue(s, args, acc, right, cPanel, last)
	tileNext(args, aPanel, cPanel, rows, panel)
	VZEROUPPER()
	RET()
}

// shortSum is the number of products in a sum up to which the lines of C, rather
// than arithmetic, are what a tile waits for.
const shortSum = 32

// fetchNextC asks for the lines that the next group of rows will store to, if
// there is too little arithmetic to wait for them later. In longer sums they
// would only push out lines of A and B.
func fetchNextC(s isa, args reg.Register, cPanel, k reg.GPVirtual, rows, vecs int) {
	long := fmt.Sprintf("long%s_%dx%d", s.name, rows, vecs)
	CMPQ(k, I8(shortSum))
	JG(LabelRef(long))
	c, step := GP64(), field(args, tileRowC)
	MOVQ(step, c)
	for n := rows; n > 1; n /= 2 {
		ADDQ(c, c)
	}
	ADDQ(cPanel, c)
	for range rows {
		for v := range vecs {
			PREFETCHT0(at(c, 4*s.lanes*v))
		}
		ADDQ(step, c)
	}
	Label(long)
}

// rowStrides holds 1, 3, 5 and 7 times the row stride: with the scales of x86
// addressing they reach 8 rows from one pointer.
func rowStrides(one reg.GPVirtual, rows int) map[int]reg.GPVirtual {
	m := map[int]reg.GPVirtual{1: one}
	for odd := 3; odd < rows; odd += 2 {
		m[odd] = GP64()
		LEAQ(Mem{Base: m[odd-2], Index: one, Scale: 2}, m[odd])
	}
	return m
}

func rowOf(base reg.Register, strides map[int]reg.GPVirtual, r int) Mem {
	scale := 1
	for r != 0 && r%2 == 0 {
		r, scale = r/2, scale*2
	}
	if r == 0 {
		return at(base, 0)
	}
	return Mem{Base: base, Index: strides[r], Scale: uint8(scale)}
}

// tileEpilogue adds C and biases, applies ReLU and stores.
func tileEpilogue(s isa, args reg.Register, acc [][]reg.VecVirtual, tmp []reg.VecVirtual, cPanel reg.GPVirtual, last mask) {
	id := fmt.Sprintf("%s_%dx%d", s.name, len(acc), len(tmp))
	vecs := len(tmp)
	rowC, c := field(args, tileRowC), GP64()
	each := func(fn func(r, v int, m Mem)) {
		MOVQ(cPanel, c)
		for r := range acc {
			for v := range vecs {
				fn(r, v, at(c, 4*s.lanes*v))
			}
			if r < len(acc)-1 {
				ADDQ(rowC, c)
			}
		}
	}
	unless(args, tileAdd, "noadd"+id, func() {
		each(func(r, v int, m Mem) {
			if v == vecs-1 {
				last.load(m, tmp[v])
				VADDPS(tmp[v], acc[r][v], acc[r][v])
				return
			}
			VADDPS(m, acc[r][v], acc[r][v])
		})
	})
	unless(args, tileBiasM, "nobiasm"+id, func() {
		p := field(args, tileBiasM)
		ADDQ(at(args, tileCursor), p)
		for r := range acc {
			VBROADCASTSS(at(p, 4*r), tmp[0])
			for v := range vecs {
				VADDPS(tmp[0], acc[r][v], acc[r][v])
			}
		}
		ADDQ(I32(4*len(acc)), at(args, tileCursor))
	})
	unless(args, tileBiasN, "nobiasn"+id, func() {
		p := field(args, tileBiasN)
		for v := range vecs {
			if v == vecs-1 {
				last.load(at(p, 4*s.lanes*v), tmp[v])
			} else {
				VMOVUPS(at(p, 4*s.lanes*v), tmp[v])
			}
			for r := range acc {
				VADDPS(tmp[v], acc[r][v], acc[r][v])
			}
		}
	})
	unless(args, tileReLU, "norelu"+id, func() {
		s.zero(tmp[0])
		for r := range acc {
			for v := range vecs {
				VMAXPS(acc[r][v], tmp[0], acc[r][v]) // a NaN comes from the second source
			}
		}
	})
	each(func(r, v int, m Mem) {
		if v == vecs-1 {
			last.store(acc[r][v], m)
			return
		}
		VMOVUPS(acc[r][v], m)
	})
}

// unless skips body if the word at offset is 0.
func unless(args reg.Register, offset int, label string, body func()) {
	CMPQ(at(args, offset), I8(0))
	JEQ(LabelRef(label))
	body()
	Label(label)
}

// tileNext moves to the next group of rows, or falls through.
func tileNext(args reg.Register, aPanel, cPanel reg.GPVirtual, rows int, panel string) {
	ADDQ(at(args, tileStepA), aPanel)
	step := field(args, tileRowC)
	for n := rows; n > 1; n /= 2 {
		ADDQ(step, step)
	}
	ADDQ(step, cPanel)
	DECQ(at(args, tilePanels))
	JNE(LabelRef(panel))
}
