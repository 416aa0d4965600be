package nn

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// Allocations of an iteration do not depend on the sizes of tensors: they are
// what kernels need to share work, and nothing in a network that runs serially.
func TestAllocations(t *testing.T) {
	limits := map[string]float64{
		"cnn-8-32/batch-16": 60, "cnn-8-32/batch-128": 60, "cnn-32-64/batch-16": 60,
		"mlp-784-512-512-10/batch-16": 60, "mlp-784-512-512-10/batch-128": 60,
		"cnn-32-64-128/batch-64": 90, "logistic-4-3/batch-16": 12, "transformer-128/batch-32": 150,
		"every-picture-layer": 120, "every-text-layer": 90,
	}
	every := []peerRow{
		{"every-picture-layer", []int{2, 12, 12}, 16, 5, Classifier("pictures", func(x Node) Node {
			x = x.Apply("block", composite{filters: 2}).Dropout("drop", 0.5).AvgPool(2)
			y := x.Conv("conv", Conv{Filters: 4, Kernel: 3, NoBias: true}).BatchNorm("bn").ReLU().MaxPool(2)
			x = Concat(0, x.GlobalAvgPool(), y.Flatten()).Dense("a", 8).BatchNorm("bn2").LeakyReLU(0.1)
			return x.Dense("b", 8).Sigmoid().Dense("logits", x.Classes())
		})},
		{"every-text-layer", []int{8}, 16, 5, Classifier("text", func(x Node) Node {
			x = x.Embedding("emb", 5, 8).Positions("pos")
			x = x.Attention("attn", Attention{Heads: 2, Causal: true}).Add(x).LayerNorm("ln").GELU().Softmax()
			return x.GRU("gru", GRU{Units: 6, Last: true}).Tanh().Dense("logits", x.Classes())
		})},
	}
	for _, p := range append(peerRows(), every...) {
		t.Run(p.name, func(t *testing.T) {
			if testing.Short() && p.rows > 16 {
				t.Skip("long")
			}
			l, batch := p.learner(t)
			if p.name == "every-text-layer" {
				for i, v := range batch.Inputs.Data {
					batch.Inputs.Data[i] = float32(int(v*v) % 5)
				}
			}
			fit(t, l, batch, 2, 0.01)
			got := testing.AllocsPerRun(3, func() {
				_, err := l.Forward(batch, 0)
				require.NoError(t, err)
				require.NoError(t, l.Update(0.01))
			})
			require.LessOrEqual(t, got, limits[p.name])
			got = testing.AllocsPerRun(3, func() {
				_, err := l.Predict(batch)
				require.NoError(t, err)
			})
			require.LessOrEqual(t, got, limits[p.name])
		})
	}
}

// Memory does not grow over many iterations, with batches of changing size.
func TestMemoryIsFlat(t *testing.T) {
	iterations := 10000
	if testing.Short() {
		iterations = 1000
	}
	b := pictures(9, 1, 6, 3, 2)
	l := newTestLearner(t, Classifier("cnn", buildCNN), b, 3)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	run := func(n int) {
		for i := range n {
			_, err := l.Forward(b.Slice(0, 2+i%8), i)
			require.NoError(t, err)
			require.NoError(t, l.Update(1e-3))
			if i%10 == 0 {
				_, err := l.Predict(b)
				require.NoError(t, err)
			}
		}
	}
	run(100)
	before := heap()
	run(iterations)
	require.Less(t, heap(), before+100<<10)
}
