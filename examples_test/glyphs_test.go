package examples_test

import (
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/decorators"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// TestGlyphs learns characters from pictures: a convolutional network, probes
// that look inside, and variants of regularising, tried until one passes.
func TestGlyphs(t *testing.T) {
	r := arttest.New(t, arttest.Recipe{
		Data:    datasets.Glyphs(datasets.GlyphOptions{}),
		Metrics: metrics.Set{metrics.Accuracy, metrics.ConfusionMatrix, metrics.ECE},
	})
	cnn := nn.Classifier("cnn", func(x nn.Node) nn.Node {
		x = x.Conv("conv1", nn.Conv{Filters: 8, Kernel: 3, Pad: 1}).BatchNorm("norm1").ReLU().MaxPool(2)
		x = x.Conv("conv2", nn.Conv{Filters: 16, Kernel: 3, Pad: 1}).BatchNorm("norm2").ReLU().MaxPool(2)
		return x.Flatten().Dropout("drop", 0.1).Dense("logits", x.Classes())
	})
	cnn.Optimizer = train.Adam(2e-3)

	arttest.Step(r, steps.ExploreData{})
	arttest.Step(r, steps.EvaluateBaseline{Models: []train.Model{baselines.Majority, baselines.Logistic}})
	arttest.Step(r, steps.CheckLossOnInit{Model: cnn})
	arttest.Step(r, steps.OverfitOneBatch{Model: cnn, Options: arttest.Options{
		Decorators: []train.Decorator{decorators.BatchSaver{}.Decorate, decorators.GradientStats{}.Decorate},
	}})
	arttest.Step(r, steps.Overfit{Model: cnn, Epochs: 6}, checks.AtLeast("accuracy", train.Training, 0.97))
	arttest.Step(r, steps.Regularize{
		Model: cnn, Epochs: 8,
		Variants: []steps.Variant{{WeightDecay: 1e-3}, {Dropout: 0.3}, {Dropout: 0.3, WeightDecay: 1e-3, LabelSmoothing: 0.05}},
	}, checks.AtLeast("accuracy", train.Validation, 0.95))
}
