package nn

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

// The reference values were computed by PyTorch: testdata/make_goldens.py.

func readGolden(t testing.TB, name string) map[string]train.Tensor {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	arrays, _, err := tensorfile.ReadSafetensors(strings.NewReader(string(data)), int64(len(data)))
	require.NoError(t, err)
	tensors := map[string]train.Tensor{}
	for _, a := range arrays {
		values, err := a.Float32()
		require.NoError(t, err, a.Name)
		tensors[a.Name] = train.Tensor{Shape: a.Shape, Data: values}
	}
	return tensors
}

func layerCase(l Layer) func(Node) Node { return func(x Node) Node { return x.Apply("l", l) } }

var goldenLayers = map[string]func(x Node) Node{
	"dense":               layerCase(Dense{Units: 3}),
	"dense one":           layerCase(Dense{Units: 1}),
	"dense no bias":       layerCase(Dense{Units: 3, NoBias: true}),
	"dense relu":          func(x Node) Node { return x.Dense("l", 9).ReLU() },
	"dense positions":     layerCase(Dense{Units: 3}),
	"conv":                layerCase(Conv{Filters: 5, Kernel: 3, Pad: 1}),
	"conv relu":           func(x Node) Node { return x.Conv("l", Conv{Filters: 5, Kernel: 3, Pad: 1}).ReLU() },
	"conv one":            layerCase(Conv{Filters: 1, Kernel: 3}),
	"conv stride":         layerCase(Conv{Filters: 3, Kernel: 3, Stride: 2, Pad: 1}),
	"conv dilation":       layerCase(Conv{Filters: 3, Kernel: 3, Dilation: 2, Pad: 2, NoBias: true}),
	"conv not square":     layerCase(Conv{Filters: 3, Kernel: 3, KernelW: 2, Stride: 1, StrideW: 3, Pad: 1, PadW: -1}),
	"conv 1x1":            layerCase(Conv{Filters: 6, Kernel: 1, Stride: 2}),
	"maxpool":             func(x Node) Node { return x.MaxPool(2) },
	"maxpool overlap":     layerCase(Pool{Size: 3, Stride: 2, Pad: 1}),
	"avgpool":             func(x Node) Node { return x.AvgPool(2) },
	"avgpool pad":         layerCase(Pool{Average: true, Size: 3, Stride: 2, Pad: 1}),
	"globalavgpool":       func(x Node) Node { return x.GlobalAvgPool() },
	"batchnorm":           layerCase(BatchNorm{}),
	"batchnorm relu":      func(x Node) Node { return x.BatchNorm("l").ReLU() },
	"batchnorm rows":      layerCase(BatchNorm{}),
	"batchnorm inference": layerCase(BatchNorm{}),
	"layernorm":           layerCase(LayerNorm{}),
	"layernorm positions": layerCase(LayerNorm{}),
	"embedding":           layerCase(Embedding{Vocabulary: 6, Features: 4}),
	"attention":           layerCase(Attention{Heads: 2}),
	"attention causal":    layerCase(Attention{Heads: 3, Causal: true}),
	"gru":                 layerCase(GRU{Units: 5}),
	"gru last":            layerCase(GRU{Units: 2, Last: true}),
	"relu":                func(x Node) Node { return x.ReLU() },
	"leakyrelu":           func(x Node) Node { return x.LeakyReLU(0.1) },
	"gelu":                func(x Node) Node { return x.GELU() },
	"tanh":                func(x Node) Node { return x.Tanh() },
	"sigmoid":             func(x Node) Node { return x.Sigmoid() },
	"softmax":             func(x Node) Node { return x.Softmax() },

	"conv all settings": layerCase(Conv{
		Filters: 3, Kernel: 3, KernelW: 2, Stride: 2, StrideW: 1, Pad: 2, PadW: 1, Dilation: 1, DilationW: 3,
	}),
	"maxpool not square":      layerCase(Pool{Size: 3, SizeW: 2, Stride: 1, StrideW: 2, Pad: 1, PadW: -1}),
	"avgpool not square":      layerCase(Pool{Average: true, Size: 2, SizeW: 3, Stride: 2, StrideW: 1, PadW: 1}),
	"batchnorm settings":      layerCase(BatchNorm{Momentum: 0.37, Epsilon: 0.1}),
	"batchnorm rows settings": layerCase(BatchNorm{Momentum: 1, Epsilon: 0.01}),
	"layernorm settings":      layerCase(LayerNorm{Epsilon: 0.3}),
	"attention one head":      layerCase(Attention{Heads: 1}),
	"attention one position":  layerCase(Attention{Heads: 2, Causal: true}),
	"gru one position":        layerCase(GRU{Units: 5, Last: true}),
}

func TestLayersAsPyTorch(t *testing.T) {
	golden := readGolden(t, "layers.safetensors")
	cases := map[string]bool{}
	for key := range golden {
		cases[key[:strings.Index(key, "|")]] = true
	}
	require.Len(t, cases, len(goldenLayers))
	for name, build := range goldenLayers {
		t.Run(name, func(t *testing.T) {
			goldenLayer[float64](t, golden, name, build, 1e-6)
			goldenLayer[float32](t, golden, name, build, 1e-4)
		})
	}
}

// goldenLayer runs one layer forward and backward and compares everything.
func goldenLayer[F kernel.Float](t *testing.T, golden map[string]train.Tensor, name string, build func(Node) Node, tolerance float64) {
	t.Helper()
	x := golden[name+"|x"]
	require.NotEmpty(t, x.Shape)
	rows := x.Rows()
	layers, err := buildLayers(train.Init{Example: train.Batch{Inputs: x, Targets: train.NewTensor(rows)}}, build)
	require.NoError(t, err)
	g, err := newGraph(layers, rows)
	require.NoError(t, err)
	pr, err := newProgram[F](layers, g)
	require.NoError(t, err)
	n := &network[F]{layers: layers, program: pr}
	params := goldenParams(n)
	rename := FromPyTorch(fakeLearner{names(params)})
	wanted := map[*value[F]]bool{}
	for key, value := range golden {
		if p, ok := strings.CutPrefix(key, name+"|before|"); ok {
			copy(params[rename(p)].value.data, n.elements(value.Data))
		}
	}
	for _, p := range params {
		if p.grad != nil {
			wanted[p.grad] = true
		}
	}
	if pr.gradients[0] != nil {
		wanted[pr.gradients[0]] = true
	}
	pr.pass.train = name != "batchnorm inference"
	requireClose(t, golden[name+"|y"].Data, pr.run(n.elements(x.Data), rows), tolerance, name+" y")
	copy(pr.seed.resize(rows), n.elements(golden[name+"|c"].Data))
	pr.runBack(pr.need(wanted))
	pr.settle()
	for key, want := range golden {
		if p, ok := strings.CutPrefix(key, name+"|grad|"); ok {
			requireClose(t, want.Data, params[rename(p)].grad.data, tolerance, key)
		}
		if p, ok := strings.CutPrefix(key, name+"|after|"); ok {
			requireClose(t, want.Data, params[rename(p)].value.data, tolerance, key)
		}
	}
	if want, ok := golden[name+"|dx"]; ok {
		requireClose(t, want.Data, pr.gradients[0].data, tolerance, name+" dx")
	}
}

type goldenParam[F kernel.Float] struct{ value, grad *value[F] }

func goldenParams[F kernel.Float](n *network[F]) map[string]goldenParam[F] {
	params := map[string]goldenParam[F]{}
	for i, l := range n.layers {
		for k, spec := range l.params {
			params[joinName(l.name, spec.suffix)] = goldenParam[F]{n.program.params[i][k], n.program.grads[i][k]}
		}
	}
	return params
}

func names[V any](m map[string]V) []train.Param {
	var params []train.Param
	for name := range m {
		params = append(params, train.Param{Name: name})
	}
	return params
}

// fakeLearner has parameters and does nothing.
type fakeLearner struct{ params []train.Param }

func (f fakeLearner) Params() []train.Param                           { return f.params }
func (fakeLearner) Forward(train.Batch, int) (float64, error)         { return 0, nil }
func (fakeLearner) Update(float64) error                              { return nil }
func (fakeLearner) Predict(train.Batch) (p train.Prediction, e error) { return }

func requireClose[F kernel.Float](t testing.TB, want []float32, got []F, tolerance float64, what string) {
	t.Helper()
	require.Len(t, got, len(want), what)
	for i, w := range want {
		if !(math.Abs(float64(got[i])-float64(w)) <= tolerance*(1+math.Abs(float64(w)))) {
			t.Fatalf("%s: element %d is %v, PyTorch has %v", what, i, got[i], w)
		}
	}
}

var goldenLosses = map[string]train.Loss{
	"cross-entropy":           {Kind: train.CrossEntropy},
	"cross-entropy large":     {Kind: train.CrossEntropy},
	"cross-entropy weights":   {Kind: train.CrossEntropy, ClassWeights: []float64{1, 0.5, 3}},
	"cross-entropy smoothing": {Kind: train.CrossEntropy, Smoothing: 0.1},
	"cross-entropy both":      {Kind: train.CrossEntropy, Smoothing: 0.2, ClassWeights: []float64{1, 0.5, 3}},
	"cross-entropy one class": {Kind: train.CrossEntropy},
	"cross-entropy positions": {Kind: train.CrossEntropy},
	"binary":                  {Kind: train.BinaryCrossEntropy},
	"binary labels":           {Kind: train.BinaryCrossEntropy},
	"mse":                     {Kind: train.MSE},
	"mae":                     {Kind: train.MAE},
	"huber":                   {Kind: train.Huber},
	"huber delta":             {Kind: train.Huber, Delta: 0.3},
}

func TestLossesAsPyTorch(t *testing.T) {
	golden := readGolden(t, "losses.safetensors")
	require.Len(t, golden, 4*len(goldenLosses))
	for name, loss := range goldenLosses {
		t.Run(name, func(t *testing.T) {
			goldenLoss[float64](t, golden, name, loss, 1e-6)
			goldenLoss[float32](t, golden, name, loss, 1e-5)
		})
	}
}

func goldenLoss[F kernel.Float](t *testing.T, golden map[string]train.Tensor, name string, loss train.Loss, tolerance float64) {
	t.Helper()
	z, y := golden[name+"|z"], golden[name+"|y"]
	example := train.Batch{Inputs: train.NewTensor(z.Rows(), 1), Targets: y}
	o, err := newObjective[F](train.Init{Example: example, Loss: loss}, z.Shape[1:])
	require.NoError(t, err)
	require.NoError(t, o.read(y))
	out := (&network[F]{}).elements(z.Data)
	grad := make([]F, len(out))
	got, _ := o.measure(out, y, grad, false)
	requireClose(t, golden[name+"|loss"].Data, []float64{got}, tolerance, name)
	requireClose(t, golden[name+"|dz"].Data, grad, tolerance, name+" gradient")
}

var goldenOptimizers = map[string]train.Optimizer{
	"sgd":                train.SGD(0.1, 0),
	"sgd decay":          {Method: train.MethodSGD, LearningRate: 0.1, WeightDecay: 0.1},
	"momentum":           {Method: train.MethodSGD, LearningRate: 0.05, Momentum: 0.9, WeightDecay: 0.1},
	"nesterov":           {Method: train.MethodSGD, LearningRate: 0.05, Momentum: 0.9, Nesterov: true, WeightDecay: 0.1},
	"adam":               train.Adam(0.01),
	"adam decay":         {LearningRate: 0.01, Beta1: 0.8, Beta2: 0.99, Epsilon: 1e-6, WeightDecay: 0.1},
	"adamw":              train.AdamW(0.01, 0.1),
	"rmsprop":            {Method: train.MethodRMSProp, LearningRate: 0.01, WeightDecay: 0.1},
	"rmsprop momentum":   {Method: train.MethodRMSProp, LearningRate: 0.01, Rho: 0.9, Momentum: 0.9, WeightDecay: 0.1},
	"clip value":         {Method: train.MethodSGD, LearningRate: 0.1, ClipValue: 0.5},
	"clip norm":          {Method: train.MethodSGD, LearningRate: 0.1, ClipNorm: 1},
	"clip both":          {Method: train.MethodSGD, LearningRate: 0.1, ClipValue: 0.5, ClipNorm: 1},
	"adam epsilon":       {LearningRate: 0.01, Epsilon: 0.1},
	"adamw clip":         {Method: train.MethodAdamW, LearningRate: 0.01, WeightDecay: 0.1, ClipNorm: 1},
	"nesterov clip":      {Method: train.MethodSGD, LearningRate: 0.05, Momentum: 0.9, Nesterov: true, WeightDecay: 0.1, ClipValue: 0.5, ClipNorm: 1},
	"adam thawed":        train.Adam(0.01),
	"momentum thawed":    train.SGD(0.05, 0.9),
	"schedule decay":     {LearningRate: 0.01, Schedule: train.Decay(6, 0.5)},
	"schedule cosine":    {LearningRate: 0.01, Schedule: train.Cosine(0.1)},
	"schedule one-cycle": {LearningRate: 0.01, Schedule: train.OneCycle()},
	"schedule warm-up":   {LearningRate: 0.01, Schedule: train.WarmUp(5, train.Cosine(0))},
}

func TestOptimizersAsPyTorch(t *testing.T) {
	golden := readGolden(t, "optimizers.safetensors")
	const steps = 20
	for name, o := range goldenOptimizers {
		t.Run(name, func(t *testing.T) {
			o = o.WithDefaults()
			var params []train.Param
			for _, p := range []string{"weight", "bias"} {
				start := golden["start|"+p].Clone()
				params = append(params, train.Param{Name: p, Shape: start.Shape, Value: start.Data, Grad: make([]float32, len(start.Data)), Decays: p == "weight"})
			}
			opt := newOptimizer(o, params)
			rates := golden[name+"|rates"].Data
			require.Len(t, rates, steps)
			for i := range steps {
				for k, p := range params {
					copy(p.Grad, golden["grads|"+p.Name].Row(i))
					params[k].Frozen = strings.HasSuffix(name, "thawed") && p.Name == "bias" && i < 9
				}
				rate := o.LearningRate * o.Schedule.At(i, steps)
				require.InEpsilon(t, rates[i], rate, 1e-5, "learning rate of iteration %d", i)
				opt.update(params, rate)
				for _, p := range params {
					key := name + "|" + map[int]string{0: "0", 1: "1", steps - 1: "19"}[i] + "|" + p.Name
					if want, ok := golden[key]; ok {
						requireClose(t, want.Data, p.Value, 5e-6, key)
					}
				}
			}
			require.Contains(t, golden, name+"|19|weight")
		})
	}
}

func goldenCNN(x Node) Node {
	x = x.Apply("conv1", Conv{Filters: 4, Kernel: 3, Pad: 1, NoBias: true}).BatchNorm("bn1").ReLU().MaxPool(2)
	x = x.Conv("conv2", Conv{Filters: 6, Kernel: 3}).ReLU().MaxPool(2)
	return x.Flatten().Dense("fc", x.Classes())
}

// A whole network, from a weights file that Python wrote, over ten iterations
// the last of which has a smaller batch.
func TestCNNAsPyTorch(t *testing.T) {
	golden := readGolden(t, "cnn.safetensors")
	x, y := golden["x"], golden["y"]
	batch := func(i int) train.Batch {
		return train.Batch{
			Inputs:  train.Tensor{Shape: x.Shape[1:], Data: x.Row(i)},
			Targets: train.Tensor{Shape: y.Shape[1:], Data: y.Row(i)},
		}
	}
	for _, file := range []string{"cnn_start.safetensors", "cnn_start.npz"} {
		m := Classifier("cnn", goldenCNN)
		m.Optimizer = train.Adam(0.01)
		l := newTestLearner(t, m, batch(0), 3)
		require.NoError(t, LoadWeights(filepath.Join("testdata", file), l, FromPyTorch(l)))
		for i, want := range golden["losses"].Data {
			b := batch(i)
			if i == 9 {
				b = b.Slice(0, 3)
			}
			loss, err := l.Forward(b, i)
			require.NoError(t, err)
			require.InDelta(t, want, loss, 2e-4, "iteration %d", i)
			require.NoError(t, l.Update(0.01))
		}
		p, err := l.Predict(batch(0))
		require.NoError(t, err)
		requireClose(t, golden["logits"].Data, p.Outputs.Data, 1e-3, "logits")
		rename := FromPyTorch(l)
		for key, want := range golden {
			if name, ok := strings.CutPrefix(key, "after|"); ok {
				i := slices.IndexFunc(l.Params(), func(p train.Param) bool { return p.Name == rename(name) })
				requireClose(t, want.Data, l.Params()[i].Value, 1e-3, name)
			}
		}
	}
}
