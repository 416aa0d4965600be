package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// poolWidth is the number of outputs of a step with AVX-512.
const poolWidth = 16

// pairs are the registers that split 32 elements by parity, or join them.
type pairs struct{ even, odd reg.VecVirtual }

var sequences = map[string]Mem{}

// sequence is a register of 16 words in memory.
func sequence(name string, word func(i int) int) reg.VecVirtual {
	m, ok := sequences[name]
	if !ok {
		m = GLOBL(name, 8|16) // RODATA|NOPTR
		for i := range poolWidth {
			DATA(4*i, U32(word(i)))
		}
		sequences[name] = m
	}
	v := ZMM()
	VMOVUPS(m, v)
	return v
}

func splitting() pairs {
	return pairs{
		sequence("poolEven", func(i int) int { return 2 * i }),
		sequence("poolOdd", func(i int) int { return 2*i + 1 }),
	}
}

// poolLanes selects the outputs of one step, and its inputs as two registers. n
// is the number of outputs, 1 to poolWidth.
func poolLanes(n reg.GPVirtual) (out, low, high mask) {
	lanes, in := GP64(), GP64()
	select16 := func() mask {
		k := K()
		KMOVW(lanes.As32(), k)
		return mask{s: avx512, k: k}
	}
	MOVQ(I32(-1), lanes)
	BZHIQ(n, lanes, lanes)
	out = select16()
	LEAQ(Mem{Base: n, Index: n, Scale: 1}, in)
	MOVQ(I32(-1), lanes)
	BZHIQ(in, lanes, lanes)
	low = select16()
	SHRQ(U8(poolWidth), lanes)
	return out, low, select16()
}

// poolPlane walks over the output rows of a plane of rows of width elements, by
// steps of up to poolWidth outputs. step gets where the step's windows begin in
// the plane, and its position and masks; next moves on to the next output row.
func poolPlane(id string, width reg.Register, step func(row, j reg.GPVirtual, out, low, high mask), next func(j reg.GPVirtual)) {
	row, j, left, n := GP64(), GP64(), GP64(), GP64()
	rows := GP64()
	MOVQ(NewParamAddr("outH", 32), rows)
	XORQ(row, row)
	Label(id + "Row")
	XORQ(j, j)
	MOVQ(NewParamAddr("outW", 40), left)
	Label(id + "Step")
	MOVQ(U64(poolWidth), n)
	CMPQ(left, n)
	CMOVQLT(left, n)
	out, low, high := poolLanes(n)
	at0 := GP64()
	LEAQ(Mem{Base: row, Index: j, Scale: 2}, at0)
	step(at0, j, out, low, high)
	ADDQ(n, j)
	SUBQ(n, left)
	JNE(LabelRef(id + "Step"))
	LEAQ(Mem{Base: row, Index: width, Scale: 2}, row)
	next(j)
	DECQ(rows)
	JNE(LabelRef(id + "Row"))
	VZEROUPPER()
	RET()
}

// maxPool512 is maxPool2 with AVX-512.
func maxPool512() {
	TEXT("maxPool512", 4, "func(y *float32, argmax *int32, x *float32, width int, outH int, outW int, relu int)")
	Pragma("noescape")
	Doc("maxPool512 does what maxPool2 does.")
	y, am := Load(Param("y"), GP64()), Load(Param("argmax"), GP64())
	x, width := Load(Param("x"), GP64()), Load(Param("width"), GP64())
	split, one, wide := splitting(), ZMM(), ZMM()
	VPBROADCASTD(word(1), one)
	VPBROADCASTD(width.(reg.GPVirtual).As32(), wide)
	poolPlane("wide", width, func(at0, j reg.GPVirtual, out, low, high mask) {
		at1 := GP64()
		LEAQ(Mem{Base: at0, Index: width, Scale: 1}, at1)
		best, b := split.load(x, at0, low, high)
		c, d := split.load(x, at1, low, high)
		where, index := ZMM(), ZMM()
		VPBROADCASTD(at0.As32(), where)
		VPADDD(split.even, where, where)
		VPADDD(one, where, index)
		pick := func(v reg.VecVirtual) {
			real, take := K(), K()
			VCMPPS(ordered, best, best, real)
			VCMPPS(notLessEqual, best, v, real, take)
			VMOVAPS(v, take, best)
			VMOVDQA32(index, take, where)
		}
		first := ZMM()
		VPADDD(wide, where, first)
		pick(b)
		VMOVDQA32(first, index)
		pick(c)
		VPADDD(one, first, index)
		pick(d)
		CMPQ(NewParamAddr("relu", 48), I8(0))
		JEQ(LabelRef("wideStore"))
		zero, clip := ZMM(), K()
		VPXORD(zero, zero, zero)
		VCMPPS(lessEqual, zero, best, clip)
		VMOVAPS(zero, clip, best)
		VPSUBD(one, zero, zero)
		VMOVDQA32(zero, clip, where)
		Label("wideStore")
		out.store(best, Mem{Base: y, Index: j, Scale: 4})
		TESTQ(am, am)
		JEQ(LabelRef("wideNext"))
		out.store(where, Mem{Base: am, Index: j, Scale: 4})
		Label("wideNext")
	}, func(j reg.GPVirtual) {
		LEAQ(Mem{Base: y, Index: j, Scale: 4}, y)
		TESTQ(am, am)
		JEQ(LabelRef("wideRowEnd"))
		LEAQ(Mem{Base: am, Index: j, Scale: 4}, am)
		Label("wideRowEnd")
	})
}

// load reads up to 32 elements and splits them by parity.
func (p pairs) load(x, at reg.Register, low, high mask) (even, odd reg.VecVirtual) {
	w := ZMM()
	even, odd = ZMM(), ZMM()
	low.load(Mem{Base: x, Index: at, Scale: 4}, even)
	high.load(Mem{Base: x, Index: at, Scale: 4, Disp: 64}, w)
	VMOVAPS(even, odd)
	VPERMT2PS(w, p.even, even)
	VPERMT2PS(w, p.odd, odd)
	return even, odd
}

// maxPool512Backward is maxPool2Backward with AVX-512.
func maxPool512Backward() {
	TEXT("maxPool512Backward", 4, "func(dx *float32, argmax *int32, dy *float32, width int, outH int, outW int)")
	Pragma("noescape")
	Doc("maxPool512Backward does what maxPool2Backward does.")
	dx, am := Load(Param("dx"), GP64()), Load(Param("argmax"), GP64())
	dy, width := Load(Param("dy"), GP64()), Load(Param("width"), GP64())
	steps := sequence("poolEven", func(i int) int { return 2 * i })
	first := sequence("poolJoinLow", func(i int) int { return i/2 + i%2*poolWidth })
	second := sequence("poolJoinHigh", func(i int) int { return poolWidth/2 + i/2 + i%2*poolWidth })
	one, wide := ZMM(), ZMM()
	VPBROADCASTD(word(1), one)
	VPBROADCASTD(width.(reg.GPVirtual).As32(), wide)
	poolPlane("wideBack", width, func(at0, j reg.GPVirtual, out, low, high mask) {
		d, where, index := ZMM(), ZMM(), ZMM()
		out.load(Mem{Base: dy, Index: j, Scale: 4}, d)
		out.load(Mem{Base: am, Index: j, Scale: 4}, where)
		VPBROADCASTD(at0.As32(), index)
		VPADDD(steps, index, index)
		for r := range 2 {
			even, odd, joined, next, k := ZMM(), ZMM(), ZMM(), ZMM(), K()
			VPCMPEQD(index, where, k)
			VMOVUPS_Z(d, k, even)
			VPADDD(one, index, next)
			VPCMPEQD(next, where, k)
			VMOVUPS_Z(d, k, odd)
			VMOVAPS(even, joined)
			VPERMT2PS(odd, first, joined)
			VPERMT2PS(odd, second, even)
			low.store(joined, Mem{Base: dx, Index: at0, Scale: 4})
			high.store(even, Mem{Base: dx, Index: at0, Scale: 4, Disp: 64})
			if r == 0 {
				VPADDD(wide, index, index)
				ADDQ(width, at0)
			}
		}
	}, func(j reg.GPVirtual) {
		LEAQ(Mem{Base: dy, Index: j, Scale: 4}, dy)
		LEAQ(Mem{Base: am, Index: j, Scale: 4}, am)
	})
}
