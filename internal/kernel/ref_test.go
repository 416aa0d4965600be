package kernel

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// The naive float64 reference every kernel is tested against, and what tests
// need to compare with it.

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// normals returns n normal numbers, exactly representable as float32.
func normals[F Float](r *rand.Rand, n int) []F {
	x := make([]F, n)
	for i := range x {
		x[i] = F(float32(r.NormFloat64()))
	}
	return x
}

// convert returns x in another element type.
func convert[T, F Float](x []F) []T {
	if x == nil {
		return nil
	}
	y := make([]T, len(x))
	for i, v := range x {
		y[i] = T(v)
	}
	return y
}

// filled returns n copies of v: destinations start as garbage.
func filled[F Float](n int, v F) []F {
	x := make([]F, n)
	Fill(x, v)
	return x
}

// requireClose compares with a tolerance relative to the largest wanted value.
func requireClose[F Float](t testing.TB, want []float64, got []F, tol float64, what string, args ...any) {
	t.Helper()
	require.Len(t, got, len(want), append([]any{what}, args...)...)
	scale := 1.0
	for _, v := range want {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			scale = max(scale, math.Abs(v))
		}
	}
	for i, w := range want {
		g := float64(got[i])
		ok := math.Abs(g-w) <= tol*scale || g == w || math.IsNaN(g) && math.IsNaN(w)
		if !ok {
			require.Failf(t, "not close", "%s: element %d is %v, want %v (%v)", what, i, g, w, args)
		}
	}
}

func tolerance[F Float]() float64 {
	if isFloat32[F]() {
		return 2e-5
	}
	return 1e-12
}

func refGemm[F Float](g GemmArgs[F]) []float64 {
	g.defaults()
	ra, ca := strides(g.LDA, g.TransA)
	rb, cb := strides(g.LDB, g.TransB)
	c := convert[float64](g.C)
	for i := range g.M {
		for j := range g.N {
			s := 0.0
			for p := range g.K {
				s += float64(g.A[i*ra+p*ca]) * float64(g.B[p*rb+j*cb])
			}
			if g.Accumulate {
				s += c[i*g.LDC+j]
			}
			if g.BiasN != nil {
				s += float64(g.BiasN[j])
			}
			if g.BiasM != nil {
				s += float64(g.BiasM[i])
			}
			if g.ReLU && s <= 0 {
				s = 0
			}
			c[i*g.LDC+j] = s
		}
	}
	return c
}

// refTaps calls fn with the flat positions in input, filter and output of every
// product of the convolution.
func refTaps(g Conv, fn func(xi, wi, yi int)) {
	g = g.withDefaults()
	oh, ow := g.OutH(), g.OutW()
	for n := range g.N {
		for oc := range g.OutC {
			for i := range oh {
				for j := range ow {
					for c := range g.C {
						for kh := range g.KH {
							for kw := range g.KW {
								h, w := i*g.StrideH+kh*g.DilH-g.PadH, j*g.StrideW+kw*g.DilW-g.PadW
								if h >= 0 && h < g.H && w >= 0 && w < g.W {
									fn(((n*g.C+c)*g.H+h)*g.W+w, ((oc*g.C+c)*g.KH+kh)*g.KW+kw, ((n*g.OutC+oc)*oh+i)*ow+j)
								}
							}
						}
					}
				}
			}
		}
	}
}
