package nn

import (
	"math"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

func TestInitialisers(t *testing.T) {
	shape := []int{64, 16, 3, 3} // fan-in 144, fan-out 576
	for _, c := range []struct {
		name      string
		init      Init
		deviation float64
		bound     float64 // 0: none
	}{
		{"zeros", Zeros, 0, 0},
		{"uniform", Uniform(-2, 2), 4 / math.Sqrt(12), 2},
		{"normal", Normal(0, 3), 3, 0},
		{"he uniform", HeUniform, math.Sqrt(2. / 144), math.Sqrt(6. / 144)},
		{"he normal", HeNormal, math.Sqrt(2. / 144), 0},
		{"glorot uniform", GlorotUniform, math.Sqrt(2. / 720), math.Sqrt(6. / 720)},
		{"glorot normal", GlorotNormal, math.Sqrt(2. / 720), 0},
		{"lecun uniform", LeCunUniform, math.Sqrt(1. / 144), math.Sqrt(3. / 144)},
		{"lecun normal", LeCunNormal, math.Sqrt(1. / 144), 0},
		{"scaled", Scaled(0.5, Normal(0, 3)), 1.5, 0},
		{"orthogonal", Orthogonal(1), math.Sqrt(1. / 144), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := make([]float32, train.Size(shape))
			c.init(train.Rand(1, "weights"), shape, w)
			sum, squares, largest := 0.0, 0.0, 0.0
			for _, v := range w {
				sum += float64(v)
				squares += float64(v) * float64(v)
				largest = max(largest, math.Abs(float64(v)))
			}
			n := float64(len(w))
			require.InDelta(t, 0, sum/n, 4*c.deviation/math.Sqrt(n)+1e-12)
			require.InDelta(t, c.deviation, math.Sqrt(squares/n), 0.03*c.deviation)
			if c.bound > 0 {
				require.LessOrEqual(t, largest, c.bound)
				require.Greater(t, largest, 0.99*c.bound)
			}
		})
	}
	w := make([]float32, 4)
	Constant(2)(nil, []int{4}, w)
	require.Equal(t, []float32{2, 2, 2, 2}, w)
}

func TestOrthogonalIsOrthogonal(t *testing.T) {
	for _, shape := range [][]int{{4, 9}, {9, 4}, {5, 5}, {1, 3}, {6, 2, 1, 2}} {
		w := make([]float32, train.Size(shape))
		Orthogonal(2)(train.Rand(3, "w"), shape, w)
		rows := shape[0]
		cols := len(w) / rows
		at := func(i, k int) float64 { return float64(w[i*cols+k]) }
		n, length := rows, cols
		if rows > cols {
			n, length = cols, rows
			at = func(i, k int) float64 { return float64(w[k*cols+i]) }
		}
		for i := range n {
			for j := range n {
				d := 0.0
				for k := range length {
					d += at(i, k) * at(j, k)
				}
				want := 0.0
				if i == j {
					want = 4
				}
				require.InDelta(t, want, d, 1e-5, "%v: %d, %d", shape, i, j)
			}
		}
	}
}

// What reshapes the outputs does not hide the last layer.
func TestLastLayerBeginsSmall(t *testing.T) {
	for name, build := range map[string]func(x Node) Node{
		"reshape": func(x Node) Node { return x.Flatten().Dense("last", 9).Reshape(3, 3).Flatten() },
		"pool":    func(x Node) Node { return x.Conv("last", Conv{Filters: 9, Kernel: 3}).GlobalAvgPool() },
	} {
		b := train.Batch{Inputs: train.NewTensor(2, 1, 6, 6), Targets: train.NewTensor(2)}
		l := newTestLearner(t, Classifier(name, build), b, 9)
		for _, v := range param(t, l, "last/weight").Value {
			require.Less(t, math.Abs(float64(v)), 0.01)
		}
	}
}

// A classifier begins near ln K whatever the number of layers, classes and units.
func TestLossAtInit(t *testing.T) {
	for _, classes := range []int{1, 2, 3, 10, 100} {
		for _, hidden := range []int{1, 4, 16, 256} {
			m := Classifier("mlp", func(x Node) Node {
				return x.Dense("a", hidden).ReLU().Dense("b", hidden).ReLU().Dense("logits", x.Classes())
			})
			b := blobs(200, 8, classes, 5)
			p, err := newTestLearner(t, m, b, classes).Predict(b)
			require.NoError(t, err)
			require.InDelta(t, math.Log(float64(classes)), p.Loss, 0.05*math.Log(float64(classes))+1e-12, "%d classes, %d units", classes, hidden)
		}
	}
}
