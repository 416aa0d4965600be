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

// TestNames learns which character follows in a given name. Its loss can be
// known at both ends: ln 27 when every character is as likely as another, and
// 2.8 for knowing how frequent each is.
func TestNames(t *testing.T) {
	data, err := datasets.Names(datasets.NamesOptions{EveryPosition: true, Limit: 4000, BatchSize: 64})
	data = need(t, data, err)

	r := arttest.New(t, arttest.Recipe{Data: data, Metrics: metrics.Set{metrics.CrossEntropy, metrics.TopK(5)}})
	gru := nn.Classifier("gru", func(x nn.Node) nn.Node {
		x = x.Embedding("characters", data.Tokens, 24).GRU("memory", nn.GRU{Units: 64})
		return x.Dense("logits", x.Classes())
	})
	gru.Optimizer = train.Adam(5e-3)

	arttest.Step(r, steps.ExploreData{})
	arttest.Step(r, steps.EvaluateBaseline{Model: baselines.Prior}, checks.AtMost("loss", train.Validation, 3))
	arttest.Step(r, steps.CheckLossOnInit{Model: gru})
	arttest.Step(r, steps.OverfitOneBatch{Model: gru, Rows: 2}) // many names begin alike: two are easy to know by heart
	arttest.Step(r, steps.Overfit{Model: gru, Epochs: 5}, checks.AtMost("loss", train.Training, 2.3))
	arttest.Step(r, steps.Regularize{Model: gru, Epochs: 5, WeightDecay: 1e-5}, checks.AtMost("loss", train.Validation, 2.3))
}
