package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
)

// composite is a layer of a user.
type composite struct{ filters int }

func (c composite) Build(x Node) Node {
	y := x.Conv("conv1", Conv{Filters: c.filters, Kernel: 3, Pad: 1}).BatchNorm("bn1").ReLU()
	return y.Conv("conv2", Conv{Filters: c.filters, Kernel: 3, Pad: 1}).Add(x).ReLU()
}

type layerFunc func(x Node) Node

func (f layerFunc) Build(x Node) Node { return f(x) }

func TestMistakesOfNetworks(t *testing.T) {
	picture, row, sequence := []int{2, 6, 6}, []int{4}, []int{5, 6}
	for _, c := range []struct {
		name  string
		shape []int
		build func(x Node) Node
		want  string
	}{
		{"units", row, func(x Node) Node { return x.Dense("fc", 0) },
			`layer "fc" (dense): got 0, want at least 1 unit: set Units`},
		{"the first is kept", row, func(x Node) Node { return x.Dense("a", 0).Dense("b", -1).MaxPool(2) }, `layer "a" (dense)`},
		{"dense of a picture", picture, func(x Node) Node { return x.Dense("fc", 3) },
			`layer "fc" (dense): got [2 6 6], want rows of shape [features] or [positions, features]: use Flatten() before it`},
		{"name twice", row, func(x Node) Node { return x.Dense("a", 3).Dense("a", 3) }, `layer "a": got the name of another layer`},
		{"no name", row, func(x Node) Node { return x.Dense("", 3) }, `got "", want a name`},
		{"slash", row, func(x Node) Node { return x.Dense("a/b", 3) }, `got "a/b", want a name without "/"`},
		{"reserved", row, func(x Node) Node { return x.Dense("output", 3) }, `layer "output": got the name of what the network returns`},
		{"without Apply", row, func(x Node) Node { return Dense{Units: 3}.Build(x) }, "use x.Apply(name, layer)"},
		{"nil layer", row, func(x Node) Node { return x.Apply("a", nil) }, `layer "a": got nil, want a layer`},
		{"inside a composite", picture, func(x Node) Node { return x.Apply("block", composite{}) },
			`layer "block/conv1" (conv): got 0 filters of 3x3, want at least 1 filter`},
		{"residual shapes", picture, func(x Node) Node { return x.Apply("block", composite{filters: 3}) },
			`layer "block" (add): got [2 6 6], want rows of shape [3 6 6]`},
		{"conv of a row", row, func(x Node) Node { return x.Conv("c", Conv{Filters: 1, Kernel: 1}) }, "got rows of shape [4], want pictures"},
		{"conv too large", picture, func(x Node) Node { return x.Conv("c", Conv{Filters: 1, Kernel: 7}) }, "does not fit into 6x6 pixels"},
		{"pool of a row", row, func(x Node) Node { return x.MaxPool(2) }, "got rows of shape [4], want pictures"},
		{"pool too large", picture, func(x Node) Node { return x.MaxPool(7) }, "does not fit into 6x6 pixels"},
		{"empty pool", picture, func(x Node) Node { return x.AvgPool(0) }, "pool window 0x0 is empty"},
		{"global pool of a row", row, func(x Node) Node { return x.GlobalAvgPool() }, "want pictures"},
		{"batch norm of a sequence", sequence, func(x Node) Node { return x.BatchNorm("b") }, "use LayerNorm for sequences"},
		{"layer norm of a picture", picture, func(x Node) Node { return x.LayerNorm("l") }, "use BatchNorm for pictures"},
		{"dropout rate", row, func(x Node) Node { return x.Dropout("d", 1) }, `layer "d" (dropout): got 1, want a rate in [0, 1)`},
		{"heads", sequence, func(x Node) Node { return x.Attention("a", Attention{Heads: 4}) }, "got 4 heads and 6 features"},
		{"attention of a row", row, func(x Node) Node { return x.Attention("a", Attention{}) }, "want sequences"},
		{"gru units", sequence, func(x Node) Node { return x.GRU("g", GRU{}) }, "at least 1 unit"},
		{"gru of a row", row, func(x Node) Node { return x.GRU("g", GRU{Units: 1}) }, "want sequences"},
		{"positions of a row", row, func(x Node) Node { return x.Positions("p") }, "want sequences"},
		{"embedding later", row, func(x Node) Node { return x.ReLU().Embedding("e", 3, 2) }, "use it first in the network"},
		{"embedding size", row, func(x Node) Node { return x.Embedding("e", 0, 2) }, "got a vocabulary of 0 and 2 features"},
		{"reshape", row, func(x Node) Node { return x.Reshape(3) }, "got [3], want a shape of 4 elements, like the row [4]"},
		{"reshape open", row, func(x Node) Node { return x.Reshape(-1, -1) }, "one of them -1 at most"},
		{"slope", row, func(x Node) Node { return x.LeakyReLU(2) }, "got 2, want a slope in [0, 1)"},
		{"concat axis", row, func(x Node) Node { return Concat(1, x, x) }, "got 1, want an axis of rows of shape [4]"},
		{"concat shapes", picture, func(x Node) Node { return Concat(0, x, x.MaxPool(2)) }, "got [2 3 3], want rows that differ from [2 6 6] in axis 0 only"},
		{"add nothing", row, func(x Node) Node { return x.Add() }, "got nothing, want something to add"},
		{"another network", row, func(x Node) Node { return x.Add(Node{}) }, "combine nodes that come from the same x"},
		{"concat of another network", row, func(x Node) Node { return Concat(0, x, Node{}) }, "combine nodes that come from the same x"},
		{"classes of a regression", row, func(x Node) Node { return x.Dense("a", x.Classes()) }, "use x.Values() in a regression"},
		{"no layers", row, func(x Node) Node { return x }, "the network has no layers"},
		{"no node", row, func(Node) Node { return Node{} }, "returned an empty Node: return what the last layer returned"},
		{"concat of nothing", row, func(Node) Node { return Concat(0) }, "hand at least one Node to Concat"},
		{"not from x", row, func(Node) Node { return Node{plan: newPlan(train.Init{Example: blobs(2, 4, 3, 1)})} }, "does not come from its argument: return"},
		{"parameters of one name", sequence, func(x Node) Node {
			return x.Apply("g", layerFunc(func(x Node) Node { return GRU{Units: 3, Last: true}.Build(x.Dense("in", 4)) }))
		}, `layer "g" (gru): got two called "g/in/weight", want parameters with names of their own`},
		{"raw parameters of one name", row, func(x Node) Node {
			w := RawParam{Name: "w", Shape: []int{1, 4}}
			return x.Apply("r", Raw{Params: []RawParam{w, w}, Graph: func(x *gorgonia.Node, p gorgonia.Nodes) (*gorgonia.Node, error) {
				return gorgonia.BroadcastAdd(x, gorgonia.Must(gorgonia.Add(p[0], p[1])), nil, []byte{0})
			}})
		}, `two called "r/w"`},
		{"raw parameter shape", row, func(x Node) Node {
			return x.Apply("r", Raw{Params: []RawParam{{Name: "w", Shape: []int{-3, -3}}}, Graph: func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return x, nil }})
		}, `got "w" of shape [-3 -3], want parameters`},
		{"add without a name", row, func(x Node) Node { return x.Dense("fc", 3).ReLU().Add(x) }, `layer add after "fc": got [4], want rows of shape [3]`},
		{"epsilon of layer norm", row, func(x Node) Node { return x.Apply("l", LayerNorm{Epsilon: -1}) }, `layer "l" (layernorm): got -1, want an epsilon of at least 0`},
		{"epsilon of batch norm", row, func(x Node) Node { return x.Apply("b", BatchNorm{Epsilon: math.NaN()}) }, "got momentum 0 and epsilon NaN"},
		{"momentum of batch norm", row, func(x Node) Node { return x.Apply("b", BatchNorm{Momentum: math.NaN()}) }, "got momentum NaN and epsilon 0"},
		{"reshape far too large", row, func(x Node) Node { return x.Reshape(1<<40, 1<<40, -1) }, "want axes of 1 to 4, one of them -1 at most"},
		{"reshape too large", row, func(x Node) Node { return x.Reshape(4, 4, -1) }, "want a shape of 4 elements"},
		{"initial values", row, func(x Node) Node { return x.Apply("fc", Dense{Units: 3, Init: Constant(math.NaN())}) },
			`initial values of "fc/weight", of shape [3 4]: element 0 is NaN`},
		{"panic of an initialiser", row, func(x Node) Node {
			return x.Apply("fc", Dense{Units: 3, Init: func(_ *rand.Rand, _ []int, w []float32) { w[99] = 1 }})
		}, `initial values of "fc/weight", of shape [3 4]: panic: runtime error: index out of range`},
		{"unused", row, func(x Node) Node { x.Dense("lost", 2); return x.Dense("a", 3) },
			`layer "lost": got an output that nothing reads`},
		{"panic", row, func(Node) Node { panic("oh") }, "build function: panic: oh"},
	} {
		t.Run(c.name, func(t *testing.T) {
			example := train.Batch{Inputs: train.NewTensor(append([]int{3}, c.shape...)...), Targets: train.NewTensor(3)}
			_, err := Regressor("net", c.build).New(train.Init{Example: example, Loss: train.Loss{Kind: train.MSE}})
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestMistakesOfModels(t *testing.T) {
	b := blobs(4, 4, 3, 1)
	m := Classifier("mlp", buildMLP)
	_, err := m.New(train.Init{Loss: m.Loss})
	require.ErrorContains(t, err, "example batch")
	_, err = Classifier("mlp", nil).New(train.Init{Example: b, Loss: m.Loss})
	require.ErrorContains(t, err, "build function is nil")
	_, err = m.New(train.Init{Example: b, Classes: 3, Loss: m.Loss, Dropout: 0.5})
	require.ErrorContains(t, err, "Dropout of the model is 0.5, but the network has no dropout layer")
	_, err = m.New(train.Init{Example: b, Classes: 3, Loss: m.Loss, Optimizer: train.Optimizer{Method: "lion"}})
	require.ErrorContains(t, err, `there is no method "lion"`)
}

func TestNamesOfTensors(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		build func(x Node) Node
		want  []string
	}{
		{"activations belong to the layer before", []int{4},
			func(x Node) Node { return x.Dense("a", 3).ReLU().Dense("b", 3).Tanh().Dense("c", 2) },
			[]string{"input", "a", "b", "c", "output"}},
		{"unnamed layers", []int{2, 6, 6},
			func(x Node) Node {
				return x.Conv("c", Conv{Filters: 2, Kernel: 3}).ReLU().MaxPool(2).Flatten().Dense("d", 2)
			},
			[]string{"input", "c", "c/maxpool", "c/flatten", "d", "output"}},
		{"relu after a pool", []int{2, 6, 6}, func(x Node) Node { return x.Conv("c", Conv{Filters: 2, Kernel: 3}).MaxPool(2).ReLU() },
			[]string{"input", "c", "c/relu", "output"}},
		{"no named layer before", []int{4}, func(x Node) Node { return x.ReLU().Dense("d", 2) },
			[]string{"input", "input/relu", "d", "output"}},
		{"both are used", []int{4}, func(x Node) Node { h := x.Dense("d", 4); return h.ReLU().Add(h) },
			[]string{"input", "d", "d/relu", "d/add", "output"}},
		{"numbered", []int{2, 8, 8}, func(x Node) Node { return x.MaxPool(2).MaxPool(2).MaxPool(2).Flatten() },
			[]string{"input", "input/maxpool", "input/maxpool-2", "input/maxpool-3", "input/flatten", "output"}},
		{"composite", []int{2, 6, 6}, func(x Node) Node { return x.Apply("block", composite{filters: 2}).Flatten() },
			[]string{"input", "block/conv1", "block/bn1", "block/conv2", "block/conv2/add", "block", "block/flatten", "output"}},
		{"a composite has a layer of the name", []int{2, 6, 6},
			func(x Node) Node {
				return x.Apply("block", layerFunc(func(x Node) Node { return x.Conv("maxpool", Conv{Filters: 2, Kernel: 1}).Add(x) })).MaxPool(2)
			},
			[]string{"input", "block/maxpool", "block", "block/maxpool-2", "output"}},
		{"named pool", []int{2, 6, 6}, func(x Node) Node { return x.Apply("pool", Pool{Size: 2}) },
			[]string{"input", "pool", "output"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			example := train.Batch{Inputs: train.NewTensor(append([]int{3}, c.shape...)...), Targets: train.NewTensor(3)}
			layers, err := buildLayers(train.Init{Example: example}, c.build)
			require.NoError(t, err)
			var names []string
			for _, l := range layers {
				names = append(names, l.tensors...)
			}
			require.Equal(t, c.want, names)
		})
	}
}

func TestSummary(t *testing.T) {
	b := train.Batch{Inputs: train.NewTensor(2, 1, 28, 28), Targets: train.NewTensor(2)}
	m := Classifier("cnn", func(x Node) Node {
		x = x.Conv("conv1", Conv{Filters: 8, Kernel: 3, Pad: 1}).BatchNorm("bn1").ReLU().MaxPool(2)
		return x.Flatten().Dropout("drop", 0.5).Dense("logits", x.Classes())
	})
	s := newTestLearner(t, m, b, 10).Summary()
	require.Equal(t, 8*9+8+16+8*14*14*10+10, s.Params)
	require.Equal(t, 16, s.Statistics)
	require.Equal(t, LayerSummary{Name: "conv1", Kind: "conv", Shape: []int{8, 28, 28}, Params: 80, FLOPs: 2 * 8 * 28 * 28 * 9}, s.Layers[1])
	require.Equal(t, "batchnorm + relu", s.Layers[2].Kind)
	require.Equal(t, ``+
		"layer        kind              shape of a row  parameters  FLOPs of a row\n"+
		"input        input             [1 28 28]       0           0\n"+
		"conv1        conv              [8 28 28]       80          112896\n"+
		"bn1          batchnorm + relu  [8 28 28]       16          25088\n"+
		"bn1/maxpool  maxpool           [8 14 14]       0           6272\n"+
		"bn1/flatten  flatten           [1568]          0           0\n"+
		"drop         dropout           [1568]          0           0\n"+
		"logits       dense             [10]            15690       31360\n"+
		"total                                          15786       175616\n", s.String())
}
