package baselines_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// golden holds what scikit-learn makes of the data in it; testdata/golden.py writes it.
type golden struct {
	X, Values, Xt           [][]float32
	Y                       []float32
	Prior, Mean, Median     []float64
	PriorLoss               float64 `json:"prior_loss"`
	Majority                int
	Linear, Ridge, Logistic [][]float64
	LogisticStrong          [][]float64 `json:"logistic_strong"`
	LogisticBinary          [][]float64 `json:"logistic_binary"`
	KNN1                    neighbours  `json:"knn1"`
	KNN5                    neighbours  `json:"knn5"`
	KNN100                  neighbours  `json:"knn100"`
}

type neighbours struct {
	Z, Zt           [][]float32
	Classes, Values [][]float64
}

func readGolden(t *testing.T) golden {
	t.Helper()
	file, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(file, &g))
	return g
}

func table(rows [][]float32) ([]int, []float32) {
	return []int{len(rows), len(rows[0])}, slices.Concat(rows...)
}

func classify(x [][]float32, y []float32, classes ...string) train.Data {
	inputShape, inputs := table(x)
	return data(classes, inputShape, inputs, []int{len(y)}, y)
}

func regress(x, y [][]float32) train.Data {
	inputShape, inputs := table(x)
	targetShape, targets := table(y)
	return data(nil, inputShape, inputs, targetShape, targets)
}

// predict returns the probabilities of a classifier, the outputs of a regression.
func predict(t *testing.T, m train.Model, d train.Data, x [][]float32) [][]float64 {
	t.Helper()
	shape, inputs := table(x)
	b, err := train.First(d.Training, train.Pass{})
	require.NoError(t, err)
	targets := train.NewTensor(append([]int{len(x)}, b.Targets.Shape[1:]...)...)
	p, err := fit(t, m, d, 16, 1).Predict(train.Batch{Inputs: train.Tensor{Shape: shape, Data: inputs}, Targets: targets})
	require.NoError(t, err)
	out := p.Outputs
	if d.Classes != nil {
		out = p.Probabilities
	}
	var rows [][]float64
	for i := range out.Rows() {
		var row []float64
		for _, v := range out.Row(i) {
			row = append(row, float64(v))
		}
		rows = append(rows, row)
	}
	return rows
}

func near(t *testing.T, want, got [][]float64, delta float64) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		assert.InDeltaSlice(t, want[i], got[i], delta, "row %d", i)
	}
}

func TestAgainstScikitLearn(t *testing.T) {
	g := readGolden(t)
	abc, values := classify(g.X, g.Y, "a", "b", "c"), regress(g.X, g.Values)
	logistic := func(penalty float64) train.Model {
		m := baselines.Logistic
		m.Optimizer.WeightDecay = penalty
		return m
	}
	t.Run("prior", func(t *testing.T) {
		near(t, [][]float64{g.Prior}, predict(t, baselines.Prior, abc, g.X[:1]), 1e-6)
		assert.InDelta(t, g.PriorLoss, loss(t, fit(t, baselines.Prior, abc, 9, 1), abc), 1e-6)
	})
	t.Run("majority", func(t *testing.T) {
		p := predict(t, baselines.Majority, abc, g.X[:1])[0]
		assert.Equal(t, g.Majority, slices.Index(p, slices.Max(p)))
	})
	t.Run("mean", func(t *testing.T) {
		near(t, [][]float64{g.Mean}, predict(t, baselines.Mean, values, g.X[:1]), 1e-6)
	})
	t.Run("median", func(t *testing.T) {
		near(t, [][]float64{g.Median}, predict(t, baselines.Median, values, g.X[:1]), 1e-6)
	})
	t.Run("linear", func(t *testing.T) { near(t, g.Linear, predict(t, baselines.Linear, values, g.Xt), 1e-4) })
	t.Run("ridge", func(t *testing.T) { near(t, g.Ridge, predict(t, baselines.Ridge(0.1), values, g.Xt), 1e-4) })
	t.Run("logistic", func(t *testing.T) { near(t, g.Logistic, predict(t, baselines.Logistic, abc, g.Xt), 1e-4) })
	t.Run("logistic-strong", func(t *testing.T) { near(t, g.LogisticStrong, predict(t, logistic(0.3), abc, g.Xt), 1e-4) })
	t.Run("logistic-binary", func(t *testing.T) {
		var x [][]float32
		var y []float32
		for i, class := range g.Y {
			if class < 2 {
				x, y = append(x, g.X[i]), append(y, class)
			}
		}
		near(t, g.LogisticBinary, predict(t, logistic(1e-2), classify(x, y, "a", "b"), g.Xt), 1e-4)
	})
	t.Run("logistic-unlabelled", func(t *testing.T) { // rows without a class are as if they were not there
		y := slices.Clone(g.Y)
		for i := range y {
			if y[i] == 2 {
				y[i] = -1
			}
		}
		near(t, g.LogisticBinary, predict(t, logistic(1e-2), classify(g.X, y, "a", "b"), g.Xt), 1e-4)
	})
	for k, want := range map[int]neighbours{1: g.KNN1, 5: g.KNN5, 100: g.KNN100} {
		m := baselines.KNN(k)
		t.Run(m.Name, func(t *testing.T) {
			near(t, want.Values, predict(t, m, regress(want.Z, g.Values), want.Zt), 1e-5)
			found := float64(min(k, len(want.Z)))
			var shares [][]float64
			for _, row := range predict(t, m, classify(want.Z, g.Y, "a", "b", "c"), want.Zt) {
				for c, p := range row { // without the neighbour that is a little of every class
					row[c] = (p*(found+1) - 1./3) / found
				}
				shares = append(shares, row)
			}
			near(t, want.Classes, shares, 1e-5)
		})
	}
}
