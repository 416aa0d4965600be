package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The float64 kernels are proven by numeric gradients and by the references
// here; the float32 ones must agree with them.

func TestSoftmax(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, s := range [][2]int{{1, 1}, {4, 3}, {7, 10}, {64, 64}, {5, 1000}, {0, 4}} {
			for _, causal := range []int{0, 4} {
				rows, cols := s[0], s[1]
				x := normals[float32](newRand(5), rows*cols)
				want, got := make([]float64, len(x)), filled(len(x), float32(9))
				for i := range rows {
					seen := cols
					if causal > 0 {
						seen = min(cols, i%causal+1)
					}
					total := 0.0
					for j := range seen {
						total += math.Exp(0.5 * float64(x[i*cols+j]))
					}
					for j := range seen {
						want[i*cols+j] = math.Exp(0.5*float64(x[i*cols+j])) / total
					}
				}
				Softmax(got, x, rows, cols, 0.5, causal)
				requireClose(t, want, got, 1e-6, "softmax", s, causal)
				dy := normals[float32](newRand(6), len(x))
				dx64, dx := make([]float64, len(x)), make([]float32, len(x))
				SoftmaxBackward(dx64, want, convert[float64](dy), rows, cols, 0.5)
				SoftmaxBackward(dx, got, dy, rows, cols, 0.5)
				requireClose(t, dx64, dx, 2e-6, "backward", s)
			}
		}
		x := []float32{1000, 1000, float32(math.NaN()), 1, float32(math.Inf(-1)), 0}
		Softmax(x, x, 3, 2, 1, 0)
		assert.Equal(t, []float32{0.5, 0.5}, x[:2], "no overflow")
		assert.True(t, math.IsNaN(float64(x[2])) && math.IsNaN(float64(x[3])), "a NaN reaches its row")
		assert.Equal(t, []float32{0, 1}, x[4:], "minus infinity is probability 0")
	})
}

func TestCrossEntropy(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, classes := range []int{1, 2, 10, 100} {
			for mode := range 4 {
				rows := 9
				r := newRand(uint64(classes))
				x := normals[float32](r, rows*classes)
				c := CrossEntropy[float32]{Rows: rows, Classes: classes, Targets: make([]int, rows)}
				w := filled(classes, float64(1))
				for i := range c.Targets {
					c.Targets[i] = i*7%(classes+1) - 1
				}
				if mode&1 != 0 {
					c.Weights = normals[float32](r, classes)
					for k := range c.Weights {
						c.Weights[k] = abs32(c.Weights[k]) + 0.1
						w[k] = float64(c.Weights[k])
					}
				}
				if mode&2 != 0 {
					c.Smoothing = 0.2
				}
				want, probs, weight := refCrossEntropy(c, w, x)
				losses, got := make([]float32, rows), make([]float32, len(x))
				assert.InDelta(t, weight, c.Forward(losses, got, x), 1e-5)
				requireClose(t, want, losses, 2e-6, "losses", classes, mode)
				requireClose(t, probs, got, 1e-6, "probabilities", classes, mode)
				only := make([]float32, rows)
				c.Forward(only, nil, x)
				requireClose(t, want, only, 2e-6, "losses alone", classes, mode)
				c64 := CrossEntropy[float64]{Rows: rows, Classes: classes, Targets: c.Targets, Weights: w, Smoothing: float64(c.Smoothing)}
				d64 := make([]float64, len(x))
				c64.Backward(d64, probs, 0.25)
				c.Backward(got, got, 0.25)
				requireClose(t, d64, got, 1e-6, "gradient", classes, mode)
			}
		}
	})
	c := CrossEntropy[float32]{Rows: 1, Classes: 3, Targets: []int{3}}
	assert.PanicsWithValue(t, "kernel: CrossEntropy: target 3 of row 0 is not below the number of classes 3", func() {
		c.Forward(make([]float32, 1), nil, make([]float32, 3))
	})
}

func abs32(v float32) float32 { return float32(math.Abs(float64(v))) }

func refCrossEntropy(c CrossEntropy[float32], w []float64, x []float32) (losses, probs []float64, weight float64) {
	for i, target := range c.Targets {
		row := x[i*c.Classes : (i+1)*c.Classes]
		total := 0.0
		for _, v := range row {
			total += math.Exp(float64(v))
		}
		loss := 0.0
		for k, v := range row {
			probs = append(probs, math.Exp(float64(v))/total)
			q := float64(c.Smoothing) / float64(c.Classes)
			if k == target {
				q += 1 - float64(c.Smoothing)
			}
			if target >= 0 {
				loss -= q * w[k] * (float64(v) - math.Log(total))
			}
		}
		if target >= 0 {
			weight += w[target]
		}
		losses = append(losses, loss)
	}
	return losses, probs, weight
}

func TestBatchNorm(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, g := range []BatchNorm{{N: 16, C: 3, S: 49}, {N: 5, C: 7, S: 1}, {N: 1, C: 1, S: 9}, {N: 64, C: 4, S: 1024}} {
			r := newRand(7)
			x, dy := normals[float32](r, g.size()), normals[float32](r, g.size())
			gamma, beta := normals[float32](r, g.C), normals[float32](r, g.C)
			x64, dy64 := convert[float64](x), convert[float64](dy)
			gamma64, beta64 := convert[float64](gamma), convert[float64](beta)
			m, v, m64, v64 := make([]float32, g.C), make([]float32, g.C), make([]float64, g.C), make([]float64, g.C)
			BatchNormStats(g, x, m, v)
			BatchNormStats(g, x64, m64, v64)
			for c := range g.C {
				mean, sq, count := 0.0, 0.0, float64(g.N*g.S)
				for n := range g.N {
					lo, hi := g.at(n, c)
					for _, e := range x64[lo:hi] {
						mean += e / count
						sq += e * e / count
					}
				}
				require.InDelta(t, mean, m64[c], 1e-12)
				require.InDelta(t, sq-mean*mean, v64[c], 1e-11)
			}
			requireClose(t, m64, m, 1e-6, "mean", g)
			requireClose(t, v64, v, 1e-6, "variance", g)
			InvStd(v, v, 1e-5)
			InvStd(v64, v64, float64(float32(1e-5)))
			y, y64 := make([]float32, len(x)), make([]float64, len(x))
			BatchNormForward(g, x, m, v, gamma, beta, y, true)
			BatchNormForward(g, x64, m64, v64, gamma64, beta64, y64, true)
			requireClose(t, y64, y, 3e-6, "y", g)
			dg, db, dg64, db64 := make([]float32, g.C), make([]float32, g.C), make([]float64, g.C), make([]float64, g.C)
			for _, train := range []bool{true, false} {
				BatchNormBackward(g, x, m, v, gamma, dy, y, dg, db, train)
				BatchNormBackward(g, x64, m64, v64, gamma64, dy64, y64, dg64, db64, train)
				requireClose(t, dg64, dg, 1e-5, "dgamma", g)
				requireClose(t, db64, db, 1e-5, "dbeta", g)
				requireClose(t, y64, y, 1e-5, "dx", g)
			}
			BatchNormBackward(g, x, m, v, nil, dy, nil, dg, nil, true)
			requireClose(t, dg64, dg, 1e-5, "dgamma alone", g)
		}
	})
}

func TestLayerNorm(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, s := range [][2]int{{1, 1}, {5, 7}, {100, 128}, {3, 1000}, {0, 5}} {
			rows, cols := s[0], s[1]
			r := newRand(8)
			x, dy := normals[float32](r, rows*cols), normals[float32](r, rows*cols)
			gamma, beta := normals[float32](r, cols), normals[float32](r, cols)
			m, v, m64, v64 := make([]float32, rows), make([]float32, rows), make([]float64, rows), make([]float64, rows)
			y, y64 := make([]float32, len(x)), make([]float64, len(x))
			const eps = 1e-5
			LayerNormForward(x, gamma, beta, y, m, v, rows, cols, eps)
			LayerNormForward(convert[float64](x), convert[float64](gamma), convert[float64](beta), y64, m64, v64, rows, cols, eps)
			requireClose(t, y64, y, 1e-5, "y", s)
			dg, db, dg64, db64 := make([]float32, cols), make([]float32, cols), make([]float64, cols), make([]float64, cols)
			LayerNormBackward(new(Workspace), x, m, v, gamma, dy, y, dg, db, rows, cols)
			LayerNormBackward(new(Workspace), convert[float64](x), m64, v64, convert[float64](gamma), convert[float64](dy), y64, dg64, db64, rows, cols)
			requireClose(t, dg64, dg, 1e-5, "dgamma", s)
			requireClose(t, db64, db, 1e-5, "dbeta", s)
			if cols > 1 { // a single column has variance 0, which rounding makes anything
				requireClose(t, y64, y, 1e-5, "dx", s)
			}
			first := append([]float32(nil), dg...)
			withProcs(t, 3, func() { LayerNormBackward(new(Workspace), x, m, v, gamma, dy, y, dg, db, rows, cols) })
			require.Equal(t, first, dg, "same bits for any number of threads")
		}
	})
}
