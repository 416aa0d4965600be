package ours

import (
	"fmt"
	"math/rand/v2"

	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/train"
)

// row is a network and its batch; Row in internal/peers has the meaning of the
// fields.
type row struct {
	Name, Kind    string
	Shape, Widths []int
	Rows, Classes int
	Heads         int
}

// rate is the learning rate of every engine.
const rate = 0.001

func (r row) model() (train.Model, error) {
	build := map[string]func(nn.Node) nn.Node{"cnn": r.cnn, "mlp": r.mlp, "transformer": r.transformer}[r.Kind]
	if build == nil {
		return train.Model{}, fmt.Errorf("row %q has the unknown kind %q", r.Name, r.Kind)
	}
	m := nn.Classifier(r.Name, build)
	if r.Classes == 0 {
		m = nn.Regressor(r.Name, build)
	}
	m.Optimizer = train.SGD(rate, 0)
	return m, nil
}

func (r row) cnn(x nn.Node) nn.Node {
	for i, filters := range r.Widths {
		x = x.Conv(fmt.Sprintf("conv%d", i+1), nn.Conv{Filters: filters, Kernel: 3, Pad: 1}).ReLU().MaxPool(2)
	}
	return x.Flatten().Dense("logits", x.Classes())
}

func (r row) mlp(x nn.Node) nn.Node {
	for i, units := range r.Widths {
		x = x.Dense(fmt.Sprintf("fc%d", i+1), units).ReLU()
	}
	return x.Dense("logits", x.Classes())
}

// transformer is one block, normalised after each half.
func (r row) transformer(x nn.Node) nn.Node {
	x = x.Attention("attn", nn.Attention{Heads: r.Heads}).Add(x).LayerNorm("ln1")
	return x.Dense("up", r.Widths[0]).ReLU().Dense("down", r.Shape[1]).Add(x).LayerNorm("ln2")
}

// batch is drawn from a seed of its own, so that it is the same in every process.
func (r row) batch() train.Batch {
	rng := rand.New(rand.NewPCG(1, 2))
	b := train.Batch{Inputs: train.NewTensor(append([]int{r.Rows}, r.Shape...)...), Targets: train.NewTensor(r.Rows)}
	if r.Classes == 0 {
		b.Targets = train.NewTensor(b.Inputs.Shape...)
	}
	for i := range b.Inputs.Data {
		b.Inputs.Data[i] = float32(rng.NormFloat64())
	}
	for i := range b.Targets.Data {
		if r.Classes == 0 {
			b.Targets.Data[i] = float32(rng.NormFloat64())
		} else {
			b.Targets.Data[i] = float32(rng.IntN(r.Classes))
		}
	}
	return b
}

func (r row) learner(b train.Batch) (train.Learner, error) {
	m, err := r.model()
	if err != nil {
		return nil, err
	}
	return m.New(train.Init{Seed: 7, Example: b, Classes: r.Classes, Loss: m.Loss, Optimizer: m.Optimizer.WithDefaults()})
}
