package nn

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

// blobs are rows around one centre for each class.
func blobs(rows, features, classes int, seed uint64) train.Batch {
	rng := rand.New(rand.NewPCG(seed, 1))
	centres := make([]float32, classes*features)
	for i := range centres {
		centres[i] = float32(3 * rng.NormFloat64())
	}
	b := train.Batch{Inputs: train.NewTensor(rows, features), Targets: train.NewTensor(rows)}
	for i := range rows {
		k := i % classes
		b.Targets.Data[i] = float32(k)
		for j := range features {
			b.Inputs.Data[i*features+j] = centres[k*features+j] + float32(rng.NormFloat64())/2
		}
	}
	return b
}

func buildMLP(x Node) Node { return x.Dense("hidden", 16).ReLU().Dense("logits", x.Classes()) }

func newTestLearner(t testing.TB, m train.Model, b train.Batch, classes int) *Learner {
	t.Helper()
	l, err := m.New(train.Init{
		Seed: 7, Example: b, Classes: classes, Loss: m.Loss, Optimizer: m.Optimizer.WithDefaults(), Dropout: m.Dropout,
	})
	require.NoError(t, err)
	return l.(*Learner)
}

// fit trains on one batch and returns the losses.
func fit(t testing.TB, l *Learner, b train.Batch, iterations int, rate float64) []float64 {
	t.Helper()
	losses := make([]float64, iterations)
	for i := range losses {
		loss, err := l.Forward(b, i)
		require.NoError(t, err)
		require.NoError(t, l.Update(rate))
		losses[i] = loss
	}
	return losses
}

func TestClassifierLearns(t *testing.T) {
	b := blobs(33, 4, 3, 1)
	l := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	losses := fit(t, l, b, 100, 1e-2)
	require.InDelta(t, math.Log(3), losses[0], 0.05*math.Log(3))
	require.Less(t, losses[99], 0.05)

	p, err := l.Predict(b)
	require.NoError(t, err)
	require.Equal(t, []int{33, 3}, p.Outputs.Shape)
	require.Equal(t, []int{33, 3}, p.Probabilities.Shape)
	require.Equal(t, 33.0, p.Weight)
	require.InDelta(t, 1, p.Probabilities.Data[0]+p.Probabilities.Data[1]+p.Probabilities.Data[2], 1e-5)
	require.Less(t, p.Loss, 0.05)
}

func TestRegressorLearns(t *testing.T) {
	b := train.Batch{Inputs: train.NewTensor(40, 3), Targets: train.NewTensor(40, 2)}
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		for j := range 3 {
			b.Inputs.Data[3*i+j] = float32(rng.NormFloat64())
		}
		b.Targets.Data[2*i] = 2*b.Inputs.Data[3*i] - 1
		b.Targets.Data[2*i+1] = b.Inputs.Data[3*i+1] + b.Inputs.Data[3*i+2]
	}
	m := Regressor("line", func(x Node) Node { return x.Dense("out", x.Values()) })
	l := newTestLearner(t, m, b, 0)
	require.Less(t, fit(t, l, b, 400, 0.05)[399], 1e-4)
	p, err := l.Predict(b)
	require.NoError(t, err)
	require.Empty(t, p.Probabilities.Data)
}

func TestParamsAndTensors(t *testing.T) {
	b := blobs(5, 4, 3, 1)
	l := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	var names []string
	for _, p := range l.Params() {
		names = append(names, p.Name)
		require.Len(t, p.Value, train.Size(p.Shape))
		require.Len(t, p.Grad, len(p.Value))
		require.Equal(t, p.Name == "hidden/weight" || p.Name == "logits/weight", p.Decays)
	}
	require.Equal(t, []string{"hidden/weight", "hidden/bias", "logits/weight", "logits/bias"}, names)
	require.Equal(t, []string{"input", "hidden", "logits", "output"}, l.Tensors())

	_, err := l.Activation("hidden")
	require.ErrorContains(t, err, "before the first Forward or Predict")
	_, err = l.Predict(b)
	require.NoError(t, err)
	h, err := l.Activation("hidden")
	require.NoError(t, err)
	require.Equal(t, []int{5, 16}, h.Shape)
	for _, v := range h.Data {
		require.GreaterOrEqual(t, v, float32(0))
	}
	_, err = l.Activation("nothing")
	require.ErrorContains(t, err, `["input" "hidden" "logits" "output"]`)
}

// Gradients that nobody asked for are not computed.
func TestNeededGradients(t *testing.T) {
	b := pictures(4, 1, 6, 3, 1)
	l := newTestLearner(t, Classifier("cnn", buildCNN), b, 3)
	first := func() step[float32] { return l.net.program.training[0] }
	for _, s := range l.net.program.training {
		if s.layer == "conv1" {
			require.Nil(t, s.din[0], "the gradient of the input")
			require.NotNil(t, s.din[1])
		}
	}
	steps := len(l.net.program.training)
	require.NoError(t, l.Freeze(func(name string) bool { return strings.HasPrefix(name, "conv1/") }))
	require.Len(t, l.net.program.training, steps-1)
	require.NoError(t, l.Freeze(func(name string) bool { return !strings.HasPrefix(name, "logits/") }))
	require.Len(t, l.net.program.training, 1)
	require.Equal(t, "logits", first().layer)
	require.Nil(t, first().din[0])
	require.NoError(t, l.Freeze(func(string) bool { return true }))
	require.Empty(t, l.net.program.training)
	fit(t, l, b, 2, 0.1)
}

func TestFreeze(t *testing.T) {
	b := blobs(16, 4, 3, 1)
	l := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	require.NoError(t, l.Freeze(func(name string) bool { return name == "hidden/weight" || name == "hidden/bias" }))
	before := append([]float32(nil), l.Params()[0].Value...)
	require.Len(t, l.net.program.training, 1, "only the last layer has a backward step")
	fit(t, l, b, 10, 1e-2)
	require.Equal(t, before, l.Params()[0].Value)
	require.NoError(t, l.Freeze(func(string) bool { return false }))
	fit(t, l, b, 1, 1e-2)
	require.NotEqual(t, before, l.Params()[0].Value)
}

// Adam's first update of a parameter changes each element by the learning rate,
// whenever it comes: the moments of what was frozen are as young as their count.
func TestThawedIsAsNew(t *testing.T) {
	const rate = 1e-3
	for _, o := range []train.Optimizer{train.Adam(rate), train.AdamW(rate, 0)} {
		m := Classifier("mlp", buildMLP)
		m.Optimizer = o
		b := blobs(16, 4, 3, 1)
		l := newTestLearner(t, m, b, 3)
		require.NoError(t, l.Freeze(func(name string) bool { return name == "hidden/weight" }))
		fit(t, l, b, 200, rate)
		require.NoError(t, l.Freeze(func(string) bool { return false }))
		w := param(t, l, "hidden/weight")
		for i := range 3 {
			before := slices.Clone(w.Value)
			fit(t, l, b, 1, rate)
			most := 0.0
			for k, v := range w.Value {
				most = max(most, math.Abs(float64(v-before[k])))
			}
			require.InDelta(t, rate, most, 0.1*rate, "update %d of what was frozen", i)
		}
	}
}

// With so many positions the gradient of the weights is a sum of parts: it is the
// mean of those of the rows, and the same bits with any number of threads.
func TestManyPositions(t *testing.T) {
	build := func(x Node) Node { return x.Dense("a", 37).Tanh().Dense("b", 29) }
	b := train.Batch{Inputs: train.NewTensor(3, 400, 31), Targets: train.NewTensor(3, 400, 29)}
	for i := range b.Inputs.Data {
		b.Inputs.Data[i] = float32(math.Sin(float64(i * i)))
	}
	for i := range b.Targets.Data {
		b.Targets.Data[i] = float32(math.Cos(float64(i * i)))
	}
	gradients := func(procs int, batch train.Batch) (all []float32) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		l := newTestLearner(t, Regressor("sequence", build), b, 0)
		_, err := l.Forward(batch, 0)
		require.NoError(t, err)
		for _, p := range l.Params() {
			all = append(all, p.Grad...)
		}
		return all
	}
	got := gradients(1, b)
	require.Equal(t, got, gradients(2, b))
	require.Equal(t, got, gradients(3, b))
	want := make([]float32, len(got))
	for i := range 3 {
		for k, g := range gradients(2, b.Slice(i, i+1)) {
			want[k] += g / 3
		}
	}
	require.InDeltaSlice(t, want, got, 1e-6)
}

func TestUpdateRefusesRates(t *testing.T) {
	b := blobs(4, 4, 3, 1)
	l := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	_, err := l.Forward(b, 0)
	require.NoError(t, err)
	before := slices.Clone(l.Params()[0].Value)
	for _, rate := range []float64{math.NaN(), math.Inf(1)} {
		require.ErrorContains(t, l.Update(rate), "it must be a finite number")
	}
	require.Equal(t, before, l.Params()[0].Value)
}

// A batch with NaN spoils its own result, not the running statistics.
func TestStatisticsStayFinite(t *testing.T) {
	b := blobs(8, 4, 3, 1)
	l := newTestLearner(t, Classifier("norm", func(x Node) Node { return x.BatchNorm("bn").Dense("logits", x.Classes()) }), b, 3)
	fit(t, l, b, 2, 1e-3)
	before := slices.Clone(param(t, l, "bn/mean").Value)
	bad := b.Clone()
	bad.Inputs.Data[3] = float32(math.NaN())
	loss, err := l.Forward(bad, 2)
	require.NoError(t, err)
	require.True(t, math.IsNaN(loss))
	require.Equal(t, before, param(t, l, "bn/mean").Value)
}

func TestStateGoesOn(t *testing.T) {
	for _, o := range []train.Optimizer{train.Adam(1e-2), train.SGD(1e-2, 0.9), train.RMSProp(1e-3), {Method: train.MethodRMSProp, Momentum: 0.9}, train.SGD(0.1, 0)} {
		m := Classifier("mlp", buildMLP)
		m.Optimizer = o
		b := blobs(16, 4, 3, 1)
		a := newTestLearner(t, m, b, 3)
		require.NoError(t, a.Freeze(func(name string) bool { return name == "hidden/weight" }))
		fit(t, a, b, 2, 1e-2)
		require.NoError(t, a.Freeze(func(string) bool { return false }))
		fit(t, a, b, 3, 1e-2)
		c := newTestLearner(t, m, b, 3)
		for i, p := range a.Params() {
			copy(c.Params()[i].Value, p.Value)
		}
		require.NoError(t, c.SetState(a.State()))
		require.Equal(t, a.State(), c.State())
		require.Equal(t, fit(t, a, b, 5, 1e-2), fit(t, c, b, 5, 1e-2))
		require.Equal(t, a.Params(), c.Params())
	}
}

func TestSetStateIsStrict(t *testing.T) {
	b := blobs(4, 4, 3, 1)
	l := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	state := l.State()
	require.ErrorContains(t, l.SetState(state[1:]), `"optimizer/updates" is missing`)
	require.ErrorContains(t, l.SetState(append(state, train.Named{Name: "more"})), `no tensor "more"`)
	wrong := l.State()
	wrong[1].Tensor = train.NewTensor(2)
	require.ErrorContains(t, l.SetState(wrong), `"hidden/weight/mean" has shape [2], want [16 4]`)
	for _, count := range [][]float32{{-1, 5}, {0, million}, {0, 0.5}, {float32(math.NaN()), 0}} {
		damaged := l.State()
		copy(damaged[0].Tensor.Data[2:], count)
		require.ErrorContains(t, l.SetState(damaged), "for parameter 1, which are no millions and rest of a count")
	}
	require.Equal(t, state, l.State())
}

func TestPartialBatch(t *testing.T) {
	b := blobs(16, 4, 3, 1)
	l := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	whole, err := l.Predict(b)
	require.NoError(t, err)
	want := whole.Outputs.Clone()
	for _, n := range []int{1, 7, 16} {
		part, err := l.Predict(b.Slice(0, n))
		require.NoError(t, err)
		require.Equal(t, []int{n, 3}, part.Outputs.Shape)
		require.InDeltaSlice(t, want.Data[:3*n], part.Outputs.Data, 1e-5)
	}
}

func TestMistakesOfBatches(t *testing.T) {
	b := blobs(4, 4, 3, 1)
	l := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	_, err := l.Forward(blobs(4, 5, 3, 1), 0)
	require.ErrorContains(t, err, "inputs: got shape [4 5], want [rows] and [4]")
	bad := b.Clone()
	bad.Targets.Data[2] = 3
	_, err = l.Forward(bad, 0)
	require.ErrorContains(t, err, "row 2 has the class id 3, but there are 3 classes")
	bad.Targets.Data[2] = 0.5
	_, err = l.Predict(bad)
	require.ErrorContains(t, err, "row 2 has the class id 0.5")
	bad.Targets.Data[2] = -1
	p, err := l.Predict(bad)
	require.NoError(t, err)
	require.Equal(t, 3.0, p.Weight)
}
