package ours

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

// TestQuickstart is what python/quickstart.py does: the same pictures, the same
// network, the same three steps.
func TestQuickstart(t *testing.T) {
	out := os.Getenv("ART_PEERS_QUICKSTART")
	if out == "" {
		t.Skip("a part of make bench-peers")
	}
	begin := time.Now()
	data, err := fashion400(os.Getenv(datasets.DataDirVariable))
	require.NoError(t, err)
	loaded := time.Now()

	r := arttest.New(t, arttest.Recipe{Name: "quickstart", Data: data, Metrics: metrics.Set{metrics.Accuracy, metrics.CrossEntropy}})
	cnn := nn.Classifier("mnist-model", func(x nn.Node) nn.Node {
		x = x.Conv("conv1", nn.Conv{Filters: 8, Kernel: 3, Pad: 1}).MaxPool(2).ReLU()
		x = x.Conv("conv2", nn.Conv{Filters: 32, Kernel: 3, Pad: 1}).MaxPool(2).ReLU()
		return x.Flatten().Dense("fc", x.Classes())
	})
	cnn.Optimizer = train.Adam(1e-3)
	arttest.Step(r, steps.CheckLossOnInit{Model: cnn})
	arttest.Step(r, steps.OverfitOneBatch{Model: cnn, Iterations: 100, Loss: 0.5})
	arttest.Step(r, steps.Overfit{Model: cnn, Epochs: 10}, checks.AtLeast("accuracy", train.Training, 0.5))
	done := time.Now()

	text, err := json.Marshal(map[string]any{"Seconds": map[string]float64{
		"data": loaded.Sub(begin).Seconds(), "recipe": done.Sub(loaded).Seconds(),
	}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(out, text, 0o644))
}

// fashion400 is 20 pictures of each class for training and 20 for validation.
func fashion400(dir string) (train.Data, error) {
	dir = filepath.Join(dir, "fashion-mnist")
	all, err := datasets.IDX{
		Images: filepath.Join(dir, "sprite900-images-idx3-ubyte.gz"),
		Labels: filepath.Join(dir, "sprite900-labels-idx1-ubyte.gz"),
		Name:   "fashion-mnist-400",
	}.Load()
	if err != nil {
		return train.Data{}, err
	}
	part := func(first int) datasets.Set {
		var rows []int
		for i := first; i < first+20; i++ {
			for class := range 10 {
				rows = append(rows, 90*class+i)
			}
		}
		return datasets.Subset(all, rows)
	}
	data, err := datasets.Stages{Training: part(0), Validation: part(20)}.Data()
	data.BatchSize = 16
	return data, err
}
