package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

// gradientCases are networks in which every layer occurs, alone and fused, with
// odd sizes.
var gradientCases = []struct {
	name  string
	shape []int // of a row
	ids   bool  // inputs are ids below 5
	build func(x Node) Node
}{
	{"dense", []int{5}, false, func(x Node) Node { return x.Dense("d", 3) }},
	{"dense one", []int{1}, false, func(x Node) Node { return x.Dense("d", 1) }},
	{"dense relu", []int{5}, false, func(x Node) Node { return x.Dense("d", 7).ReLU() }},
	{"dense no bias", []int{5}, false, func(x Node) Node { return x.Apply("d", Dense{Units: 3, NoBias: true}) }},
	{"dense positions", []int{3, 5}, false, func(x Node) Node { return x.Dense("d", 4).ReLU() }},
	{"dense deep", []int{5}, false, func(x Node) Node { return x.Dense("a", 7).ReLU().Dense("b", 6).Tanh().Dense("c", 2) }},
	{"conv", []int{2, 5, 7}, false, func(x Node) Node { return x.Conv("c", Conv{Filters: 3, Kernel: 3, Pad: 1}) }},
	{"conv relu", []int{2, 5, 7}, false, func(x Node) Node { return x.Conv("c", Conv{Filters: 3, Kernel: 3}).ReLU() }},
	{"conv one", []int{1, 4, 4}, false, func(x Node) Node { return x.Conv("c", Conv{Filters: 1, Kernel: 4}) }},
	{"conv stride dilation", []int{2, 9, 8}, false, func(x Node) Node {
		return x.Conv("c", Conv{Filters: 3, Kernel: 3, Stride: 2, Pad: 2, Dilation: 2, NoBias: true})
	}},
	{"conv not square", []int{2, 5, 9}, false, func(x Node) Node {
		return x.Conv("c", Conv{Filters: 2, Kernel: 3, KernelW: 2, StrideW: 3, Pad: 1, PadW: -1})
	}},
	{"conv conv", []int{1, 6, 6}, false, func(x Node) Node {
		return x.Conv("a", Conv{Filters: 3, Kernel: 3, Pad: 1}).ReLU().Conv("b", Conv{Filters: 2, Kernel: 3}).ReLU().Flatten().Dense("d", 3)
	}},
	{"maxpool", []int{2, 5, 7}, false, func(x Node) Node { return x.Apply("p", Pool{Size: 3, Stride: 2, Pad: 1}) }},
	{"conv relu maxpool", []int{2, 6, 6}, false, func(x Node) Node {
		return x.Conv("c", Conv{Filters: 3, Kernel: 3, Pad: 1}).ReLU().MaxPool(2)
	}},
	{"conv maxpool relu", []int{2, 7, 6}, false, func(x Node) Node {
		return x.Conv("c", Conv{Filters: 3, Kernel: 3, Pad: 1}).MaxPool(2).ReLU()
	}},
	{"conv relu maxpool relu", []int{2, 7, 6}, false, func(x Node) Node {
		return x.Conv("c", Conv{Filters: 3, Kernel: 3}).ReLU().MaxPool(2).ReLU()
	}},
	{"conv batchnorm relu maxpool", []int{2, 7, 6}, false, func(x Node) Node {
		return x.Conv("c", Conv{Filters: 3, Kernel: 3, NoBias: true}).BatchNorm("b").ReLU().MaxPool(2)
	}},
	{"avgpool", []int{2, 5, 7}, false, func(x Node) Node { return x.Apply("p", Pool{Size: 3, Stride: 2, Pad: 1, Average: true}) }},
	{"avgpool 2", []int{2, 4, 4}, false, func(x Node) Node { return x.AvgPool(2) }},
	{"globalavgpool", []int{3, 5, 4}, false, func(x Node) Node { return x.GlobalAvgPool().Dense("d", 2) }},
	{"batchnorm", []int{3, 4, 5}, false, func(x Node) Node { return x.BatchNorm("b") }},
	{"batchnorm rows", []int{5}, false, func(x Node) Node { return x.BatchNorm("b").ReLU() }},
	{"layernorm", []int{7}, false, func(x Node) Node { return x.LayerNorm("l") }},
	{"layernorm positions", []int{3, 6}, false, func(x Node) Node { return x.Dense("d", 5).LayerNorm("l") }},
	{"dropout", []int{9}, false, func(x Node) Node { return x.Dense("d", 8).Dropout("drop", 0.3).Dense("e", 2) }},
	{"relu alone", []int{9}, false, func(x Node) Node { return x.ReLU().Tanh() }},
	{"leakyrelu", []int{9}, false, func(x Node) Node { return x.LeakyReLU(0.1) }},
	{"gelu", []int{9}, false, func(x Node) Node { return x.GELU() }},
	{"tanh", []int{9}, false, func(x Node) Node { return x.Tanh() }},
	{"sigmoid", []int{9}, false, func(x Node) Node { return x.Sigmoid() }},
	{"reshape", []int{12}, false, func(x Node) Node { return x.Dense("d", 12).Reshape(3, 2, -1).MaxPool(2).Flatten() }},
	{"softmax", []int{2, 5}, false, func(x Node) Node { return x.Softmax() }},
	{"embedding", []int{4}, true, func(x Node) Node { return x.Embedding("e", 5, 3).Positions("p") }},
	{"embedding one id", nil, true, func(x Node) Node { return x.Embedding("e", 5, 3).Dense("d", 2) }},
	{"attention", []int{5, 6}, false, func(x Node) Node { return x.Attention("a", Attention{Heads: 2}) }},
	{"attention causal", []int{5, 6}, false, func(x Node) Node { return x.Attention("a", Attention{Heads: 3, Causal: true}) }},
	{"attention one position", []int{1, 3}, false, func(x Node) Node { return x.Attention("a", Attention{}) }},
	{"gru", []int{4, 3}, false, func(x Node) Node { return x.GRU("g", GRU{Units: 5}) }},
	{"gru last", []int{4, 3}, false, func(x Node) Node { return x.GRU("g", GRU{Units: 2, Last: true}).Dense("d", 2) }},
	{"gru one position", []int{1, 3}, false, func(x Node) Node { return x.GRU("g", GRU{Units: 2}) }},
	{"residual", []int{5}, false, func(x Node) Node {
		h := x.Dense("a", 5).ReLU()
		return h.Dense("b", 5).Add(h, x).ReLU().Dense("c", 2)
	}},
	{"twice itself", []int{3}, false, func(x Node) Node { return x.Add(x).Tanh() }},
	{"three times", []int{3}, false, func(x Node) Node { h := x.Dense("d", 3); return h.Add(h, h).Tanh() }},
	{"residual pictures", []int{2, 4, 4}, false, func(x Node) Node {
		h := x.Conv("a", Conv{Filters: 2, Kernel: 3, Pad: 1}).BatchNorm("b").ReLU()
		return h.Conv("c", Conv{Filters: 2, Kernel: 3, Pad: 1}).Add(h).ReLU().MaxPool(2)
	}},
	{"one of everything", []int{1}, false, func(x Node) Node { h := x.Dense("a", 1); return h.Tanh().Add(h, x) }},
	{"concat", []int{2, 3, 2}, false, func(x Node) Node {
		return Concat(0, x, x.Conv("c", Conv{Filters: 1, Kernel: 1}).ReLU(), x.Tanh())
	}},
	{"concat last", []int{3, 2}, false, func(x Node) Node { return Concat(-1, x.Dense("d", 3), x) }},
	{"branches", []int{4}, false, func(x Node) Node {
		h := x.Dense("d", 4)
		return Concat(0, h.ReLU(), h.Tanh(), h)
	}},
	{"input relu read twice", []int{4}, false, func(x Node) Node {
		h := x.Dense("d", 4)
		h.ReLU() // nothing reads it
		return h.Tanh().Dense("e", 3)
	}},
}

func TestGradients(t *testing.T) {
	for _, c := range gradientCases {
		for _, training := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/training=%v", c.name, training), func(t *testing.T) {
				checkGradients(t, c.build, c.shape, 3, c.ids, training)
			})
		}
	}
}

// checkGradients compares the gradients of Σ c·outputs, for random c, with
// central differences in float64, for parameters, input and inner tensors.
func checkGradients(t *testing.T, build func(Node) Node, shape []int, rows int, ids, training bool) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	inputs := train.NewTensor(append([]int{rows}, shape...)...)
	x := make([]float64, len(inputs.Data))
	for i := range x {
		x[i] = rng.NormFloat64()
		if ids {
			x[i] = float64(rng.IntN(5))
		}
		inputs.Data[i] = float32(x[i])
	}
	init := train.Init{Seed: 5, Example: train.Batch{Inputs: inputs, Targets: train.NewTensor(rows)}}
	layers, err := buildLayers(init, build)
	require.NoError(t, err)
	g, err := newGraph(layers, rows)
	require.NoError(t, err)
	pr, err := newProgram[float64](layers, g)
	require.NoError(t, err)
	for i, l := range layers {
		for k, spec := range l.params {
			for j := range pr.params[i][k].data {
				v := rng.NormFloat64() / 2
				if spec.suffix == "variance" {
					v = 1 + v*v
				}
				pr.params[i][k].data[j] = v
			}
		}
	}
	pr.pass.train, pr.pass.exact, pr.pass.iteration, pr.pass.seed = training, !training, 11, 12
	cotangent := make([]float64, rows*train.Size(layers[len(layers)-1].shape))
	for i := range cotangent {
		cotangent[i] = rng.NormFloat64()
	}
	value := func() float64 {
		return dot(cotangent, pr.run(x, rows))
	}
	value()
	copy(pr.seed.resize(rows), cotangent)
	wanted := map[*value64]bool{}
	for i := range pr.grads {
		for _, v := range pr.grads[i] {
			wanted[v] = true
		}
	}
	for _, v := range pr.gradients {
		wanted[v] = true
	}
	delete(wanted, nil)
	pr.runBack(pr.need(wanted))
	for i, l := range layers {
		for k, v := range pr.params[i] {
			if grad := pr.grads[i][k]; grad != nil {
				compareGradient(t, l.name+"/"+l.params[k].suffix, value, v.data, grad.data)
			}
		}
	}
	if !ids {
		compareGradient(t, "input", value, x, pr.gradients[0].data)
	}
	for i := 1; i < len(layers)-1; i++ {
		out := pr.outputs[i].data
		if pr.gradients[i] == nil || sharesMemory(pr, i) {
			continue
		}
		value()
		rest := func() float64 { // from the tensor on
			for _, s := range pr.forward[i:] {
				s.op.forward(&pr.pass, s.args)
			}
			return dot(cotangent, pr.outputs[len(layers)-1].data)
		}
		// What a ReLU gave as 0 is at a kink of a ReLU or a maximum after it.
		compareGradientWhere(t, "output of "+layers[i].label(), rest, out, pr.gradients[i].data, func(v float64) bool { return v != 0 })
	}
}

// sharesMemory: views hand on their input, and a change of one would change the other.
func sharesMemory(pr *program[float64], i int) bool {
	for j, v := range pr.outputs {
		if j != i && len(v.data) > 0 && &v.data[0] == &pr.outputs[i].data[0] {
			return true
		}
	}
	return false
}

type value64 = value[float64]

func compareGradient(t *testing.T, name string, f func() float64, x, gradient []float64) {
	t.Helper()
	compareGradientWhere(t, name, f, x, gradient, func(float64) bool { return true })
}

// compareGradientWhere leaves out elements by their value.
func compareGradientWhere(t *testing.T, name string, f func() float64, x, gradient []float64, smooth func(v float64) bool) {
	t.Helper()
	gradient = append([]float64(nil), gradient...)
	const h = 1e-6
	for i, v := range x {
		if !smooth(v) {
			continue
		}
		x[i] = v + h
		up := f()
		x[i] = v - h
		down := f()
		x[i] = v
		want := (up - down) / (2 * h)
		if math.Abs(gradient[i]-want) > 1e-6*(1+math.Abs(want)) {
			t.Fatalf("%s: gradient of element %d is %v, central differences give %v", name, i, gradient[i], want)
		}
	}
}
