package nn

import (
	"math"
	"slices"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

func softplus(v float64) float64 { return math.Log1p(math.Exp(v)) }

// rawExpected are the values of the cases of rawCases that have no parameters,
// for the rows x [rows, …] in plain Go.
var rawExpected = map[string]func(x [][]float64) []float64{
	"sigmoid":             each(func(v float64) float64 { return 1 / (1 + math.Exp(-softplus(v))) }),
	"tanh":                each(func(v float64) float64 { return math.Tanh(softplus(v)) }),
	"rectify":             each(func(v float64) float64 { return max(v, 0) }),
	"leaky relu":          each(func(v float64) float64 { return max(v, 0.1*v) }),
	"exp":                 each(func(v float64) float64 { return math.Exp(softplus(v)) }),
	"log":                 each(func(v float64) float64 { return math.Log(softplus(v)) }),
	"sqrt":                each(func(v float64) float64 { return math.Sqrt(softplus(v)) }),
	"square":              each(func(v float64) float64 { return softplus(v) * softplus(v) }),
	"cube":                each(func(v float64) float64 { return math.Pow(softplus(v), 3) }),
	"inverse":             each(func(v float64) float64 { return 1 / softplus(v) }),
	"neg":                 each(func(v float64) float64 { return -softplus(v) }),
	"abs":                 each(softplus),
	"sin":                 each(func(v float64) float64 { return math.Sin(softplus(v)) }),
	"cos":                 each(func(v float64) float64 { return math.Cos(softplus(v)) }),
	"softplus":            each(func(v float64) float64 { return softplus(softplus(v)) }),
	"subtract":            each(func(v float64) float64 { return v*v - v }),
	"constants":           each(func(v float64) float64 { return 2.5*v + v }),
	"divide":              each(func(v float64) float64 { return v / math.Exp(v) }),
	"power of a constant": each(func(v float64) float64 { return math.Pow(softplus(v), 3) }),
	"power":               each(func(v float64) float64 { return math.Pow(softplus(v), softplus(v)*softplus(v)) }),
	"sum": func(x [][]float64) []float64 {
		return indexed(x, 4, func(r []float64, j int) float64 { return r[j] + r[4+j] + r[8+j] })
	},
	"mean": func(x [][]float64) []float64 {
		return indexed(x, 3, func(r []float64, j int) float64 { return total(r[4*j:4*j+4]) / 4 })
	},
	"sum of two axes": func(x [][]float64) []float64 {
		return indexed(x, 1, func(r []float64, _ int) float64 { return total(r) })
	},
	"reshape transpose": func(x [][]float64) []float64 {
		return indexed(x, 6, func(r []float64, j int) float64 { return math.Tanh(r[j%2*3+j/2]) })
	},
	"batched product":             func(x [][]float64) []float64 { return indexed(x, 9, gram) },
	"slice concat":                func(x [][]float64) []float64 { return indexed(x, 5, sliced) },
	"batched product, transposed": func(x [][]float64) []float64 { return indexed(x, 9, gram) },
	"sum of two axes of four": func(x [][]float64) []float64 {
		return indexed(x, 2, func(r []float64, j int) float64 {
			return total(r[4*j:4*j+4]) + total(r[8+4*j:12+4*j]) + total(r[16+4*j:20+4*j])
		})
	},
}

func each(f func(float64) float64) func([][]float64) []float64 {
	return func(x [][]float64) []float64 {
		return indexed(x, len(x[0]), func(r []float64, j int) float64 { return f(r[j]) })
	}
}

func indexed(x [][]float64, n int, f func(row []float64, j int) float64) []float64 {
	var y []float64
	for _, row := range x {
		for j := range n {
			y = append(y, f(row, j))
		}
	}
	return y
}

func total(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v
	}
	return s
}

// gram is element j of r·rᵀ, for a row [3, 4].
func gram(r []float64, j int) float64 { return dot(r[j/3*4:j/3*4+4], r[j%3*4:j%3*4+4]) }

// sliced is element j of r[1:3] followed by the squares of r[2:5].
func sliced(r []float64, j int) float64 {
	if j < 2 {
		return r[1+j]
	}
	return r[j] * r[j]
}

func TestRawValues(t *testing.T) {
	for _, c := range rawCases {
		if len(c.params) > 0 {
			continue // their operators: TestRawIsDense, and sigmoid here
		}
		t.Run(c.name, func(t *testing.T) {
			want := rawExpected[c.name]
			require.NotNil(t, want, "a case without values")
			b := train.Batch{Inputs: train.NewTensor(append([]int{3}, c.shape...)...), Targets: train.NewTensor(3)}
			rows := make([][]float64, 3)
			for i := range b.Inputs.Data {
				b.Inputs.Data[i] = float32(2 * math.Sin(float64(3*i+1)))
			}
			for i := range rows {
				for _, v := range b.Inputs.Row(i) {
					rows[i] = append(rows[i], float64(v))
				}
			}
			raw := func(x Node) Node { return x.Apply("raw", Raw{Graph: c.graph}) }
			layers, err := buildLayers(train.Init{Example: b}, raw)
			require.NoError(t, err)
			b.Targets = train.NewTensor(append([]int{3}, layers[1].shape...)...)
			p, err := newTestLearner(t, Regressor("raw", raw), b, 0).Predict(b)
			require.NoError(t, err)
			var got []float64
			for _, v := range p.Outputs.Data {
				got = append(got, float64(v))
			}
			y := want(rows)
			require.Len(t, got, len(y))
			for i := range y {
				require.InDelta(t, y[i], got[i], 2e-5*(1+math.Abs(y[i])), "element %d", i)
			}
		})
	}
}

// The linear case, with parameters, is a dense layer with tanh.
func TestRawIsDense(t *testing.T) {
	b := blobs(5, 4, 3, 1)
	c := rawCases[slices.IndexFunc(rawCases, func(c rawCase) bool { return c.name == "linear" })]
	raw := newTestLearner(t, Classifier("raw", func(x Node) Node { return x.Apply("l", Raw{Params: c.params, Graph: c.graph}) }), b, 3)
	dense := newTestLearner(t, Classifier("dense", func(x Node) Node { return x.Dense("l", 3).Tanh() }), b, 3)
	w := param(t, dense, "l/weight").Value
	for i := range 4 {
		for j := range 3 {
			w[j*4+i] = param(t, raw, "l/w").Value[i*3+j]
		}
	}
	copy(param(t, raw, "l/b").Value, []float32{0.1, -0.2, 0.3})
	copy(param(t, dense, "l/bias").Value, []float32{0.1, -0.2, 0.3})
	want, err := dense.Predict(b)
	require.NoError(t, err)
	got, err := raw.Predict(b)
	require.NoError(t, err)
	require.InDeltaSlice(t, want.Outputs.Data, got.Outputs.Data, 1e-5)
}
