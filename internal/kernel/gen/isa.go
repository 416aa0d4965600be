package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is a vector instruction set: how wide its registers are, and how to load
// and store the first few lanes of one.
type isa struct {
	name  string
	lanes int // float32 in a register
	rows  int // rows of a matrix tile
	// rows and columns of a tile of dot products
	dotRows int
}

var (
	avx2   = isa{name: "256", lanes: 8, rows: 4, dotRows: 2}
	avx512 = isa{name: "512", lanes: 16, rows: 8, dotRows: 4}
)

func (s isa) wide() bool { return s.lanes == 16 }

func (s isa) vec() reg.VecVirtual {
	if s.wide() {
		return ZMM()
	}
	return YMM()
}

func (s isa) zero(v reg.VecVirtual) {
	if s.wide() {
		VPXORD(v, v, v)
		return
	}
	VXORPS(v, v, v)
}

func (s isa) vecs(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = s.vec()
	}
	return v
}

// zeros returns rows of registers set to zero.
func (s isa) zeros(rows, cols int) [][]reg.VecVirtual {
	acc := make([][]reg.VecVirtual, rows)
	for r := range acc {
		acc[r] = s.vecs(cols)
		for _, v := range acc[r] {
			s.zero(v)
		}
	}
	return acc
}

// mask selects the first lanes of a register.
type mask struct {
	s isa
	k reg.Register   // AVX-512
	v reg.VecVirtual // AVX2: sign bits
}

// firstLanes makes a mask of count lanes, 1 to lanes. It clobbers count.
func (s isa) firstLanes(count reg.GPVirtual) mask {
	m := mask{s: s}
	if s.wide() {
		one := GP64()
		MOVQ(I32(-1), one)
		BZHIQ(count, one, one)
		k := K()
		KMOVW(one.As32(), k)
		m.k = k
		return m
	}
	table := GP64()
	LEAQ(maskTable(), table)
	NEGQ(count)
	m.v = YMM()
	VMOVUPS(Mem{Base: table, Index: count, Scale: 4, Disp: 32}, m.v)
	return m
}

// load reads the masked lanes and zeros the others. dst may be narrower than
// the mask.
func (m mask) load(src Mem, dst reg.Register) {
	if m.s.wide() {
		VMOVUPS_Z(src, m.k, dst)
		return
	}
	VMASKMOVPS(src, m.like(dst), dst)
}

// store writes the masked lanes.
func (m mask) store(src reg.Register, dst Mem) {
	if m.s.wide() {
		VMOVUPS(src, m.k, dst)
		return
	}
	VMASKMOVPS(src, m.like(src), dst)
}

// like is the AVX2 mask in the width of r.
func (m mask) like(r reg.Register) reg.Register {
	if r.Size() == 16 {
		return m.v.AsX()
	}
	return m.v
}

var table Mem

// maskTable is eight words of ones and eight of zeros.
func maskTable() Mem {
	if table.Symbol.Name == "" {
		table = GLOBL("laneMask", 8|16) // RODATA|NOPTR
		for i := range 16 {
			word := U32(0)
			if i < 8 {
				word = 0xffffffff
			}
			DATA(4*i, word)
		}
	}
	return table
}

// at is the operand disp bytes after a pointer.
func at(base reg.Register, disp int) Mem { return Mem{Base: base, Disp: disp} }

// field loads a word of an argument block.
func field(args reg.Register, offset int) reg.GPVirtual {
	r := GP64()
	MOVQ(at(args, offset), r)
	return r
}
