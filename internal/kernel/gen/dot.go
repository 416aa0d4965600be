package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dots writes the dot product kernels of one instruction set: C tiles of 4, 2
// and 1 rows (AVX2: 2, 1) by groups of 4 columns.
func dots(s isa) {
	for rows := s.dotRows; rows > 0; rows /= 2 {
		dot(s, rows)
	}
}

// dot writes one kernel: rows of A against rows of B, both contiguous.
func dot(s isa, rows int) {
	id := fmt.Sprintf("%s_%dx4", s.name, rows)
	TEXT("dot"+id, 4, "func(args *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("dot%s computes %d rows of C, products of rows of A and rows of B; args is a *dotArgs.", id, rows))
	args := Load(Param("args"), GP64())
	rest := field(args, dotLen)
	DECQ(rest)
	ANDQ(I8(int8(s.lanes-1)), rest)
	INCQ(rest)
	last := s.firstLanes(rest)
	strides := rowStrides(field(args, dotRowA), rows)
	off := field(args, dotOff)

	Label("group" + id)
	acc := s.zeros(rows, 4)
	a, base := field(args, dotA), field(args, dotB)
	left, right := s.vecs(rows), s.vec()
	b, n := make([]reg.GPVirtual, 4), field(args, dotLen)
	for j := range b {
		b[j] = GP64()
		MOVQ(at(off, 8*j), b[j])
		LEAQ(Mem{Base: base, Index: b[j], Scale: 4}, b[j])
	}
	SUBQ(I8(int8(s.lanes)), n)
	JLE(LabelRef("tail" + id))
	Label("loop" + id)
	products(func(m Mem, v reg.Register) { VMOVUPS(m, v) }, acc, left, right, a, strides, b)
	ADDQ(I32(4*s.lanes), a)
	for j := range b {
		ADDQ(I32(4*s.lanes), b[j])
	}
	SUBQ(I8(int8(s.lanes)), n)
	JG(LabelRef("loop" + id))
	Label("tail" + id)
	products(last.load, acc, left, right, a, strides, b)

	dotEpilogue(s, args, acc, left[0], right, id)
	ADDQ(I32(32), off)
	ADDQ(I32(16), at(args, dotCursor))
	DECQ(at(args, dotGroups))
	JNE(LabelRef("group" + id))
	VZEROUPPER()
	RET()
}

// products adds one vector of each pair of rows to acc.
func products(load func(Mem, reg.Register), acc [][]reg.VecVirtual, left []reg.VecVirtual, right reg.VecVirtual,
	a reg.Register, strides map[int]reg.GPVirtual, b []reg.GPVirtual) {
	for r := range left {
		load(rowOf(a, strides, r), left[r])
	}
	for j := range b {
		load(at(b[j], 0), right)
		for r := range left {
			VFMADD231PS(right, left[r], acc[r][j])
		}
	}
}

// dotEpilogue sums the lanes, adds C and biases, applies ReLU and stores up to
// 4 columns of each row.
func dotEpilogue(s isa, args reg.Register, acc [][]reg.VecVirtual, t, u reg.VecVirtual, id string) {
	keep := dotColumns(s, args)
	c, rowC := field(args, dotC), field(args, dotRowC)
	ADDQ(at(args, dotCursor), c)
	for r := range acc {
		sum := fourSums(s, acc[r], t, u)
		rid := fmt.Sprintf("%s_%d", id, r)
		unless(args, dotAdd, "noadd"+rid, func() {
			keep.load(at(c, 0), u.AsX())
			VADDPS(u.AsX(), sum, sum)
		})
		unless(args, dotBiasM, "nobiasm"+rid, func() {
			p := field(args, dotBiasM)
			VBROADCASTSS(at(p, 4*r), u.AsX())
			VADDPS(u.AsX(), sum, sum)
		})
		unless(args, dotBiasN, "nobiasn"+rid, func() {
			p := field(args, dotBiasN)
			ADDQ(at(args, dotCursor), p)
			keep.load(at(p, 0), u.AsX())
			VADDPS(u.AsX(), sum, sum)
		})
		unless(args, dotReLU, "norelu"+rid, func() {
			s.zero(u)
			VMAXPS(sum, u.AsX(), sum)
		})
		keep.store(sum, at(c, 0))
		ADDQ(rowC, c)
	}
}

// dotColumns masks all 4 columns, or in the last group the valid ones.
func dotColumns(s isa, args reg.Register) mask {
	count, four := field(args, dotTail), GP64()
	MOVQ(U64(4), four)
	CMPQ(at(args, dotGroups), I8(1))
	CMOVQNE(four, count)
	return s.firstLanes(count)
}

// fourSums returns the sums over the lanes of four registers, in order.
func fourSums(s isa, v []reg.VecVirtual, t, u reg.VecVirtual) reg.Register {
	VUNPCKLPS(v[1], v[0], t) // a0 b0 a1 b1
	VUNPCKHPS(v[1], v[0], u) // a2 b2 a3 b3
	VADDPS(u, t, v[0])       // a02 b02 a13 b13
	VUNPCKLPS(v[3], v[2], t)
	VUNPCKHPS(v[3], v[2], u)
	VADDPS(u, t, v[2])
	VUNPCKLPD(v[2], v[0], t) // a02 b02 c02 d02
	VUNPCKHPD(v[2], v[0], u)
	VADDPS(u, t, v[0])
	if s.wide() {
		VEXTRACTF64X4(U8(1), v[0], t.AsY())
		VADDPS(t.AsY(), v[0].AsY(), v[0].AsY())
		VEXTRACTF32X4(U8(1), v[0].AsY(), t.AsX())
	} else {
		VEXTRACTF128(U8(1), v[0].AsY(), t.AsX())
	}
	VADDPS(t.AsX(), v[0].AsX(), v[0].AsX())
	return v[0].AsX()
}
