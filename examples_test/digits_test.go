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

// TestDigits reads handwriting. Validation is by 13 people of whom training has
// nothing, so its score is what to expect of a stranger's hand.
func TestDigits(t *testing.T) {
	data, err := datasets.Digits(datasets.Files{})
	data = need(t, data, err)

	r := arttest.New(t, arttest.Recipe{
		Data:    data,
		Metrics: metrics.Set{metrics.Accuracy, metrics.F1, metrics.ConfusionMatrix},
	})
	cnn := nn.Classifier("cnn", func(x nn.Node) nn.Node {
		x = x.Conv("conv1", nn.Conv{Filters: 16, Kernel: 3, Pad: 1}).ReLU()
		x = x.Conv("conv2", nn.Conv{Filters: 32, Kernel: 3, Pad: 1}).ReLU().MaxPool(2)
		return x.Flatten().Dropout("drop", 0.2).Dense("hidden", 64).ReLU().Dense("logits", x.Classes())
	})
	cnn.Optimizer = train.Adam(1e-3)
	cnn.Optimizer.Schedule = train.Cosine(0.01)

	arttest.Step(r, steps.ExploreData{})
	arttest.Step(r, steps.EvaluateBaseline{Models: []train.Model{baselines.Majority, baselines.Logistic, baselines.KNN(3)}})
	arttest.Step(r, steps.CheckLossOnInit{Model: cnn})
	arttest.Step(r, steps.OverfitOneBatch{Model: cnn})
	arttest.Step(r, steps.Overfit{Model: cnn, Epochs: 12}, checks.AtLeast("accuracy", train.Training, 0.99))
	arttest.Step(r, steps.Regularize{Model: cnn, Epochs: 20, Dropout: 0.3, WeightDecay: 1e-4},
		checks.AtLeast("accuracy", train.Validation, 0.97))
}
