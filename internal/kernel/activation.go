package kernel

import "math"

// Each activation has a forward dst = f(x) and a backward dx from dy. Those
// whose derivative is a function of the output take y, so that a network need
// not keep x; GELU takes x.

// ReLU computes dst = x if x > 0 or NaN, else 0.
func ReLU[F Float](dst, x []F) {
	same("ReLU", len(dst), len(x))
	map2(dst, x, reluPart)
}

func reluPart[F Float](dst, x []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecReLU(head(dst), head(x), len(dst))
		return
	}
	x = x[:len(dst)]
	for i, v := range x {
		if v <= 0 {
			v = 0
		}
		dst[i] = v
	}
}

// ReLUBackward computes dx = dy where y > 0, else 0. A NaN in y passes on the
// NaN rather than dy.
func ReLUBackward[F Float](dx, y, dy []F) {
	same("ReLUBackward", len(dx), len(y), len(dy))
	map3(dx, y, dy, reluBackwardPart)
}

func reluBackwardPart[F Float](dx, y, dy []F) {
	if useSIMD[F]() && len(dx) > 0 {
		vecReLUBackward(head(dx), head(y), head(dy), len(dx))
		return
	}
	y, dy = y[:len(dx)], dy[:len(dx)]
	for i, v := range y {
		d := dy[i]
		if v <= 0 {
			d = 0
		} else if v != v {
			d = v
		}
		dx[i] = d
	}
}

// LeakyReLU computes dst = x if x > 0, else slope*x, with slope >= 0.
func LeakyReLU[F Float](dst []F, slope F, x []F) {
	same("LeakyReLU", len(dst), len(x))
	map2(dst, x, func(dst, x []F) { leakyPart(dst, slope, x, x) })
}

// LeakyReLUBackward computes dx = dy where y > 0, else slope*dy. y may be the
// input or, as slope >= 0 keeps the sign, the output.
func LeakyReLUBackward[F Float](dx []F, slope F, y, dy []F) {
	same("LeakyReLUBackward", len(dx), len(y), len(dy))
	map3(dx, y, dy, func(dx, y, dy []F) { leakyPart(dx, slope, y, dy) })
}

// leakyPart computes dst = y where x > 0, slope*y where x <= 0, x where it is
// NaN.
func leakyPart[F Float](dst []F, slope F, x, y []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecLeaky(head(dst), head(x), head(y), len(dst), float32(slope))
		return
	}
	for i, v := range x {
		d := y[i]
		if v <= 0 {
			d *= slope
		} else if v != v {
			d = v
		}
		dst[i] = d
	}
}

// Sigmoid computes dst = 1/(1+exp(-x)).
func Sigmoid[F Float](dst, x []F) {
	same("Sigmoid", len(dst), len(x))
	map2(dst, x, sigmoidPart)
}

func sigmoidPart[F Float](dst, x []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecSigmoid(head(dst), head(x), len(dst))
		return
	}
	for i, v := range x {
		dst[i] = F(1 / (1 + math.Exp(-float64(v))))
	}
}

// SigmoidBackward computes dx = dy*y*(1-y).
func SigmoidBackward[F Float](dx, y, dy []F) {
	same("SigmoidBackward", len(dx), len(y), len(dy))
	map3(dx, y, dy, sigmoidBackwardPart)
}

func sigmoidBackwardPart[F Float](dx, y, dy []F) {
	if useSIMD[F]() && len(dx) > 0 {
		vecSigmoidBackward(head(dx), head(y), head(dy), len(dx))
		return
	}
	for i, v := range y {
		dx[i] = dy[i] * (v * (1 - v))
	}
}

// Tanh computes dst = tanh(x).
func Tanh[F Float](dst, x []F) {
	same("Tanh", len(dst), len(x))
	map2(dst, x, tanhPart)
}

func tanhPart[F Float](dst, x []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecTanh(head(dst), head(x), len(dst))
		return
	}
	for i, v := range x {
		dst[i] = F(math.Tanh(float64(v)))
	}
}

// TanhBackward computes dx = dy*(1-y*y).
func TanhBackward[F Float](dx, y, dy []F) {
	same("TanhBackward", len(dx), len(y), len(dy))
	map3(dx, y, dy, tanhBackwardPart)
}

func tanhBackwardPart[F Float](dx, y, dy []F) {
	if useSIMD[F]() && len(dx) > 0 {
		vecTanhBackward(head(dx), head(y), head(dy), len(dx))
		return
	}
	for i, v := range y {
		dx[i] = dy[i] * (1 - v*v)
	}
}

// Constants of the tanh form of GELU (Hendrycks and Gimpel, arXiv:1606.08415):
// 0.5*x*(1+tanh(geluScale*(x+geluCubic*x³))).
const (
	geluScale = 0.7978845608028654 // sqrt(2/pi)
	geluCubic = 0.044715
)

// GELUTanh computes the tanh approximation of GELU.
func GELUTanh[F Float](dst, x []F) {
	same("GELUTanh", len(dst), len(x))
	map2(dst, x, geluTanhPart)
}

func geluTanhPart[F Float](dst, x []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecGELUTanh(head(dst), head(x), len(dst))
		return
	}
	for i, f := range x {
		v := float64(f)
		dst[i] = F(0.5 * v * (1 + math.Tanh(geluScale*(v+geluCubic*v*v*v))))
	}
}

// GELUTanhBackward computes dx from the input x of GELUTanh.
func GELUTanhBackward[F Float](dx, x, dy []F) {
	same("GELUTanhBackward", len(dx), len(x), len(dy))
	map3(dx, x, dy, geluTanhBackwardPart)
}

func geluTanhBackwardPart[F Float](dx, x, dy []F) {
	if useSIMD[F]() && len(dx) > 0 {
		vecGELUTanhBackward(head(dx), head(x), head(dy), len(dx))
		return
	}
	for i, f := range x {
		v := float64(f)
		t := math.Tanh(geluScale * (v + geluCubic*v*v*v))
		d := 0.5*(1+t) + 0.5*v*(1-t*t)*geluScale*(1+3*geluCubic*v*v)
		dx[i] = dy[i] * F(d)
	}
}

// GELU computes x*Phi(x) with the normal distribution function Phi (erf form).
func GELU[F Float](dst, x []F) {
	same("GELU", len(dst), len(x))
	map2(dst, x, geluPart)
}

func geluPart[F Float](dst, x []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecGELU(head(dst), head(x), len(dst))
		return
	}
	for i, f := range x {
		v := float64(f)
		dst[i] = F(0.5 * v * (1 + math.Erf(v/math.Sqrt2)))
	}
}

// GELUBackward computes dx from the input x of GELU.
func GELUBackward[F Float](dx, x, dy []F) {
	same("GELUBackward", len(dx), len(x), len(dy))
	map3(dx, x, dy, geluBackwardPart)
}

func geluBackwardPart[F Float](dx, x, dy []F) {
	if useSIMD[F]() && len(dx) > 0 {
		vecGELUBackward(head(dx), head(x), head(dy), len(dx))
		return
	}
	for i, f := range x {
		v := float64(f)
		density := math.Exp(-0.5*v*v) / math.Sqrt(2*math.Pi)
		dx[i] = dy[i] * F(0.5*(1+math.Erf(v/math.Sqrt2))+v*density)
	}
}

// Exp computes dst = exp(x).
func Exp[F Float](dst, x []F) {
	same("Exp", len(dst), len(x))
	map2(dst, x, expPart)
}

func expPart[F Float](dst, x []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecExp(head(dst), head(x), len(dst))
		return
	}
	for i, v := range x {
		dst[i] = F(math.Exp(float64(v)))
	}
}
