package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

// peerRow is one of the networks that are measured against other engines.
type peerRow struct {
	name    string
	shape   []int // of a row
	rows    int
	classes int
	model   train.Model
}

func cnnOf(filters ...int) func(x Node) Node {
	return func(x Node) Node {
		for i, f := range filters {
			x = x.Conv([]string{"conv1", "conv2", "conv3"}[i], Conv{Filters: f, Kernel: 3, Pad: 1}).ReLU().MaxPool(2)
		}
		return x.Flatten().Dense("logits", x.Classes())
	}
}

func buildWideMLP(x Node) Node {
	return x.Dense("fc1", 512).ReLU().Dense("fc2", 512).ReLU().Dense("logits", x.Classes())
}

// buildTransformer is one block, normalised after each half.
func buildTransformer(x Node) Node {
	x = x.Attention("attn", Attention{Heads: 4}).Add(x).LayerNorm("ln1")
	return x.Dense("up", 512).ReLU().Dense("down", 128).Add(x).LayerNorm("ln2")
}

func peerRows() []peerRow {
	return []peerRow{
		{"cnn-8-32/batch-16", []int{1, 28, 28}, 16, 10, Classifier("cnn", cnnOf(8, 32))},
		{"cnn-8-32/batch-128", []int{1, 28, 28}, 128, 10, Classifier("cnn", cnnOf(8, 32))},
		{"cnn-32-64/batch-16", []int{1, 28, 28}, 16, 10, Classifier("cnn", cnnOf(32, 64))},
		{"mlp-784-512-512-10/batch-16", []int{784}, 16, 10, Classifier("mlp", buildWideMLP)},
		{"mlp-784-512-512-10/batch-128", []int{784}, 128, 10, Classifier("mlp", buildWideMLP)},
		{"cnn-32-64-128/batch-64", []int{3, 32, 32}, 64, 10, Classifier("cnn", cnnOf(32, 64, 128))},
		{"logistic-4-3/batch-16", []int{4}, 16, 3, Classifier("logistic", func(x Node) Node { return x.Dense("logits", x.Classes()) })},
		{"transformer-128/batch-32", []int{64, 128}, 32, 0, Regressor("transformer", buildTransformer)},
	}
}

func (p peerRow) batch() train.Batch {
	rng := rand.New(rand.NewPCG(1, 2))
	b := train.Batch{Inputs: train.NewTensor(append([]int{p.rows}, p.shape...)...), Targets: train.NewTensor(p.rows)}
	if p.classes == 0 {
		b.Targets = train.NewTensor(b.Inputs.Shape...)
	}
	for i := range b.Inputs.Data {
		b.Inputs.Data[i] = float32(rng.NormFloat64())
	}
	for i := range b.Targets.Data {
		b.Targets.Data[i] = float32(rng.IntN(max(p.classes, 2)))
	}
	return b
}

func (p peerRow) learner(t testing.TB) (*Learner, train.Batch) {
	p.model.Optimizer = train.SGD(0.01, 0)
	b := p.batch()
	return newTestLearner(t, p.model, b, p.classes), b
}

// BenchmarkIteration is one iteration: forward, loss, backward, SGD.
func BenchmarkIteration(b *testing.B) {
	for _, p := range peerRows() {
		b.Run(p.name, func(b *testing.B) {
			l, batch := p.learner(b)
			fit(b, l, batch, 3, 0.01)
			b.ReportAllocs()
			for b.Loop() {
				_, err := l.Forward(batch, 0)
				require.NoError(b, err)
				require.NoError(b, l.Update(0.01))
			}
		})
	}
}

// BenchmarkPredict is the same in inference.
func BenchmarkPredict(b *testing.B) {
	for _, p := range peerRows() {
		b.Run(p.name, func(b *testing.B) {
			l, batch := p.learner(b)
			b.ReportAllocs()
			for b.Loop() {
				_, err := l.Predict(batch)
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkNew is building a learner: graph, derivatives, weights.
func BenchmarkNew(b *testing.B) {
	for _, p := range peerRows() {
		b.Run(p.name, func(b *testing.B) {
			batch := p.batch()
			b.ReportAllocs()
			for b.Loop() {
				newTestLearner(b, p.model, batch, p.classes)
			}
		})
	}
}
