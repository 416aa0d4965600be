package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// copies writes the functions that rearrange operands. Most use AVX2 on every
// machine: their speed is that of the caches.
func copies() {
	transpose8()
	copyRows()
	gatherRuns(avx2)
	gatherMasked()
}

// transpose8 transposes 8 rows, 8 columns at a time.
func transpose8() {
	TEXT("transpose8", 4, "func(dst *float32, rowDst int, src *float32, rowSrc int, blocks int)")
	Pragma("noescape")
	Doc("transpose8 writes 8 rows of src as columns of dst, blocks of 8 at a time; distances are in bytes.")
	dst, rowDst := Load(Param("dst"), GP64()), Load(Param("rowDst"), GP64()).(reg.GPVirtual)
	src, rowSrc := Load(Param("src"), GP64()), Load(Param("rowSrc"), GP64()).(reg.GPVirtual)
	n := Load(Param("blocks"), GP64())
	in, out := rowStrides(rowSrc, 8), rowStrides(rowDst, 8)
	row, t := make([]reg.VecVirtual, 8), make([]reg.VecVirtual, 8)
	for i := range row {
		row[i], t[i] = YMM(), YMM()
	}
	Label("block")
	for i := range 4 { // rows i and i+4 share a register, so that no lane crosses later
		for h := range 2 {
			m := rowOf(src, in, i)
			m.Disp = 16 * h
			VMOVUPS(m, row[4*h+i].AsX())
			m = rowOf(src, in, i+4)
			m.Disp = 16 * h
			VINSERTF128(U8(1), m, row[4*h+i], row[4*h+i])
		}
	}
	for h := range 2 {
		r := row[4*h:]
		VUNPCKLPS(r[1], r[0], t[0])
		VUNPCKHPS(r[1], r[0], t[1])
		VUNPCKLPS(r[3], r[2], t[2])
		VUNPCKHPS(r[3], r[2], t[3])
		VUNPCKLPD(t[2], t[0], t[4])
		VUNPCKHPD(t[2], t[0], t[5])
		VUNPCKLPD(t[3], t[1], t[6])
		VUNPCKHPD(t[3], t[1], t[7])
		for i := range 4 {
			VMOVUPS(t[4+i], rowOf(dst, out, 4*h+i))
		}
	}
	ADDQ(I32(32), src)
	LEAQ(Mem{Base: dst, Index: rowDst, Scale: 8}, dst)
	DECQ(n)
	JNE(LabelRef("block"))
	VZEROUPPER()
	RET()
}

// copyRows copies a block between two matrices.
func copyRows() {
	TEXT("copyBlock", 4, "func(dst *float32, rowDst int, src *float32, rowSrc int, rows int, cols int)")
	Pragma("noescape")
	Doc("copyBlock copies rows of cols elements; distances between rows are in bytes.")
	dst, rowDst := Load(Param("dst"), GP64()), Load(Param("rowDst"), GP64())
	src, rowSrc := Load(Param("src"), GP64()), Load(Param("rowSrc"), GP64())
	rows, cols := Load(Param("rows"), GP64()), Load(Param("cols"), GP64()).(reg.GPVirtual)
	rest := GP64()
	MOVQ(cols, rest)
	DECQ(rest)
	ANDQ(I8(7), rest)
	INCQ(rest)
	last := avx2.firstLanes(rest)
	v, w := YMM(), YMM()
	d, s, n := GP64(), GP64(), GP64()
	Label("row")
	MOVQ(dst, d)
	MOVQ(src, s)
	MOVQ(cols, n)
	SUBQ(I8(16), n)
	JLE(LabelRef("one"))
	Label("two")
	VMOVUPS(at(s, 0), v)
	VMOVUPS(at(s, 32), w)
	VMOVUPS(v, at(d, 0))
	VMOVUPS(w, at(d, 32))
	ADDQ(I32(64), s)
	ADDQ(I32(64), d)
	SUBQ(I8(16), n)
	JG(LabelRef("two"))
	Label("one")
	ADDQ(I8(8), n)
	JLE(LabelRef("tail"))
	VMOVUPS(at(s, 0), v)
	VMOVUPS(v, at(d, 0))
	ADDQ(I32(32), s)
	ADDQ(I32(32), d)
	Label("tail")
	last.load(at(s, 0), v)
	last.store(v, at(d, 0))
	ADDQ(rowDst, dst)
	ADDQ(rowSrc, src)
	DECQ(rows)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// gatherRuns packs a panel of image patches: for each offset, a list of vector
// copies.
func gatherRuns(s isa) {
	TEXT("gatherRuns"+s.name, 4, "func(dst *float32, rowDst int, src *float32, off *int, k int, runs *int, n int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("gatherRuns%s copies, for each of k offsets (in elements) into src, n runs of up to %d elements, given", s.name, s.lanes),
		"in order as positions in src and in the row of dst and a mask of elements, which is not looked at: a",
		"later run overwrites the excess of an earlier one. rowDst is in bytes.")
	dst, rowDst := Load(Param("dst"), GP64()), Load(Param("rowDst"), GP64())
	src, off := Load(Param("src"), GP64()), Load(Param("off"), GP64())
	k, runs, n := Load(Param("k"), GP64()), Load(Param("runs"), GP64()), Load(Param("n"), GP64())
	base, r, c, from, to := GP64(), GP64(), GP64(), GP64(), GP64()
	v := s.vec()
	Label("offset" + s.name)
	MOVQ(at(off, 0), base)
	LEAQ(Mem{Base: src, Index: base, Scale: 4}, base)
	MOVQ(runs, r)
	MOVQ(n, c)
	Label("run" + s.name)
	MOVQ(at(r, 0), from)
	MOVQ(at(r, 8), to)
	VMOVUPS(Mem{Base: base, Index: from, Scale: 4}, v)
	VMOVUPS(v, Mem{Base: dst, Index: to, Scale: 4})
	ADDQ(I32(24), r)
	DECQ(c)
	JNE(LabelRef("run" + s.name))
	ADDQ(rowDst, dst)
	ADDQ(I32(8), off)
	DECQ(k)
	JNE(LabelRef("offset" + s.name))
	VZEROUPPER()
	RET()
}

// gatherMasked is gatherRuns with AVX-512: for each vector copy, a list of
// offsets.
func gatherMasked() {
	TEXT("gatherRuns512", 4, "func(dst *float32, rowDst int, src *float32, off *int, k int, runs *int, n int)")
	Pragma("noescape")
	Doc("gatherRuns512 copies, for each of k offsets (in elements) into src, n runs of up to 16 elements, given",
		"as positions in src and in the row of dst and a mask of elements. rowDst is in bytes.")
	dst, rowDst := Load(Param("dst"), GP64()), Load(Param("rowDst"), GP64())
	src, off := Load(Param("src"), GP64()), Load(Param("off"), GP64())
	k, r, n := Load(Param("k"), GP64()), Load(Param("runs"), GP64()), Load(Param("n"), GP64())
	from, to, o, left, m, v := GP64(), GP64(), GP64(), GP64(), K(), ZMM()
	LEAQ(Mem{Base: off, Index: k, Scale: 8}, off)
	NEGQ(k)
	Label("run512")
	MOVQ(at(r, 0), from)
	LEAQ(Mem{Base: src, Index: from, Scale: 4}, from)
	MOVQ(at(r, 8), to)
	LEAQ(Mem{Base: dst, Index: to, Scale: 4}, to)
	KMOVW(at(r, 16), m)
	MOVQ(k, left)
	Label("offset512")
	MOVQ(Mem{Base: off, Index: left, Scale: 8}, o)
	VMOVUPS_Z(Mem{Base: from, Index: o, Scale: 4}, m, v)
	VMOVUPS(v, m, at(to, 0))
	ADDQ(rowDst, to)
	INCQ(left)
	JNE(LabelRef("offset512"))
	ADDQ(I32(24), r)
	DECQ(n)
	JNE(LabelRef("run512"))
	VZEROUPPER()
	RET()
}
