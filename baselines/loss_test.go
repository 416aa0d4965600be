package baselines

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The wanted losses of classes are those of PyTorch's cross_entropy (weight,
// label_smoothing, ignore_index), from its formula in numpy.
func TestLosses(t *testing.T) {
	logits := train.Tensor{Shape: []int{4, 3}, Data: []float32{1, -0.5, 2, 0.3, 0.2, -1, 9, 9, 9, -2, 1, 0.5}}
	ids := train.Tensor{Shape: []int{4}, Data: []float32{0, 2, -1, 1}}
	outputs := train.Tensor{Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}}
	values := train.Tensor{Shape: []int{2, 2}, Data: []float32{1, 2.5, 3, 1}} // differences 0, −0.5, 0, 3
	for _, c := range []struct {
		name             string
		loss             train.Loss
		classes          int
		outputs, targets train.Tensor
		want, weight     float64
	}{
		{"plain", train.Loss{Kind: train.CrossEntropy}, 3, logits, ids, 1.3180844327776822, 3},
		{"weights and smoothing", train.Loss{Kind: train.CrossEntropy, ClassWeights: []float64{1, 2, 0.5}, Smoothing: 0.1},
			3, logits, ids, 1.0307072147289096, 3.5},
		{"mse", train.Loss{Kind: train.MSE}, 0, outputs, values, 9.25 / 4, 2},
		{"mse by default", train.Loss{}, 0, outputs, values, 9.25 / 4, 2},
		{"mae", train.Loss{Kind: train.MAE}, 0, outputs, values, 3.5 / 4, 2},
		{"huber", train.Loss{Kind: train.Huber}, 0, outputs, values, (0.125 + 2.5) / 4, 2},
		{"huber 2", train.Loss{Kind: train.Huber, Delta: 2}, 0, outputs, values, (0.125 + 4) / 4, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := newLoss(train.Init{Loss: c.loss, Classes: c.classes})
			require.NoError(t, err)
			loss, weight := f(c.outputs, c.targets)
			assert.InDelta(t, c.want, loss, 1e-7)
			assert.Equal(t, c.weight, weight)
		})
	}
}

// TestMinimise: L-BFGS finds the minimum of Rosenbrock's valley, and gives up
// where there is none.
func TestMinimise(t *testing.T) {
	x := []float64{-1.2, 1}
	minimise(func(x, g []float64) float64 {
		a, b := 1-x[0], x[1]-x[0]*x[0]
		g[0], g[1] = -2*a-400*x[0]*b, 200*b
		return a*a + 100*b*b
	}, x, 1e-9, 500)
	assert.InDeltaSlice(t, []float64{1, 1}, x, 1e-6)

	calls := 0
	x = []float64{0}
	minimise(func(x, g []float64) float64 { calls++; g[0] = math.NaN(); return math.NaN() }, x, 1e-9, 500)
	assert.Less(t, calls, 100)
	assert.Equal(t, []float64{0}, x)
}

// Large data is fitted less exactly: its loss must be that of an exact fit all the
// same, and its predictions nearly so.
func TestLargeDataIsFittedWellEnough(t *testing.T) {
	const n, size, classes = 3000, 40, 5
	r := rows{n: n, classes: classes, inputSize: size, targetSize: 1}
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		for range size {
			r.inputs = append(r.inputs, float32(draw.NormFloat64()))
		}
		x := r.input(i)
		y := 0
		for k := 1; k < classes; k++ {
			if x[k]+float32(draw.NormFloat64()) > x[y] {
				y = k
			}
		}
		r.targets = append(r.targets, float32(y))
	}
	p := newLogisticProblem(&r, size, classes, 1e-3)
	require.Greater(t, p.tolerance(), 5e-7, "the data is not large")
	fit := func(tolerance float64) (loss float64, x []float64) {
		x = make([]float64, len(p.weights))
		minimise(p.value, x, tolerance, 1000)
		return p.value(x, make([]float64, len(x))), x
	}
	loss, x := fit(100 * p.tolerance())
	exact, best := fit(1e-8)
	assert.InDelta(t, exact, loss, 1e-5)
	assert.InDeltaSlice(t, best, x, 0.01)
}
