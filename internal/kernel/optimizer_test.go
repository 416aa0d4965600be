package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// refSGD and its like follow PyTorch's documentation line by line.
func refSGD(o SGD, w, g, v []float64, step int) {
	for i := range w {
		d := g[i] + o.WeightDecay*w[i]
		if o.Momentum != 0 {
			if step == 1 {
				v[i] = d
			} else {
				v[i] = o.Momentum*v[i] + (1-o.Dampening)*d
			}
			if o.Nesterov {
				d += o.Momentum * v[i]
			} else {
				d = v[i]
			}
		}
		w[i] -= o.LR * d
	}
}

func refAdam(o Adam, w, g, m, v []float64) {
	for i := range w {
		d := g[i]
		if o.Decoupled {
			w[i] -= o.LR * o.WeightDecay * w[i]
		} else {
			d += o.WeightDecay * w[i]
		}
		m[i] = o.Beta1*m[i] + (1-o.Beta1)*d
		v[i] = o.Beta2*v[i] + (1-o.Beta2)*d*d
		mhat := m[i] / (1 - math.Pow(o.Beta1, float64(o.Step)))
		vhat := v[i] / (1 - math.Pow(o.Beta2, float64(o.Step)))
		w[i] -= o.LR * mhat / (math.Sqrt(vhat) + o.Eps)
	}
}

// runOptimizer takes 20 steps with each implementation on the gradient w - 1
// plus a fixed noise and compares the weights.
func runOptimizer(t *testing.T, n int, step32 func(step int, w, g, a, b []float32), step64, ref func(step int, w, g, a, b []float64)) {
	t.Helper()
	r := newRand(uint64(n))
	start, noise := normals[float64](r, n), normals[float64](r, n)
	w32, a32, b32 := convert[float32](start), make([]float32, n), make([]float32, n)
	w64, a64, b64 := convert[float64](start), make([]float64, n), make([]float64, n)
	want, aw, bw := convert[float64](start), make([]float64, n), make([]float64, n)
	for step := 1; step <= 20; step++ {
		g := make([]float64, n)
		for i := range g {
			g[i] = want[i] - 1 + noise[i]
		}
		before := append([]float64(nil), g...)
		step32(step, w32, convert[float32](g), a32, b32)
		step64(step, w64, g, a64, b64)
		assert.Equal(t, before, g, "gradients are left alone")
		ref(step, want, g, aw, bw)
		requireClose(t, want, w64, 1e-13, "float64 step", step)
		requireClose(t, want, w32, 3e-6, "float32 step", step)
	}
}

func TestOptimizers(t *testing.T) {
	sgd := []SGD{{LR: 0.1}, {LR: 0.1, WeightDecay: 0.1}, {LR: 0.05, Momentum: 0.9}, {LR: 0.05, Momentum: 0.9, Dampening: 0.3, WeightDecay: 0.01},
		{LR: 0.05, Momentum: 0.9, Nesterov: true, WeightDecay: 0.1}}
	adam := []Adam{{LR: 0.01, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}, {LR: 0.01, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, WeightDecay: 0.1},
		{LR: 0.01, Beta1: 0.8, Beta2: 0.99, Eps: 1e-6, WeightDecay: 0.1, Decoupled: true}}
	rms := []RMSProp{{LR: 0.01, Alpha: 0.99, Eps: 1e-8}, {LR: 0.01, Alpha: 0.9, Eps: 1e-6, WeightDecay: 0.1}}
	eachLevel(t, func(t *testing.T) {
		for _, n := range []int{1, 7, 8, 9, 33, vectorGrain + 11} {
			if (testing.Short() || raceEnabled) && n > 1000 {
				continue
			}
			for _, o := range sgd {
				t.Run(fmt.Sprintf("%+v/%d", o, n), func(t *testing.T) {
					at := func(step int) SGD { o.First = step == 1; return o }
					runOptimizer(t, n, func(s int, w, g, a, _ []float32) { SGDStep(at(s), w, g, a) },
						func(s int, w, g, a, _ []float64) { SGDStep(at(s), w, g, a) },
						func(s int, w, g, a, _ []float64) { refSGD(o, w, g, a, s) })
				})
			}
			for _, o := range adam {
				t.Run(fmt.Sprintf("%+v/%d", o, n), func(t *testing.T) {
					at := func(step int) Adam { o.Step = step; return o }
					runOptimizer(t, n, func(s int, w, g, a, b []float32) { AdamStep(at(s), w, g, a, b) },
						func(s int, w, g, a, b []float64) { AdamStep(at(s), w, g, a, b) },
						func(s int, w, g, a, b []float64) { refAdam(at(s), w, g, a, b) })
				})
			}
			for _, o := range rms {
				t.Run(fmt.Sprintf("%+v/%d", o, n), func(t *testing.T) {
					runOptimizer(t, n, func(_ int, w, g, a, _ []float32) { RMSPropStep(o, w, g, a) },
						func(_ int, w, g, a, _ []float64) { RMSPropStep(o, w, g, a) },
						func(_ int, w, g, s, _ []float64) {
							for i := range w {
								d := g[i] + o.WeightDecay*w[i]
								s[i] = o.Alpha*s[i] + (1-o.Alpha)*d*d
								w[i] -= o.LR * d / (math.Sqrt(s[i]) + o.Eps)
							}
						})
				})
			}
		}
	})
}
