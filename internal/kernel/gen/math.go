package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

type vec = reg.VecVirtual

var constants = map[uint32]Mem{}

// word is a register's width of copies of a 32-bit word in memory.
func word(bits uint32) Mem {
	m, ok := constants[bits]
	if !ok {
		m = GLOBL(fmt.Sprintf("word%08x", bits), 8|16) // RODATA|NOPTR
		for i := range 8 {
			DATA(4*i, U32(bits))
		}
		constants[bits] = m
	}
	return m
}

// num is a register's width of copies of a number in memory.
func num(v float64) Mem { return word(math.Float32bits(float32(v))) }

func loaded(m Mem) vec {
	v := YMM()
	VMOVUPS(m, v)
	return v
}

func clone(x vec) vec {
	v := YMM()
	VMOVAPS(x, v)
	return v
}

// Comparison predicates of VCMPPS.
const (
	lessEqual    = U8(0x12) // LE_OQ
	greater      = U8(0x1e) // GT_OQ
	notLessEqual = U8(0x16) // NLE_UQ: greater or unordered
	unordered    = U8(0x13) // UNORD_Q
	ordered      = U8(0x17) // ORD_Q
	less         = U8(0x11) // LT_OQ
)

// compare returns ones where "x pred y".
func compare(pred U8, x vec, y Op) vec {
	m := YMM()
	VCMPPS(pred, y, x, m)
	return m
}

// poly evaluates c[0]*x^n + … + c[n] by Horner's rule.
func poly(x vec, c ...float64) vec {
	p := loaded(num(c[0]))
	for _, k := range c[1:] {
		VFMADD213PS(num(k), x, p)
	}
	return p
}

// exp returns e^x within 2 units in the last place: Cephes' expf (Moshier) with
// the power of two applied in two factors, so that results become denormal, 0
// or infinite as they should. NaN stays NaN.
func exp(x vec) vec {
	r := loaded(num(-104))
	VMAXPS(x, r, r) // a NaN comes from the second source
	hi := loaded(num(89))
	VMINPS(r, hi, r)
	n := YMM()
	VMULPS(num(math.Log2E), r, n)
	VROUNDPS(U8(0), n, n)
	VFNMADD231PS(num(0.693359375), n, r)
	VFNMADD231PS(num(-2.12194440e-4), n, r)
	p := poly(r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
	sq := YMM()
	VMULPS(r, r, sq)
	VFMADD213PS(r, sq, p)
	VADDPS(num(1), p, p)
	k, half := YMM(), YMM()
	VCVTPS2DQ(n, k)
	VPSRAD(U8(1), k, half)
	VPSUBD(half, k, k)
	for _, e := range []vec{half, k} {
		VPADDD(word(127), e, e)
		VPSLLD(U8(23), e, e)
		VMULPS(e, p, p)
	}
	return p
}

// negated returns -x.
func negated(x vec) vec {
	v := YMM()
	VXORPS(word(0x80000000), x, v)
	return v
}

// tanh returns the hyperbolic tangent: Cephes' tanhf, a polynomial below 0.625
// and (1-e)/(1+e) with e = exp(-2|x|) above.
func tanh(x vec) vec {
	abs := YMM()
	VANDPS(word(0x7fffffff), x, abs)
	e := YMM()
	VMULPS(num(-2), abs, e)
	e = exp(e)
	top, bottom := loaded(num(1)), loaded(num(1))
	VSUBPS(e, top, top)
	VADDPS(e, bottom, bottom)
	VDIVPS(bottom, top, top)
	sign := YMM()
	VANDPS(word(0x80000000), x, sign)
	VORPS(sign, top, top)
	z := YMM()
	VMULPS(x, x, z)
	p := poly(z, -5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2, 1.33314422036e-1, -3.33332819422e-1)
	VMULPS(z, p, p)
	VFMADD213PS(x, x, p)
	small := compare(less, abs, num(0.625))
	VBLENDVPS(small, p, top, top)
	return top
}

// normal returns the normal distribution function of x and the unnormalised
// density exp(-x²/2), by Abramowitz and Stegun 7.1.26 (error below 1.5e-7).
func normal(x vec) (phi, density vec) {
	abs := YMM()
	VANDPS(word(0x7fffffff), x, abs)
	t := loaded(num(1))
	VFMADD231PS(num(0.3275911/math.Sqrt2), abs, t)
	one := loaded(num(1))
	VDIVPS(t, one, t)
	density = YMM()
	VMULPS(x, x, density)
	VMULPS(num(-0.5), density, density)
	density = exp(density)
	tail := poly(t, 1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
	VMULPS(t, tail, tail)
	VMULPS(density, tail, tail)
	VMULPS(num(0.5), tail, tail) // Phi(-|x|)
	phi = loaded(num(1))
	VSUBPS(tail, phi, phi)
	VBLENDVPS(x, tail, phi, phi) // by the sign bit
	return phi, density
}
