package nn

import (
	"sync"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

func TestBinaryClassifier(t *testing.T) {
	b := blobs(30, 4, 2, 3)
	m := Classifier("binary", func(x Node) Node { return x.Dense("hidden", 8).ReLU().Dense("logit", 1) })
	m.Loss = train.Loss{Kind: train.BinaryCrossEntropy}
	l := newTestLearner(t, m, b, 2)
	losses := fit(t, l, b, 200, 0.02)
	require.InDelta(t, 0.693, losses[0], 0.03)
	require.Less(t, losses[199], 0.05)
	b.Targets.Data[0] = -1 // left out
	p, err := l.Predict(b)
	require.NoError(t, err)
	require.Equal(t, []int{30, 1}, p.Outputs.Shape)
	require.Equal(t, []int{30, 2}, p.Probabilities.Shape)
	require.Equal(t, 29.0, p.Weight)
	for i := 1; i < 30; i++ {
		row := p.Probabilities.Row(i)
		require.InDelta(t, 1, row[0]+row[1], 1e-6)
		require.Greater(t, row[int(b.Targets.Data[i])], float32(0.5))
	}
}

func TestIndependentLabels(t *testing.T) {
	b := blobs(30, 4, 4, 3)
	labels := train.NewTensor(30, 2)
	for i, k := range b.Targets.Data {
		labels.Data[2*i], labels.Data[2*i+1] = float32(int(k)&1), float32(int(k)>>1)
	}
	b.Targets = labels
	m := Classifier("labels", func(x Node) Node { return x.Dense("hidden", 16).ReLU().Dense("logits", 2) })
	m.Loss = train.Loss{Kind: train.BinaryCrossEntropy}
	l := newTestLearner(t, m, b, 0)
	require.Less(t, fit(t, l, b, 200, 0.02)[199], 0.1)
	p, err := l.Predict(b)
	require.NoError(t, err)
	require.Equal(t, []int{30, 2}, p.Probabilities.Shape)
	require.Len(t, p.Probabilities.Data, 60)
}

// A class at every position, some of them left out: tell the id before.
func TestSequenceClassifier(t *testing.T) {
	b := train.Batch{Inputs: train.NewTensor(20, 6), Targets: train.NewTensor(20, 6)}
	rng := train.Rand(1, "ids")
	for i := range b.Inputs.Data {
		b.Inputs.Data[i] = float32(rng.IntN(4))
		b.Targets.Data[i] = -1
		if i%6 > 0 {
			b.Targets.Data[i] = b.Inputs.Data[i-1]
		}
	}
	for name, layer := range map[string]Layer{"attention": Attention{Heads: 2, Causal: true}, "gru": GRU{Units: 16}} {
		t.Run(name, func(t *testing.T) {
			m := Classifier("sequence", func(x Node) Node {
				return x.Embedding("e", 4, 16).Apply("p", Positions{Init: Normal(0, 1)}).Apply("l", layer).Dense("h", 16).ReLU().Dense("logits", x.Classes())
			})
			l := newTestLearner(t, m, b, 4)
			require.Less(t, fit(t, l, b, 300, 0.01)[299], 0.1)
			p, err := l.Predict(b)
			require.NoError(t, err)
			require.Equal(t, []int{20, 6, 4}, p.Probabilities.Shape)
			require.Equal(t, 100.0, p.Weight)
		})
	}
}

// A model without a kind of loss keeps that of its constructor.
func TestLossKindDefaults(t *testing.T) {
	b := blobs(6, 4, 3, 3)
	m := Classifier("smooth", buildMLP)
	m.Loss = train.Loss{Smoothing: 0.1}
	newTestLearner(t, m, b, 3)
	m.Loss = train.Loss{Smoothing: 1}
	_, err := m.New(train.Init{Example: b, Classes: 3, Loss: m.Loss})
	require.ErrorContains(t, err, "smoothing 1 is outside [0, 1)")
}

// Learners of their own may be built and trained at the same time.
func TestLearnersInParallel(t *testing.T) {
	b := pictures(6, 1, 6, 3, 2)
	losses := make([][]float64, 8)
	var wg sync.WaitGroup
	for i := range losses {
		wg.Go(func() {
			l, err := Classifier("cnn", buildCNN).New(train.Init{Seed: 7, Example: b, Classes: 3, Loss: train.Loss{Kind: train.CrossEntropy}})
			if err != nil {
				t.Error(err)
				return
			}
			for k := range 20 {
				loss, err := l.Forward(b, k)
				if err != nil {
					t.Error(err)
				}
				losses[i] = append(losses[i], loss)
				if err := l.Update(0.01); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, got := range losses {
		require.Equal(t, losses[0], got)
	}
}
