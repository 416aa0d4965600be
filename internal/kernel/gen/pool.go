package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pools writes max-pooling with windows of 2x2 that do not overlap.
func pools() {
	maxPool2()
	maxPool2Backward()
	maxPool512()
	maxPool512Backward()
}

// poolMasks selects the elements of one step of n outputs: the n outputs, and
// the 2n inputs as two registers. n is clobbered.
func poolMasks(n reg.GPVirtual) (out, low, high mask) {
	in, eight, zero := GP64(), GP64(), GP64()
	MOVQ(U64(8), eight)
	XORQ(zero, zero)
	LEAQ(Mem{Base: n, Index: n, Scale: 1}, in)
	rest := GP64()
	MOVQ(in, rest)
	SUBQ(eight, rest)
	CMOVQLT(zero, rest)
	CMPQ(in, eight)
	CMOVQGT(eight, in)
	return avx2.firstLanes(n), avx2.firstLanes(in), avx2.firstLanes(rest)
}

func maxPool2() {
	TEXT("maxPool2", 4, "func(y *float32, argmax *int32, x *float32, width int, outH int, outW int, relu int)")
	Pragma("noescape")
	Doc("maxPool2 pools one plane with rows of width elements (outH*2 rows or more, outW*2 columns or more)",
		"in windows of 2x2, writes positions unless argmax is nil, and applies ReLU if relu is not 0.")
	y, am := Load(Param("y"), GP64()), Load(Param("argmax"), GP64())
	x, width := Load(Param("x"), GP64()), Load(Param("width"), GP64())
	rows, n := Load(Param("outH"), GP64()), GP64()
	row, count := GP64(), GP64()
	XORQ(row, row) // position of the first element of the row pair
	j, left := GP64(), GP64()

	Label("poolRow")
	XORQ(j, j)
	MOVQ(NewParamAddr("outW", 40), left)
	Label("poolStep")
	MOVQ(U64(8), n)
	CMPQ(left, n)
	CMOVQLT(left, n)
	MOVQ(n, count)
	out, low, high := poolMasks(n)
	at0 := GP64()
	LEAQ(Mem{Base: row, Index: j, Scale: 2}, at0)
	at1 := GP64()
	MOVQ(at0, at1)
	ADDQ(width, at1)
	a, b := evenOdd(x, at0, low, high)
	c, d := evenOdd(x, at1, low, high)
	index := YMM()
	base := GP64()
	MOVQ(at0, base)
	VMOVD(base.As32(), index.AsX())
	VPBROADCASTD(index.AsX(), index)
	VPADDD(stepTable(), index, index)
	best, where := a, index
	pick := func(v vec, shift Op) {
		other := YMM()
		VPADDD(shift, index, other)
		take, real := compare(notLessEqual, v, best), compare(ordered, best, best)
		VANDPS(real, take, take)
		nb, nw := YMM(), YMM()
		VBLENDVPS(take, v, best, nb)
		VBLENDVPS(take, other, where, nw)
		best, where = nb, nw
	}
	pick(b, word(1))
	wide := YMM()
	VMOVD(width.(reg.GPVirtual).As32(), wide.AsX())
	VPBROADCASTD(wide.AsX(), wide)
	pick(c, wide)
	VPADDD(word(1), wide, wide)
	pick(d, wide)
	VPERMPD(U8(0xd8), best, best)
	VPERMPD(U8(0xd8), where, where)
	relu := GP64()
	MOVQ(NewParamAddr("relu", 48), relu)
	TESTQ(relu, relu)
	JEQ(LabelRef("poolStore"))
	clip := compare(lessEqual, best, num(0))
	VANDNPS(best, clip, best)
	VORPS(clip, where, where)
	Label("poolStore")
	out.store(best, Mem{Base: y, Index: j, Scale: 4})
	TESTQ(am, am)
	JEQ(LabelRef("poolNext"))
	out.store(where, Mem{Base: am, Index: j, Scale: 4})
	Label("poolNext")
	ADDQ(count, j)
	SUBQ(count, left)
	JNE(LabelRef("poolStep"))
	LEAQ(Mem{Base: row, Index: width, Scale: 2}, row)
	LEAQ(Mem{Base: y, Index: j, Scale: 4}, y)
	TESTQ(am, am)
	JEQ(LabelRef("poolRowEnd"))
	LEAQ(Mem{Base: am, Index: j, Scale: 4}, am)
	Label("poolRowEnd")
	DECQ(rows)
	JNE(LabelRef("poolRow"))
	VZEROUPPER()
	RET()
}

var steps Mem

// stepTable is the distance of each lane's window from the first, in the lane
// order that evenOdd leaves.
func stepTable() Mem {
	if steps.Symbol.Name == "" {
		steps = GLOBL("poolSteps", 8|16) // RODATA|NOPTR
		for i, v := range []uint32{0, 2, 8, 10, 4, 6, 12, 14} {
			DATA(4*i, U32(v))
		}
	}
	return steps
}

// evenOdd loads up to 16 elements and splits them by parity, in the lane order
// 0 1 4 5 2 3 6 7, which VPERMPD undoes.
func evenOdd(x, at reg.Register, low, high mask) (even, odd vec) {
	v, w := YMM(), YMM()
	low.load(Mem{Base: x, Index: at, Scale: 4}, v)
	high.load(Mem{Base: x, Index: at, Scale: 4, Disp: 32}, w)
	even, odd = YMM(), YMM()
	VSHUFPS(U8(0x88), w, v, even)
	VSHUFPS(U8(0xdd), w, v, odd)
	return even, odd
}

func maxPool2Backward() {
	TEXT("maxPool2Backward", 4, "func(dx *float32, argmax *int32, dy *float32, width int, outH int, outW int)")
	Pragma("noescape")
	Doc("maxPool2Backward sets the 2x2 windows of one plane with rows of width elements to dy where argmax",
		"says, else 0.")
	dx, am := Load(Param("dx"), GP64()), Load(Param("argmax"), GP64())
	dy, width := Load(Param("dy"), GP64()), Load(Param("width"), GP64())
	rows, n := Load(Param("outH"), GP64()), GP64()
	row, count := GP64(), GP64()
	XORQ(row, row)
	j, left := GP64(), GP64()
	wide := YMM()
	VMOVD(width.(reg.GPVirtual).As32(), wide.AsX())
	VPBROADCASTD(wide.AsX(), wide)

	Label("backRow")
	XORQ(j, j)
	MOVQ(NewParamAddr("outW", 40), left)
	Label("backStep")
	MOVQ(U64(8), n)
	CMPQ(left, n)
	CMOVQLT(left, n)
	MOVQ(n, count)
	out, low, high := poolMasks(n)
	d, where := YMM(), YMM()
	out.load(Mem{Base: dy, Index: j, Scale: 4}, d)
	out.load(Mem{Base: am, Index: j, Scale: 4}, where)
	VPERMPD(U8(0xd8), d, d) // the lane order in which unpacking restores pairs
	VPERMPD(U8(0xd8), where, where)
	at0 := GP64()
	LEAQ(Mem{Base: row, Index: j, Scale: 2}, at0)
	index := YMM()
	VMOVD(at0.As32(), index.AsX())
	VPBROADCASTD(index.AsX(), index)
	VPADDD(stepTable(), index, index)
	for r := range 2 {
		even, odd := YMM(), YMM()
		VPCMPEQD(index, where, even)
		VANDPS(d, even, even)
		VPADDD(word(1), index, odd)
		VPCMPEQD(odd, where, odd)
		VANDPS(d, odd, odd)
		first, second := YMM(), YMM()
		VUNPCKLPS(odd, even, first)
		VUNPCKHPS(odd, even, second)
		low.store(first, Mem{Base: dx, Index: at0, Scale: 4})
		high.store(second, Mem{Base: dx, Index: at0, Scale: 4, Disp: 32})
		if r == 0 {
			VPADDD(wide, index, index)
			ADDQ(width, at0)
		}
	}
	ADDQ(count, j)
	SUBQ(count, left)
	JNE(LabelRef("backStep"))
	LEAQ(Mem{Base: row, Index: width, Scale: 2}, row)
	LEAQ(Mem{Base: dy, Index: j, Scale: 4}, dy)
	LEAQ(Mem{Base: am, Index: j, Scale: 4}, am)
	DECQ(rows)
	JNE(LabelRef("backRow"))
	VZEROUPPER()
	RET()
}
