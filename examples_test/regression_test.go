package examples_test

import (
	"math"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// friedman is a problem of Friedman (1991): five inputs in [0, 1] count, five
// do not, y = 10 sin(π·x₁x₂) + 20(x₃−½)² + 10x₄ + 5x₅ + noise of deviation 1.
// Targets are standardised by the known mean and deviation of y, 14.4 and 5.
func friedman(rows int) datasets.Set {
	rng := train.Rand(1, "friedman")
	inputs, targets := make([][]float32, rows), make([]float32, rows)
	for i := range inputs {
		x := make([]float32, 10)
		for j := range x {
			x[j] = rng.Float32()
		}
		f := func(j int) float64 { return float64(x[j]) }
		y := 10*math.Sin(math.Pi*f(0)*f(1)) + 20*(f(2)-0.5)*(f(2)-0.5) + 10*f(3) + 5*f(4) + rng.NormFloat64()
		inputs[i], targets[i] = x, float32((y-14.4)/5)
	}
	set, err := datasets.FromRows(inputs, targets, nil)
	if err != nil {
		panic(err) // the rows above are of one length
	}
	set.Name = "friedman"
	return set
}

// TestRegression predicts a value. The noise leaves 0.04 of the variance that
// nobody can predict; a line leaves 0.28.
func TestRegression(t *testing.T) {
	data, err := friedman(2000).Data(datasets.Options{})
	data = need(t, data, err)

	r := arttest.New(t, arttest.Recipe{Data: data, Metrics: metrics.Set{metrics.R2, metrics.RMSE}})
	mlp := nn.Regressor("mlp", func(x nn.Node) nn.Node {
		return x.Dense("hidden1", 32).ReLU().Dense("hidden2", 32).ReLU().Dense("value", x.Values())
	})
	mlp.Optimizer = train.Adam(3e-3)

	arttest.Step(r, steps.ExploreData{})
	arttest.Step(r, steps.EvaluateBaseline{Models: []train.Model{baselines.Mean, baselines.Linear}})
	arttest.Step(r, steps.CheckLossOnInit{Model: mlp})
	arttest.Step(r, steps.OverfitOneBatch{Model: mlp})
	arttest.Step(r, steps.Overfit{Model: mlp, Epochs: 40}, checks.AtLeast("r2", train.Training, 0.93))
	arttest.Step(r, steps.Regularize{Model: mlp, Epochs: 40, WeightDecay: 1e-4, Patience: 10}, checks.AtLeast("r2", train.Validation, 0.9))
}
