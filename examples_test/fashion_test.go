package examples_test

import (
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// TestFashion is the quickstart of the Python ART's README: its network, its
// three steps. The data is a sample that comes as one small file.
func TestFashion(t *testing.T) {
	data, err := datasets.FashionSample(datasets.Files{})
	data = need(t, data, err)
	data.BatchSize = 16

	r := arttest.New(t, arttest.Recipe{Data: data, Metrics: metrics.Set{metrics.Accuracy, metrics.CrossEntropy}})
	cnn := nn.Classifier("mnist-model", func(x nn.Node) nn.Node {
		x = x.Conv("conv1", nn.Conv{Filters: 8, Kernel: 3, Pad: 1}).ReLU().MaxPool(2)
		x = x.Conv("conv2", nn.Conv{Filters: 32, Kernel: 3, Pad: 1}).ReLU().MaxPool(2)
		return x.Flatten().Dense("fc", x.Classes())
	})
	cnn.Optimizer = train.Adam(1e-3)

	arttest.Step(r, steps.CheckLossOnInit{Model: cnn})
	arttest.Step(r, steps.OverfitOneBatch{Model: cnn, Iterations: 100})
	arttest.Step(r, steps.Overfit{Model: cnn, Epochs: 10}, checks.AtLeast("accuracy", train.Training, 0.8))
}
