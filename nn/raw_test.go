package nn

import (
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
)

type rawFunc = func(x *gorgonia.Node, p gorgonia.Nodes) (*gorgonia.Node, error)

// rawUnary applies a function of gorgonia to softplus(x), which is positive.
func rawUnary(f func(*gorgonia.Node) (*gorgonia.Node, error)) rawFunc {
	return func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return f(gorgonia.Must(gorgonia.Softplus(x)))
	}
}

type rawCase struct {
	name   string
	shape  []int
	params []RawParam
	graph  rawFunc
}

var rawCases = []rawCase{
	{"linear", []int{4}, []RawParam{{Name: "w", Shape: []int{4, 3}}, {Name: "b", Shape: []int{1, 3}}},
		func(x *gorgonia.Node, p gorgonia.Nodes) (*gorgonia.Node, error) {
			y := gorgonia.Must(gorgonia.Mul(x, p[0]))
			return gorgonia.Tanh(gorgonia.Must(gorgonia.BroadcastAdd(y, p[1], nil, []byte{0})))
		}},
	{"parameter twice", []int{3}, []RawParam{{Name: "w", Shape: []int{3, 3}}},
		func(x *gorgonia.Node, p gorgonia.Nodes) (*gorgonia.Node, error) {
			y := gorgonia.Must(gorgonia.Sigmoid(gorgonia.Must(gorgonia.Mul(x, p[0]))))
			return gorgonia.Mul(y, p[0])
		}},
	{"rectify", []int{5}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Rectify(x) }},
	{"exp", []int{3}, nil, rawUnary(gorgonia.Exp)},
	{"log", []int{3}, nil, rawUnary(gorgonia.Log)},
	{"sqrt", []int{3}, nil, rawUnary(gorgonia.Sqrt)},
	{"square", []int{3}, nil, rawUnary(gorgonia.Square)},
	{"cube", []int{3}, nil, rawUnary(gorgonia.Cube)},
	{"inverse", []int{3}, nil, rawUnary(gorgonia.Inverse)},
	{"neg", []int{3}, nil, rawUnary(gorgonia.Neg)},
	{"abs", []int{3}, nil, rawUnary(gorgonia.Abs)},
	{"sin", []int{3}, nil, rawUnary(gorgonia.Sin)},
	{"cos", []int{3}, nil, rawUnary(gorgonia.Cos)},
	{"sum", []int{3, 4}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Sum(x, 1) }},
	{"mean", []int{3, 4}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Mean(x, 2) }},
	{"sum of two axes", []int{3, 4}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return gorgonia.Sum(x, 1, 2)
	}},
	{"reshape transpose", []int{2, 3}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return gorgonia.Transpose(gorgonia.Must(gorgonia.Tanh(x)), 0, 2, 1)
	}},
	{"slice concat", []int{5}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		a := gorgonia.Must(gorgonia.Slice(x, nil, gorgonia.S(1, 3)))
		b := gorgonia.Must(gorgonia.Slice(x, nil, gorgonia.S(2, 5)))
		return gorgonia.Concat(1, a, gorgonia.Must(gorgonia.Square(b)))
	}},
	{"batched product", []int{3, 4}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return gorgonia.BatchedMatMul(x, gorgonia.Must(gorgonia.Transpose(x, 0, 2, 1)))
	}},
	{"batched product, transposed", []int{3, 4}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return gorgonia.BatchedMatMul(x, x, false, true)
	}},
	{"leaky relu", []int{5}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.LeakyRelu(x, 0.1) }},
	{"subtract", []int{5}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return gorgonia.Sub(gorgonia.Must(gorgonia.Square(x)), x)
	}},
	{"sigmoid", []int{3}, nil, rawUnary(gorgonia.Sigmoid)},
	{"tanh", []int{3}, nil, rawUnary(gorgonia.Tanh)},
	{"softplus", []int{3}, nil, rawUnary(gorgonia.Softplus)},
	{"sum of two axes of four", []int{3, 2, 4}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return gorgonia.Sum(x, 1, 3)
	}},
	{"constants", []int{3}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		two := gorgonia.NewConstant(2.5)
		if x.Dtype() == gorgonia.Float32 {
			two = gorgonia.NewConstant(float32(2.5))
		}
		return gorgonia.Add(gorgonia.Must(gorgonia.HadamardProd(x, two)), x)
	}},
	{"power of a constant", []int{3}, nil, rawUnary(func(x *gorgonia.Node) (*gorgonia.Node, error) {
		three := gorgonia.NewConstant(3.0)
		if x.Dtype() == gorgonia.Float32 {
			three = gorgonia.NewConstant(float32(3))
		}
		return gorgonia.Pow(x, three)
	})},
	{"power", []int{3}, nil, rawUnary(func(x *gorgonia.Node) (*gorgonia.Node, error) {
		return gorgonia.Pow(x, gorgonia.Must(gorgonia.Square(x)))
	})},
	{"divide", []int{3}, nil, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
		return gorgonia.HadamardDiv(x, gorgonia.Must(gorgonia.Exp(x)))
	}},
}

func TestRawGradients(t *testing.T) {
	for _, c := range rawCases {
		t.Run(c.name, func(t *testing.T) {
			build := func(x Node) Node {
				return x.Tanh().Apply("raw", Raw{Params: c.params, Graph: c.graph}).Tanh()
			}
			checkGradients(t, build, c.shape, 3, false, true)
			checkGradients(t, build, c.shape, 1, false, true)
		})
	}
}

func TestRawIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		graph rawFunc
		want  string
	}{
		{"dropout", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Dropout(x, 0.2) }, "use x.Dropout"},
		{"concat of many", []int{256}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Concat(1, x, gorgonia.Must(gorgonia.Neg(x)))
		}, "use nn.Concat"},
		{"named constant", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Add(x, gorgonia.NewConstant(float32(5), gorgonia.WithName("1")))
		}, "leave out WithName"},
		{"gradient inside", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			g, err := gorgonia.Grad(gorgonia.Must(gorgonia.Sum(gorgonia.Must(gorgonia.Cube(x)))), x)
			if err != nil {
				return nil, err
			}
			return gorgonia.Add(g[0], x)
		}, "write the derivative as an expression"},
		{"binary cross-entropy", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.BinaryXent(gorgonia.Must(gorgonia.Sigmoid(x)), x)
		}, "write it with Softplus"},
		{"slice with a step", []int{6}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Slice(x, nil, gorgonia.S(1, 6, 2))
		}, "a step that divides the length"},
		{"slice backwards", []int{6}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Slice(x, nil, gorgonia.S(0, 6, -1))
		}, "a step that divides the length"},
		{"average pool", []int{2, 4, 4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.AveragePool2D(x, []int{2, 2}, []int{0, 0}, []int{2, 2})
		}, "use x.AvgPool"},
		{"average pool 1d", []int{2, 1, 4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.AveragePool1D(x, 2, 0, 2)
		}, "use x.MaxPool"},
		{"global average pool", []int{2, 4, 4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.GlobalAveragePool2D(x)
		}, "use x.GlobalAvgPool"},
		{"softmax", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.SoftMax(x) }, "use x.Softmax"},
		{"log softmax", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.LogSoftMax(x) }, "use x.Softmax"},
		{"convolution", []int{1, 4, 4}, func(x *gorgonia.Node, p gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Conv2d(x, p[0], []int{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1})
		}, "use x.Conv"},
		{"inverse square root", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.InverseSqrt(x) }, "use Inverse of Sqrt"},
		{"variable", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Add(x, gorgonia.NewTensor(x.Graph(), x.Dtype(), 2, gorgonia.WithShape(x.Shape()...), gorgonia.WithName("b")))
		}, "declare it in Params"},
		{"slice beyond", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Slice(x, nil, gorgonia.S(0, 9))
		}, "correct the bounds"},
		{"slice far", []int{400}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Slice(x, nil, gorgonia.S(0, 300))
		}, "modulo 256"},
		{"noise", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Add(x, gorgonia.GaussianRandomNode(x.Graph(), x.Dtype(), 0, 1, x.Shape()...))
		}, "cannot be seeded"},
		{"product, transposed", []int{3, 4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.BatchedMatMul(x, x, true, false)
		}, "nobody has verified"},
		{"equality", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Eq(x, x, true)
		}, "nobody has verified"},
		{"not verified", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Log2(x) }, "nobody has verified"},
		{"no rows", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Sum(x, 0) }, "keep the first axis"},
		{"constant of another type", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) {
			return gorgonia.Add(x, gorgonia.NewConstant(2.0))
		}, "constants must be of x.Dtype()"},
		{"panic", []int{4}, func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { panic("oh") }, "panic: oh"},
	} {
		t.Run(c.name, func(t *testing.T) {
			example := train.Batch{Inputs: train.NewTensor(append([]int{3}, c.shape...)...), Targets: train.NewTensor(3)}
			r := Raw{Graph: c.graph}
			if c.name == "convolution" {
				r.Params = []RawParam{{Name: "filter", Shape: []int{2, 1, 3, 3}}}
			}
			_, err := buildLayers(train.Init{Example: example}, func(x Node) Node { return x.Apply("raw", r) })
			require.Error(t, err)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, `layer "raw" (raw): got`)
		})
	}
}

func TestRawLearnsWithAnyRows(t *testing.T) {
	b := blobs(17, 4, 3, 1)
	m := Classifier("raw", func(x Node) Node {
		return x.Apply("raw", Raw{
			Params: []RawParam{{Name: "weight", Shape: []int{4, 8}, Decays: true}},
			Graph: func(x *gorgonia.Node, p gorgonia.Nodes) (*gorgonia.Node, error) {
				return gorgonia.Softplus(gorgonia.Must(gorgonia.Mul(x, p[0])))
			},
		}).Dense("logits", x.Classes())
	})
	l := newTestLearner(t, m, b, 3)
	fit(t, l, b, 80, 0.02)
	last := fit(t, l, b.Slice(0, 5), 1, 0)
	require.Less(t, last[0], 0.1)
	p, err := l.Predict(b)
	require.NoError(t, err)
	require.Less(t, p.Loss, 0.1)
}
