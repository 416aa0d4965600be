package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// numericGradient returns the central differences of loss over x.
func numericGradient(x []float64, loss func() float64) []float64 {
	const h = 1e-5
	g := make([]float64, len(x))
	for i, v := range x {
		x[i] = v + h
		up := loss()
		x[i] = v - h
		down := loss()
		x[i] = v
		g[i] = (up - down) / (2 * h)
	}
	return g
}

func dot64(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func TestConvGradients(t *testing.T) {
	ws := new(Workspace)
	for i, g := range []Conv{
		{N: 2, C: 2, H: 5, W: 4, OutC: 3, KH: 3, KW: 3, PadH: 1, PadW: 1},
		{N: 1, C: 1, H: 1, W: 1, OutC: 1, KH: 1, KW: 1},
		{N: 2, C: 2, H: 7, W: 6, OutC: 2, KH: 3, KW: 2, StrideH: 2, StrideW: 3, PadH: 2, PadW: 1, DilH: 2},
	} {
		r := newRand(uint64(i))
		x, w := normals[float64](r, g.N*g.C*g.H*g.W), normals[float64](r, g.OutC*g.C*g.KH*g.KW)
		bias, dy := normals[float64](r, g.OutC), normals[float64](r, g.N*g.OutC*g.OutH()*g.OutW())
		y := make([]float64, len(dy))
		loss := func() float64 { ConvForward(ws, g, x, w, bias, y, false); return dot64(y, dy) }
		dx, dw, db := make([]float64, len(x)), make([]float64, len(w)), make([]float64, len(bias))
		ConvBackwardInput(ws, g, dy, w, dx)
		ConvBackwardWeights(ws, g, x, dy, dw, db)
		requireClose(t, numericGradient(x, loss), dx, 1e-7, "dx")
		requireClose(t, numericGradient(w, loss), dw, 1e-7, "dw")
		requireClose(t, numericGradient(bias, loss), db, 1e-7, "db")
	}
}

func TestPoolGradients(t *testing.T) {
	for i, g := range poolCases {
		if g.N == 0 {
			continue
		}
		r := newRand(uint64(i))
		x, dy := normals[float64](r, g.N*g.C*g.H*g.W), normals[float64](r, g.N*g.C*g.OutH()*g.OutW())
		y, dx, argmax := make([]float64, len(dy)), make([]float64, len(x)), make([]int32, len(dy))
		MaxPoolForward(g, x, y, argmax, true)
		MaxPoolBackward(g, dy, argmax, dx)
		requireClose(t, numericGradient(x, func() float64 { MaxPoolForward(g, x, y, nil, true); return dot64(y, dy) }), dx, 1e-7, "max", g)
		AvgPoolBackward(g, dy, dx)
		requireClose(t, numericGradient(x, func() float64 { AvgPoolForward(g, x, y); return dot64(y, dy) }), dx, 1e-7, "average", g)
	}
}

func TestNormGradients(t *testing.T) {
	for _, g := range []BatchNorm{{N: 4, C: 3, S: 5}, {N: 6, C: 2, S: 1}, {N: 1, C: 1, S: 7}} {
		r := newRand(1)
		x, dy, gamma, beta := normals[float64](r, g.size()), normals[float64](r, g.size()), normals[float64](r, g.C), normals[float64](r, g.C)
		mean, variance, inv := make([]float64, g.C), make([]float64, g.C), make([]float64, g.C)
		y, dx, dgamma, dbeta := make([]float64, g.size()), make([]float64, g.size()), make([]float64, g.C), make([]float64, g.C)
		for _, train := range []bool{true, false} {
			loss := func() float64 {
				if train {
					BatchNormStats(g, x, mean, variance)
					InvStd(inv, variance, 1e-3)
				}
				BatchNormForward(g, x, mean, inv, gamma, beta, y, false)
				return dot64(y, dy)
			}
			loss()
			BatchNormBackward(g, x, mean, inv, gamma, dy, dx, dgamma, dbeta, train)
			requireClose(t, numericGradient(gamma, loss), dgamma, 1e-7, "dgamma", g, train)
			requireClose(t, numericGradient(beta, loss), dbeta, 1e-7, "dbeta", g, train)
			requireClose(t, numericGradient(x, loss), dx, 1e-7, "dx", g, train)
		}
	}
	for _, s := range [][2]int{{3, 5}, {70, 4}, {1, 1}, {2, 33}} {
		rows, cols := s[0], s[1]
		r := newRand(2)
		x, dy, gamma, beta := normals[float64](r, rows*cols), normals[float64](r, rows*cols), normals[float64](r, cols), normals[float64](r, cols)
		y, dx, dgamma, dbeta := make([]float64, len(x)), make([]float64, len(x)), make([]float64, cols), make([]float64, cols)
		mean, inv := make([]float64, rows), make([]float64, rows)
		loss := func() float64 { LayerNormForward(x, gamma, beta, y, mean, inv, rows, cols, 1e-3); return dot64(y, dy) }
		loss()
		LayerNormBackward(new(Workspace), x, mean, inv, gamma, dy, dx, dgamma, dbeta, rows, cols)
		requireClose(t, numericGradient(gamma, loss), dgamma, 1e-7, "dgamma", s)
		requireClose(t, numericGradient(beta, loss), dbeta, 1e-7, "dbeta", s)
		requireClose(t, numericGradient(x, loss), dx, 1e-7, "dx", s)
	}
}

func TestSoftmaxGradients(t *testing.T) {
	for _, causal := range []int{0, 3} {
		const rows, cols, scale = 6, 5, 0.7
		r := newRand(3)
		x, dy := normals[float64](r, rows*cols), normals[float64](r, rows*cols)
		y, dx := make([]float64, len(x)), make([]float64, len(x))
		loss := func() float64 { Softmax(y, x, rows, cols, scale, causal); return dot64(y, dy) }
		loss()
		SoftmaxBackward(dx, y, dy, rows, cols, scale)
		requireClose(t, numericGradient(x, loss), dx, 1e-8, "softmax", causal)
	}
}

func TestCrossEntropyGradients(t *testing.T) {
	for _, smoothing := range []float64{0, 0.1} {
		for _, weights := range [][]float64{nil, {0.5, 2, 1, 3}} {
			c := CrossEntropy[float64]{Rows: 5, Classes: 4, Targets: []int{0, 3, -1, 2, 3}, Weights: weights, Smoothing: smoothing}
			x := normals[float64](newRand(4), 20)
			losses, probs, dx := make([]float64, 5), make([]float64, 20), make([]float64, 20)
			var weight float64
			loss := func() float64 {
				weight = c.Forward(losses, probs, x)
				return Sum(losses) / weight
			}
			loss()
			c.Backward(dx, probs, 1/weight)
			requireClose(t, numericGradient(x, loss), dx, 1e-8, "cross-entropy", smoothing, weights)
			require.False(t, math.IsNaN(loss()))
		}
	}
}
