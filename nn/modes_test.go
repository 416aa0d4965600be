package nn

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

func pictures(rows, channels, size, classes int, seed uint64) train.Batch {
	flat := blobs(rows, channels*size*size, classes, seed)
	flat.Inputs.Shape = []int{rows, channels, size, size}
	return flat
}

func buildCNN(x Node) Node {
	x = x.Conv("conv1", Conv{Filters: 4, Kernel: 3, Pad: 1}).BatchNorm("bn1").ReLU().MaxPool(2)
	return x.Flatten().Dropout("drop", 0.5).Dense("logits", x.Classes())
}

func param(t testing.TB, l train.Learner, name string) train.Param {
	t.Helper()
	i := slices.IndexFunc(l.Params(), func(p train.Param) bool { return p.Name == name })
	require.GreaterOrEqual(t, i, 0, name)
	return l.Params()[i]
}

func TestDropoutRate(t *testing.T) {
	b := train.Batch{Inputs: train.NewTensor(100, 1000), Targets: train.NewTensor(100, 1000)}
	for i := range b.Inputs.Data {
		b.Inputs.Data[i] = 1
	}
	m := Regressor("drop", func(x Node) Node { return x.Dropout("drop", 0.2) })
	run := func(rate float64, seed uint64, iteration int) []float32 {
		l, err := m.New(train.Init{Seed: seed, Example: b, Loss: m.Loss, Dropout: rate})
		require.NoError(t, err)
		_, err = l.Forward(b, iteration)
		require.NoError(t, err)
		y, err := l.(*Learner).Activation("output")
		require.NoError(t, err)
		return slices.Clone(y.Data)
	}
	for _, rate := range []float64{0, 0.7} { // 0 leaves the layer's own
		y, zeros := run(rate, 1, 0), 0
		p := orDefault(rate, 0.2)
		for _, v := range y {
			if v == 0 {
				zeros++
			} else {
				require.InDelta(t, 1/(1-p), v, 1e-6)
			}
		}
		require.InDelta(t, p, float64(zeros)/1e5, 0.01)
	}
	first := run(0, 1, 0)
	require.Equal(t, first, run(0, 1, 0), "the mask is a function of seed and iteration")
	require.NotEqual(t, first, run(0, 1, 1))
	require.NotEqual(t, first, run(0, 2, 0))

	l := newTestLearner(t, m, b, 0)
	p, err := l.Predict(b)
	require.NoError(t, err)
	require.Equal(t, b.Inputs.Data, p.Outputs.Data, "inference leaves the input alone")
}

func TestDropoutsDiffer(t *testing.T) {
	b := blobs(8, 64, 2, 1)
	m := Classifier("two", func(x Node) Node {
		return Concat(0, x.Dropout("a", 0.5), x.Dropout("b", 0.5)).Dense("logits", x.Classes())
	})
	l := newTestLearner(t, m, b, 2)
	fit(t, l, b, 1, 0)
	a, err := l.Activation("a")
	require.NoError(t, err)
	c, err := l.Activation("b")
	require.NoError(t, err)
	require.NotEqual(t, a.Data, c.Data)
}

func TestBatchNormStatistics(t *testing.T) {
	b := train.Batch{Inputs: train.Tensor{Shape: []int{4, 1}, Data: []float32{1, 2, 3, 6}}, Targets: train.NewTensor(4, 1)}
	m := Regressor("bn", func(x Node) Node { return x.BatchNorm("bn") })
	l := newTestLearner(t, m, b, 0)
	_, err := l.Predict(b)
	require.NoError(t, err)
	require.Equal(t, []float32{0}, param(t, l, "bn/mean").Value, "inference changes nothing")
	_, err = l.Forward(b, 0)
	require.NoError(t, err)
	// mean 3, unbiased variance 14/3; momentum 0.1
	require.InDelta(t, 0.3, param(t, l, "bn/mean").Value[0], 1e-6)
	require.InDelta(t, 0.9+0.1*14/3, param(t, l, "bn/variance").Value[0], 1e-6)
	require.Nil(t, param(t, l, "bn/mean").Grad)
	y, err := l.Activation("bn")
	require.NoError(t, err)
	require.InDelta(t, -2/math.Sqrt(3.5), y.Data[0], 1e-4)

	_, err = l.Forward(b.Slice(0, 1), 1)
	require.ErrorContains(t, err, `layer "bn": one value for each channel has no variance`)
	_, err = l.Predict(b.Slice(0, 1))
	require.NoError(t, err)
}

func TestFrozenBatchNorm(t *testing.T) {
	b := pictures(6, 1, 6, 3, 2)
	for _, pick := range []func(string) bool{
		func(n string) bool { return n == "bn1/scale" || n == "bn1/shift" }, // the layer, by what is trained
		func(n string) bool { return n == "bn1/mean" || n == "bn1/variance" },
		func(n string) bool { return n != "logits/weight" },
		func(string) bool { return true },
	} {
		l := newTestLearner(t, Classifier("cnn", buildCNN), b, 3)
		fit(t, l, b, 3, 0.01)
		require.NoError(t, l.Freeze(pick))
		before := map[string][]float32{}
		for _, p := range l.Params() {
			if p.Frozen {
				before[p.Name] = slices.Clone(p.Value)
			}
		}
		require.Contains(t, before, "bn1/mean")
		require.Contains(t, before, "bn1/variance")
		fit(t, l, b, 3, 0.01)
		for name, want := range before {
			require.Equal(t, want, param(t, l, name).Value, name)
		}
	}
}

func TestPullback(t *testing.T) {
	b := pictures(3, 2, 6, 3, 2)
	l := newTestLearner(t, Classifier("cnn", buildCNN), b, 3)
	fit(t, l, b, 5, 0.01)
	for i, p := range l.Params() { // away from the small weights of the last layer
		for j := range p.Value {
			p.Value[j] += float32(math.Sin(float64(31*i+j))) / 4
		}
	}
	c := train.NewTensor(3, 3)
	for i := range c.Data {
		c.Data[i] = float32(i) - 3
	}
	value := func() float64 {
		p, err := l.Predict(b)
		require.NoError(t, err)
		s := 0.0
		for i, v := range p.Outputs.Data {
			s += float64(v * c.Data[i])
		}
		return s
	}
	grads := slices.Clone(l.Params()[0].Grad)
	g, err := l.Pullback(b, c, "input")
	require.NoError(t, err)
	require.Equal(t, b.Inputs.Shape, g.Shape)
	g = g.Clone()
	require.Equal(t, grads, l.Params()[0].Grad, "gradients of the last Forward stay")
	const h = 1e-2
	for i := 0; i < len(b.Inputs.Data); i += 5 {
		v := b.Inputs.Data[i]
		b.Inputs.Data[i] = v + h
		up := value()
		b.Inputs.Data[i] = v - h
		down := value()
		b.Inputs.Data[i] = v
		require.InDelta(t, (up-down)/(2*h), g.Data[i], 0.05*(1+math.Abs(float64(g.Data[i]))), i)
	}
	inner, err := l.Pullback(b, c, "drop")
	require.NoError(t, err)
	w := param(t, l, "logits/weight").Value
	want := make([]float32, 36)
	for k := range 3 {
		for j := range want {
			want[j] += c.Data[k] * w[36*k+j]
		}
	}
	require.InDeltaSlice(t, want, inner.Data[:36], 1e-5)
	out, err := l.Pullback(b, c, "output")
	require.NoError(t, err)
	require.Equal(t, c.Data, out.Data)
	for _, name := range l.Tensors() {
		g, err := l.Pullback(b, c, name)
		require.NoError(t, err, name)
		a, err := l.Activation(name)
		require.NoError(t, err)
		require.Equal(t, a.Shape, g.Shape, name)
		require.Len(t, g.Data, len(a.Data), name)
	}
	_, err = l.Pullback(b, train.NewTensor(3, 2), "input")
	require.ErrorContains(t, err, "cotangent: got shape [3 2] with 6 elements, want [3 3]")
}

func TestPullbackOfIds(t *testing.T) {
	b := train.Batch{Inputs: train.NewTensor(2, 4), Targets: train.NewTensor(2)}
	m := Classifier("text", func(x Node) Node { return x.Embedding("e", 5, 3).Flatten().Dense("logits", x.Classes()) })
	l := newTestLearner(t, m, b, 2)
	_, err := l.Pullback(b, train.NewTensor(2, 2), "input")
	require.ErrorContains(t, err, `tensor "input" has no gradient`)
	_, err = l.Pullback(b, train.NewTensor(2, 2), "e")
	require.NoError(t, err)
	b.Inputs.Data[6] = 5
	_, err = l.Predict(b)
	require.ErrorContains(t, err, `layer "e": row 1, position 2 has the id 5, but the vocabulary has 5`)
	b.Inputs.Data[6] = 0.5
	_, err = l.Predict(b)
	require.ErrorContains(t, err, "ids are 0 to 4; they look normalised: a data set whose Tokens is set keeps its ids")
}

// Rows of a batch do not influence each other in inference.
func TestPredictIsByRow(t *testing.T) {
	for _, c := range gradientCases {
		b := train.Batch{Inputs: train.NewTensor(append([]int{5}, c.shape...)...), Targets: train.NewTensor(5)}
		for i := range b.Inputs.Data {
			b.Inputs.Data[i] = float32(math.Sin(float64(i)))
			if c.ids {
				b.Inputs.Data[i] = float32(i * 7 % 5)
			}
		}
		layers, err := buildLayers(train.Init{Example: b}, c.build)
		require.NoError(t, err)
		b.Targets = train.NewTensor(append([]int{5}, layers[len(layers)-1].shape...)...)
		l := newTestLearner(t, Regressor(c.name, c.build), b, 0)
		whole, err := l.Predict(b)
		require.NoError(t, err)
		want := whole.Outputs.Clone()
		for i := range 5 {
			one, err := l.Predict(b.Slice(i, i+1))
			require.NoError(t, err)
			require.InDeltaSlice(t, want.Row(i), one.Outputs.Data, 1e-5, fmt.Sprint(c.name, i))
		}
	}
}

// NaN is a result: the loss is NaN and there is no error.
func TestNaNIsNoError(t *testing.T) {
	for _, c := range gradientCases {
		if c.ids {
			continue
		}
		b := train.Batch{Inputs: train.NewTensor(append([]int{4}, c.shape...)...), Targets: train.NewTensor(4)}
		layers, err := buildLayers(train.Init{Example: b}, c.build)
		require.NoError(t, err)
		b.Targets = train.NewTensor(append([]int{4}, layers[len(layers)-1].shape...)...)
		for i := range b.Inputs.Data {
			b.Inputs.Data[i] = float32(math.NaN())
		}
		l := newTestLearner(t, Regressor(c.name, c.build), b, 0)
		loss, err := l.Forward(b, 0)
		require.NoError(t, err, c.name)
		require.True(t, math.IsNaN(loss), c.name)
		require.NoError(t, l.Update(0.01))
		_, err = l.Predict(b)
		require.NoError(t, err, c.name)
	}
}

func TestPanicsNameTheLayer(t *testing.T) {
	b := blobs(4, 4, 3, 1)
	l := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	l.net.program.params[1][0].data = nil // the weight of "hidden"
	_, err := l.Forward(b, 0)
	require.ErrorContains(t, err, `layer "hidden": panic: `)
	var caught *train.PanicError
	require.ErrorAs(t, err, &caught)
	require.Contains(t, string(caught.Stack), "nn.(*dense")
}
