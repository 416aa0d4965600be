package examples_test

import (
	"iter"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// only keeps the classes from first on, five of them, and counts them from 0.
func only(d train.Data, first int) train.Data {
	pick := func(src train.Source) train.Source {
		return func(p train.Pass) iter.Seq2[train.Batch, error] {
			return func(yield func(train.Batch, error) bool) {
				for b, err := range src(p) {
					kept := train.Batch{Inputs: train.Tensor{Shape: append([]int{0}, b.Inputs.Shape[1:]...)}, Targets: train.Tensor{Shape: []int{0}}}
					for i := range b.Len() {
						if id := int(b.Targets.Data[i]) - first; id >= 0 && id < 5 {
							kept.Inputs.Data = append(kept.Inputs.Data, b.Inputs.Row(i)...)
							kept.Targets.Data = append(kept.Targets.Data, float32(id))
							kept.Inputs.Shape[0]++
							kept.Targets.Shape[0]++
						}
					}
					if (err != nil || kept.Len() > 0) && !yield(kept, err) {
						return
					}
				}
			}
		}
	}
	d.Training, d.Validation = pick(d.Training), pick(d.Validation)
	d.Classes = d.Classes[first : first+5]
	d.Sizes, d.Digest = nil, ""
	return d
}

// TestTransfer learns the digits 0 to 4, keeps what the convolutions know, and
// goes on to 5 to 9.
func TestTransfer(t *testing.T) {
	data, err := datasets.Digits(datasets.Files{})
	data = need(t, data, err)
	low, high := only(data, 0), only(data, 5)
	low.Name, high.Name = "digits 0-4", "digits 5-9"

	r := arttest.New(t, arttest.Recipe{Data: high, Metrics: metrics.Set{metrics.Accuracy}})
	cnn := nn.Classifier("cnn", func(x nn.Node) nn.Node {
		x = x.Conv("conv1", nn.Conv{Filters: 16, Kernel: 3, Pad: 1}).ReLU()
		x = x.Conv("conv2", nn.Conv{Filters: 32, Kernel: 3, Pad: 1}).ReLU().MaxPool(2)
		return x.Flatten().Dense("logits", x.Classes())
	})

	arttest.Step(r, steps.CheckLossOnInit{Model: cnn})
	arttest.Step(r, steps.TransferLearning{Model: cnn, Source: low, SourceEpochs: 5, Epochs: 5, FineTuneEpochs: 5},
		checks.AtLeast("accuracy", train.Validation, 0.95))
}
