package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// values are the registers of one step, by parameter name.
type values map[string]vec

// stream writes a function over vectors of equal length: for each 8 elements it
// loads ins, calls body and stores the outs that body sets. A name may be both.
func stream(name, doc, outs, ins, scalars string, body func(v values)) {
	s := newStream(name, doc, outs, ins, scalars, "")
	s.loop(1, func(load func(string) vec, store func(string, vec), _ int, _ *mask) {
		v := values{}
		for k, r := range s.scalars {
			v[k] = r
		}
		for _, in := range strings.Fields(ins) {
			v[in] = load(in)
		}
		body(v)
		for _, out := range strings.Fields(outs) {
			store(out, v[out])
		}
	})
	VZEROUPPER()
	RET()
}

// streamFunc is a function over vectors that is being written.
type streamFunc struct {
	name    string
	order   []string // of the pointers
	ptr     map[string]reg.GPVirtual
	scalars values
	n       reg.GPVirtual
}

// newStream starts a function with pointer parameters outs and ins, the length
// n, and scalar parameters.
func newStream(name, doc, outs, ins, scalars, extra string) *streamFunc {
	var pointers []string
	seen := map[string]bool{}
	for _, p := range strings.Fields(outs + " " + ins) {
		if !seen[p] {
			pointers, seen[p] = append(pointers, p), true
		}
	}
	signature := strings.Join(pointers, ", ") + " *float32, n int"
	if scalars != "" {
		signature += ", " + strings.Join(strings.Fields(scalars), ", ") + " float32"
	}
	TEXT(name, 4, "func("+signature+extra+")")
	Pragma("noescape")
	Doc(name + " computes " + doc + " for n >= 1 elements.")
	s := &streamFunc{name: name, order: pointers, ptr: map[string]reg.GPVirtual{}, scalars: values{}}
	for _, p := range pointers {
		s.ptr[p] = Load(Param(p), GP64()).(reg.GPVirtual)
	}
	s.n = Load(Param("n"), GP64()).(reg.GPVirtual)
	for _, p := range strings.Fields(scalars) {
		m, err := Param(p).Resolve()
		if err != nil {
			panic(err)
		}
		v := YMM()
		VBROADCASTSS(m.Addr, v)
		s.scalars[p] = v
	}
	return s
}

// loop calls step for unroll vectors at a time, then one at a time, then for
// the last 1 to 8 elements with their mask. step gets the number of its vector
// within the unrolled ones.
func (s *streamFunc) loop(unroll int, step func(load func(string) vec, store func(string, vec), lane int, last *mask)) {
	emit := func(lane int) {
		disp := 32 * lane
		step(func(p string) vec { return loaded(at(s.ptr[p], disp)) },
			func(p string, v vec) { VMOVUPS(v, at(s.ptr[p], disp)) }, lane, nil)
	}
	advance := func(count int) {
		for _, p := range s.order {
			ADDQ(I32(int32(32*count)), s.ptr[p])
		}
	}
	for _, count := range []int{unroll, 1} {
		loop, done := s.name+"loop"+string(rune('0'+count)), s.name+"done"+string(rune('0'+count))
		SUBQ(I32(int32(8*count)), s.n)
		JLE(LabelRef(done))
		Label(loop)
		for lane := range count {
			emit(lane)
		}
		advance(count)
		SUBQ(I32(int32(8*count)), s.n)
		JG(LabelRef(loop))
		Label(done)
		ADDQ(I32(int32(8*count)), s.n)
		if unroll == 1 {
			break
		}
	}
	last := avx2.firstLanes(s.n)
	step(func(p string) vec {
		v := YMM()
		last.load(at(s.ptr[p], 0), v)
		return v
	}, func(p string, v vec) { last.store(v, at(s.ptr[p], 0)) }, 0, &last)
}

// reduction writes a function that folds vectors into 8 lanes, stored at sums:
// four registers in turn, combined in a fixed order. zero starts them.
func reduction(name, doc, ins, scalars string, zero Mem, combine func(x, acc vec), body func(v values) vec) {
	s := newStream(name, doc, "", ins, scalars, ", lanes *float32")
	acc := make([]vec, 4)
	for i := range acc {
		acc[i] = loaded(zero)
	}
	s.loop(4, func(load func(string) vec, _ func(string, vec), lane int, last *mask) {
		v := values{}
		for k, r := range s.scalars {
			v[k] = r
		}
		for _, in := range strings.Fields(ins) {
			v[in] = load(in)
		}
		x := body(v)
		if last != nil { // lanes beyond the end must not count
			rest := loaded(zero)
			VBLENDVPS(last.v, x, rest, rest)
			x = rest
		}
		combine(x, acc[lane])
	})
	combine(acc[1], acc[0])
	combine(acc[3], acc[2])
	combine(acc[2], acc[0])
	out := Load(Param("lanes"), GP64())
	VMOVUPS(acc[0], Mem{Base: out})
	VZEROUPPER()
	RET()
}

func plus(x, acc vec) { VADDPS(x, acc, acc) }

// vectors writes the element-wise functions and reductions. They use AVX2 on
// every machine.
func vectors() {
	arithmetic()
	activations()
	optimizers()
	reductions()
}

func arithmetic() {
	stream("vecAdd", "dst = x + y", "dst", "x y", "", func(v values) { v["dst"] = v["x"]; VADDPS(v["y"], v["x"], v["x"]) })
	stream("vecSub", "dst = x - y", "dst", "x y", "", func(v values) { v["dst"] = v["x"]; VSUBPS(v["y"], v["x"], v["x"]) })
	stream("vecMul", "dst = x * y", "dst", "x y", "", func(v values) { v["dst"] = v["x"]; VMULPS(v["y"], v["x"], v["x"]) })
	stream("vecMulScaled", "dst = a * x * y", "dst", "x y", "a", func(v values) {
		VMULPS(v["a"], v["x"], v["x"])
		VMULPS(v["y"], v["x"], v["x"])
		v["dst"] = v["x"]
	})
	stream("vecAxpy", "dst += a * x", "dst", "dst x", "a", func(v values) { VFMADD231PS(v["a"], v["x"], v["dst"]) })
	stream("vecScale", "dst = a * x", "dst", "x", "a", func(v values) { VMULPS(v["a"], v["x"], v["x"]); v["dst"] = v["x"] })
	stream("vecAffine", "dst = a*x + b", "dst", "x", "a b", func(v values) { VFMADD213PS(v["b"], v["a"], v["x"]); v["dst"] = v["x"] })
	stream("vecAffine2", "dst = a*x + b*y + c", "dst", "x y", "a b c", func(v values) {
		VFMADD213PS(v["c"], v["a"], v["x"])
		VFMADD231PS(v["b"], v["y"], v["x"])
		v["dst"] = v["x"]
	})
	stream("vecSoftmaxBackward", "dst = a * x * (y - b)", "dst", "x y", "a b", func(v values) {
		VSUBPS(v["b"], v["y"], v["y"])
		VMULPS(v["a"], v["x"], v["x"])
		VMULPS(v["y"], v["x"], v["x"])
		v["dst"] = v["x"]
	})
}

func activations() {
	stream("vecReLU", "dst = x if x > 0 or NaN, else 0", "dst", "x", "", func(v values) {
		zero := loaded(num(0))
		VMAXPS(v["x"], zero, zero)
		v["dst"] = zero
	})
	stream("vecReLUBackward", "dst = dy where y > 0, y where it is NaN, else 0", "dst", "y dy", "", func(v values) {
		pass, bad := compare(greater, v["y"], num(0)), compare(unordered, v["y"], v["y"])
		VANDPS(v["dy"], pass, pass)
		VANDPS(v["y"], bad, bad)
		VORPS(bad, pass, pass)
		v["dst"] = pass
	})
	stream("vecLeaky", "dst = y where x > 0, slope*y where x <= 0, x where it is NaN", "dst", "x y", "slope", func(v values) {
		low, bad := compare(lessEqual, v["x"], num(0)), compare(unordered, v["x"], v["x"])
		scaled := YMM()
		VMULPS(v["y"], v["slope"], scaled)
		VBLENDVPS(low, scaled, v["y"], v["y"])
		VBLENDVPS(bad, v["x"], v["y"], v["y"])
		v["dst"] = v["y"]
	})
	stream("vecSigmoid", "dst = 1/(1+exp(-x))", "dst", "x", "", func(v values) {
		e, one := exp(negated(v["x"])), loaded(num(1))
		VADDPS(one, e, e)
		VDIVPS(e, one, one)
		v["dst"] = one
	})
	stream("vecTanh", "dst = tanh(x)", "dst", "x", "", func(v values) { v["dst"] = tanh(v["x"]) })
	stream("vecSigmoidBackward", "dst = dy*y*(1-y)", "dst", "y dy", "", func(v values) {
		rest := loaded(num(1))
		VSUBPS(v["y"], rest, rest)
		VMULPS(v["y"], rest, rest)
		VMULPS(v["dy"], rest, rest)
		v["dst"] = rest
	})
	stream("vecTanhBackward", "dst = dy*(1-y*y)", "dst", "y dy", "", func(v values) {
		rest := loaded(num(1))
		VFNMADD231PS(v["y"], v["y"], rest)
		VMULPS(v["dy"], rest, rest)
		v["dst"] = rest
	})
	stream("vecGELUTanh", "the tanh form of GELU", "dst", "x", "", func(v values) {
		t := tanh(geluArgument(v["x"]))
		VADDPS(num(1), t, t)
		VMULPS(num(0.5), v["x"], v["x"])
		VMULPS(v["x"], t, t)
		v["dst"] = t
	})
	stream("vecGELUTanhBackward", "dst = dy times the derivative of the tanh form of GELU at x", "dst", "x dy", "", func(v values) {
		t, x := tanh(geluArgument(v["x"])), v["x"]
		slope, sq := loaded(num(1)), YMM()
		VFNMADD231PS(t, t, slope)
		VMULPS(x, x, sq)
		inner := loaded(num(geluScale))
		VFMADD231PS(num(3*geluScale*geluCubic), sq, inner)
		VMULPS(inner, slope, slope)
		VMULPS(x, slope, slope)
		VADDPS(num(1), t, t)
		VADDPS(slope, t, t)
		VMULPS(num(0.5), t, t)
		VMULPS(v["dy"], t, t)
		v["dst"] = t
	})
	stream("vecGELU", "dst = x times the normal distribution function of x", "dst", "x", "", func(v values) {
		phi, _ := normal(v["x"])
		VMULPS(v["x"], phi, phi)
		v["dst"] = phi
	})
	stream("vecGELUBackward", "dst = dy times the derivative of GELU at x", "dst", "x dy", "", func(v values) {
		phi, density := normal(v["x"])
		VMULPS(num(0.3989422804014327), density, density) // 1/sqrt(2*pi)
		VFMADD231PS(v["x"], density, phi)
		VMULPS(v["dy"], phi, phi)
		v["dst"] = phi
	})
	stream("vecExp", "dst = exp(x)", "dst", "x", "", func(v values) { v["dst"] = exp(v["x"]) })
}

const (
	geluScale = 0.7978845608028654 // sqrt(2/pi)
	geluCubic = 0.044715
)

// geluArgument is geluScale*(x + geluCubic*x³).
func geluArgument(x vec) vec {
	a, p := YMM(), loaded(num(geluScale))
	VMULPS(x, x, a)
	VFMADD231PS(num(geluScale*geluCubic), a, p)
	VMULPS(x, p, p)
	return p
}

func optimizers() {
	stream("vecMomentum", "a step of SGD with momentum: d += decay*w, v = old*v + add*d, w -= direct*d + rate*v", "w v", "w d v", "decay old add direct rate",
		func(v values) {
			VFMADD231PS(v["w"], v["decay"], v["d"])
			VMULPS(v["old"], v["v"], v["v"])
			VFMADD231PS(v["d"], v["add"], v["v"])
			VFNMADD231PS(v["d"], v["direct"], v["w"])
			VFNMADD231PS(v["v"], v["rate"], v["w"])
		})
	stream("vecRMSProp", "a step of RMSProp: d += decay*w, s = alpha*s + rest*d*d, w -= rate*d/(sqrt(s)+eps)", "w s", "w d s", "decay alpha rest rate eps",
		func(v values) {
			VFMADD231PS(v["w"], v["decay"], v["d"])
			VMULPS(v["alpha"], v["s"], v["s"])
			t := YMM()
			VMULPS(v["rest"], v["d"], t)
			VFMADD231PS(v["d"], t, v["s"])
			VSQRTPS(v["s"], t)
			VADDPS(v["eps"], t, t)
			VMULPS(v["rate"], v["d"], v["d"])
			VDIVPS(t, v["d"], v["d"])
			VSUBPS(v["d"], v["w"], v["w"])
		})
	adam()
}

// adam reads its nine coefficients from memory: there are not registers enough.
func adam() {
	s := newStream("vecAdam", "a step of Adam with the coefficients c, an adamCoefficients[float32],", "w m v", "w d m v", "", ", c *float32")
	c := Load(Param("c"), GP64())
	k := make([]vec, 9)
	for i := range k {
		k[i] = YMM()
		VBROADCASTSS(at(c, 4*i), k[i])
	}
	keep, decay, beta1, rest1, beta2, rest2, rate, inv, eps := k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7], k[8]
	s.loop(1, func(load func(string) vec, store func(string, vec), _ int, _ *mask) {
		w, g, m, v := load("w"), load("d"), load("m"), load("v")
		VFMADD231PS(w, decay, g)
		VMULPS(beta1, m, m)
		VFMADD231PS(g, rest1, m)
		VMULPS(beta2, v, v)
		t := YMM()
		VMULPS(rest2, g, t)
		VFMADD231PS(g, t, v)
		store("m", m)
		store("v", v)
		VSQRTPS(v, t)
		VFMADD213PS(eps, inv, t)
		VMULPS(rate, m, m)
		VDIVPS(t, m, m)
		VMULPS(keep, w, w)
		VSUBPS(m, w, w)
		store("w", w)
	})
	VZEROUPPER()
	RET()
}

func reductions() {
	reduction("vecSum", "the sum of x", "x", "", num(0), plus, func(v values) vec { return v["x"] })
	reduction("vecDot", "the sum of x*y", "x y", "", num(0), plus, func(v values) vec {
		VMULPS(v["y"], v["x"], v["x"])
		return v["x"]
	})
	reduction("vecSquaredDiff", "the sum of (x-m)²", "x", "m", num(0), plus, func(v values) vec {
		VSUBPS(v["m"], v["x"], v["x"])
		VMULPS(v["x"], v["x"], v["x"])
		return v["x"]
	})
	reduction("vecMax", "the maximum of x, NaN if there is one,", "x", "", word(0xff800000), func(x, acc vec) {
		// MAXPS keeps its second source if either is NaN: let that be a NaN in
		// acc, and take one in x on its own.
		bad := compare(unordered, x, x)
		VMAXPS(acc, x, acc)
		VBLENDVPS(bad, x, acc, acc)
	}, func(v values) vec { return v["x"] })
	expShifted()
}

// expShifted stores exponentials and sums them in the same pass.
func expShifted() {
	s := newStream("vecExpShifted", "dst = exp(x - shift), and their sum in 8 lanes,", "dst", "x", "shift", ", lanes *float32")
	acc := loaded(num(0))
	s.loop(1, func(load func(string) vec, store func(string, vec), _ int, last *mask) {
		x := load("x")
		VSUBPS(s.scalars["shift"], x, x)
		e := exp(x)
		store("dst", e)
		if last != nil {
			VANDPS(last.v, e, e)
		}
		VADDPS(e, acc, acc)
	})
	out := Load(Param("lanes"), GP64())
	VMOVUPS(acc, Mem{Base: out})
	VZEROUPPER()
	RET()
}
