package kernel

import (
	"math"
	"unsafe"
)

// SGD describes an update by gradient descent as torch.optim.SGD:
//
//	d = g + WeightDecay*w
//	v = Momentum*v + (1-Dampening)*d   (v = d on the first step)
//	d = v, or d + Momentum*v with Nesterov
//	w = w - LR*d
type SGD struct {
	LR, Momentum, Dampening, WeightDecay float64
	Nesterov                             bool
	// First marks the first step, in which v is set rather than updated.
	First bool
}

// SGDStep updates w in place from gradient g. v is the velocity, zero before the
// first step and changed in place; it may be nil if Momentum is 0.
func SGDStep[F Float](o SGD, w, g, v []F) {
	same("SGDStep", len(w), len(g))
	if o.Momentum == 0 {
		keep, lr := F(1-o.LR*o.WeightDecay), F(-o.LR)
		map2(w, g, func(w, g []F) { descend(w, g, keep, lr) })
		return
	}
	same("SGDStep", len(w), len(v))
	map3(w, g, v, func(w, g, v []F) { momentumPart(o, w, g, v) })
}

// descend computes w = keep*w + lr*g in blocks, the last one first: of a gradient
// larger than the cache, that is what the backward pass has left there.
func descend[F Float](w, g []F, keep, lr F) {
	const block = 1 << 13
	for hi := len(w); hi > 0; hi -= block {
		lo := max(0, hi-block)
		affine2Part(w[lo:hi], w[lo:hi], keep, g[lo:hi], lr, 0)
	}
}

func momentumPart[F Float](o SGD, w, g, v []F) {
	decay, old, add := F(o.WeightDecay), F(o.Momentum), F(1-o.Dampening)
	if o.First {
		old, add = 0, 1
	}
	direct, rate := F(0), F(o.LR) // factors of d and v in the update
	if o.Nesterov {
		direct, rate = F(o.LR), F(o.LR*o.Momentum)
	}
	if useSIMD[F]() && len(w) > 0 {
		vecMomentum(head(w), head(v), head(g), len(w), float32(decay), float32(old), float32(add), float32(direct), float32(rate))
		return
	}
	for i := range w {
		d := g[i] + decay*w[i]
		v[i] = old*v[i] + add*d
		w[i] -= direct*d + rate*v[i]
	}
}

// RMSProp describes an update as torch.optim.RMSprop (not centred):
//
//	d = g + WeightDecay*w
//	s = Alpha*s + (1-Alpha)*d²
//	w = w - LR*d/(sqrt(s)+Eps)
type RMSProp struct{ LR, Alpha, Eps, WeightDecay float64 }

// RMSPropStep updates w in place from gradient g and the running mean of
// squares s, which starts at zero.
func RMSPropStep[F Float](o RMSProp, w, g, s []F) {
	same("RMSPropStep", len(w), len(g), len(s))
	map3(w, g, s, func(w, g, s []F) { rmsPropPart(o, w, g, s) })
}

func rmsPropPart[F Float](o RMSProp, w, g, s []F) {
	lr, alpha, rest, eps, decay := F(o.LR), F(o.Alpha), F(1-o.Alpha), F(o.Eps), F(o.WeightDecay)
	if useSIMD[F]() && len(w) > 0 {
		vecRMSProp(head(w), head(s), head(g), len(w), float32(decay), float32(alpha), float32(rest), float32(lr), float32(eps))
		return
	}
	for i := range w {
		d := g[i] + decay*w[i]
		s[i] = alpha*s[i] + rest*d*d
		w[i] -= lr * d / (sqrt(s[i]) + eps)
	}
}

// Adam describes an update as torch.optim.Adam, or AdamW with Decoupled
// (Loshchilov and Hutter, arXiv:1711.05101):
//
//	d = g + WeightDecay*w              (Adam)
//	w = w*(1-LR*WeightDecay), d = g    (AdamW)
//	m = Beta1*m + (1-Beta1)*d
//	v = Beta2*v + (1-Beta2)*d²
//	w = w - LR/(1-Beta1^Step) * m / (sqrt(v/(1-Beta2^Step)) + Eps)
type Adam struct {
	LR, Beta1, Beta2, Eps, WeightDecay float64
	Decoupled                          bool
	Step                               int // counted from 1
}

// AdamStep updates w in place from gradient g and the running means m and v,
// which start at zero.
func AdamStep[F Float](o Adam, w, g, m, v []F) {
	same("AdamStep", len(w), len(g), len(m), len(v))
	c := adamCoefficientsOf[F](o)
	if len(w) <= vectorGrain {
		adamPart(&c, w, g, m, v)
		return
	}
	Parallel(len(w), vectorGrain, func(lo, hi int) {
		adamPart(&c, w[lo:hi], g[lo:hi], m[lo:hi], v[lo:hi])
	})
}

// adamCoefficients are the scalars of one Adam step, in the order the assembly
// reads them.
type adamCoefficients[F Float] struct {
	keep  F // factor of w: 1, or 1-LR*WeightDecay if decoupled
	decay F // share of w added to the gradient
	beta1 F
	rest1 F // 1-beta1
	beta2 F
	rest2 F
	rate  F // LR/(1-beta1^step)
	inv   F // 1/sqrt(1-beta2^step), factor of sqrt(v)
	eps   F
}

func adamCoefficientsOf[F Float](o Adam) adamCoefficients[F] {
	step := float64(max(o.Step, 1))
	c := adamCoefficients[F]{
		keep: 1, decay: F(o.WeightDecay),
		beta1: F(o.Beta1), rest1: F(1 - o.Beta1), beta2: F(o.Beta2), rest2: F(1 - o.Beta2),
		rate: F(o.LR / (1 - math.Pow(o.Beta1, step))),
		inv:  F(1 / math.Sqrt(1-math.Pow(o.Beta2, step))), eps: F(o.Eps),
	}
	if o.Decoupled {
		c.keep, c.decay = F(1-o.LR*o.WeightDecay), 0
	}
	return c
}

func adamPart[F Float](c *adamCoefficients[F], w, g, m, v []F) {
	if useSIMD[F]() && len(w) > 0 {
		vecAdam(head(w), head(m), head(v), head(g), len(w), (*float32)(unsafe.Pointer(c)))
		return
	}
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i := range w {
		d := g[i] + c.decay*w[i]
		m[i] = c.beta1*m[i] + c.rest1*d
		v[i] = c.beta2*v[i] + c.rest2*d*d
		w[i] = c.keep*w[i] - c.rate*m[i]/(sqrt(v[i])*c.inv+c.eps)
	}
}

func sqrt[F Float](x F) F { return F(math.Sqrt(float64(x))) }
