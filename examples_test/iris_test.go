package examples_test

import (
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

// TestIris is the quickstart: 150 flowers, a small network, the usual steps.
func TestIris(t *testing.T) {
	r := arttest.New(t, arttest.Recipe{
		Data:    datasets.Iris(),
		Metrics: metrics.Set{metrics.Accuracy},
	})
	mlp := nn.Classifier("mlp", func(x nn.Node) nn.Node {
		return x.Dense("hidden", 16).ReLU().Dense("logits", x.Classes())
	})
	mlp.Optimizer = train.Adam(1e-2)

	arttest.Step(r, steps.ExploreData{})
	arttest.Step(r, steps.EvaluateBaseline{Models: []train.Model{baselines.Majority, baselines.Logistic}})
	arttest.Step(r, steps.CheckLossOnInit{Model: mlp}) // expects ln K on its own
	arttest.Step(r, steps.OverfitOneBatch{Model: mlp})
	arttest.Step(r, steps.Overfit{Model: mlp, Epochs: 60}, checks.AtLeast("accuracy", train.Training, 0.95))
	arttest.Step(r, steps.Regularize{Model: mlp, Epochs: 60, WeightDecay: 1e-3}, checks.AtLeast("accuracy", train.Validation, 0.9))
}
