package nn

import (
	"fmt"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
)

// axesOf lists the sets of axes from first to dims-1 that are not empty.
func axesOf(first, dims int) [][]int {
	var sets [][]int
	for bits := 1; bits < 1<<(dims-first); bits++ {
		var set []int
		for i := range dims - first {
			if bits>>i&1 != 0 {
				set = append(set, first+i)
			}
		}
		sets = append(sets, set)
	}
	return sets
}

var sumShapes = [][]int{{3}, {3, 4}, {2, 3, 4}, {3, 1, 2}, {2, 3, 2, 4}}

// Sums of gorgonia are wrong along some axes of four and more, in networks and in
// the gradients of what is broadcast.
func TestRawSums(t *testing.T) {
	for _, shape := range sumShapes {
		for _, axes := range axesOf(1, len(shape)+1) {
			t.Run(fmt.Sprint(shape, " along ", axes), func(t *testing.T) {
				graph := func(x *gorgonia.Node, _ gorgonia.Nodes) (*gorgonia.Node, error) { return gorgonia.Sum(x, axes...) }
				sums := func(x Node) Node { return x.Apply("raw", Raw{Graph: graph}) }
				for _, rows := range []int{1, 3} {
					checkSums(t, sums, shape, axes, rows)
					checkGradients(t, func(x Node) Node { return sums(x.Tanh()) }, shape, rows, false, true)
				}
			})
		}
	}
}

// checkSums compares with sums that are found by the indices of each element.
func checkSums(t *testing.T, sums func(Node) Node, shape, axes []int, rows int) {
	t.Helper()
	b := train.Batch{Inputs: train.NewTensor(append([]int{rows}, shape...)...), Targets: train.NewTensor(rows)}
	layers, err := buildLayers(train.Init{Example: b}, sums)
	require.NoError(t, err)
	b.Targets = train.NewTensor(append([]int{rows}, layers[1].shape...)...)
	want := map[string]float32{}
	var order []string
	index := make([]int, len(b.Inputs.Shape))
	for i := range b.Inputs.Data {
		rest := i
		for k := len(index) - 1; k >= 0; k-- {
			index[k] = rest % b.Inputs.Shape[k]
			rest /= b.Inputs.Shape[k]
		}
		for _, axis := range axes {
			index[axis] = 0
		}
		key := fmt.Sprint(index)
		if _, ok := want[key]; !ok {
			order = append(order, key)
		}
		b.Inputs.Data[i] = float32(i*i%97) - 40
		want[key] += b.Inputs.Data[i]
	}
	p, err := newTestLearner(t, Regressor("raw", sums), b, 0).Predict(b)
	require.NoError(t, err)
	require.Len(t, p.Outputs.Data, len(order))
	for i, key := range order {
		require.Equal(t, want[key], p.Outputs.Data[i], "element %v with %d rows", key, rows)
	}
}

func TestRawBroadcasts(t *testing.T) {
	for _, shape := range sumShapes {
		for _, axes := range axesOf(0, len(shape)+1) {
			if axes[0] != 0 || axes[len(axes)-1] > 3 {
				continue // a parameter has no rows, and gorgonia broadcasts along the first four axes only
			}
			t.Run(fmt.Sprint(shape, " along ", axes), func(t *testing.T) {
				small := append([]int{1}, shape...)
				over := make([]byte, len(axes))
				for i, axis := range axes {
					small[axis], over[i] = 1, byte(axis)
				}
				raw := Raw{
					Params: []RawParam{{Name: "w", Shape: small, Init: Normal(1, 0.3)}},
					Graph: func(x *gorgonia.Node, p gorgonia.Nodes) (*gorgonia.Node, error) {
						y, err := gorgonia.BroadcastHadamardProd(x, p[0], nil, over)
						if err != nil {
							return nil, err
						}
						return gorgonia.BroadcastAdd(p[0], gorgonia.Must(gorgonia.Sigmoid(y)), over, nil)
					},
				}
				for _, rows := range []int{1, 3} {
					checkGradients(t, func(x Node) Node { return x.Tanh().Apply("raw", raw) }, shape, rows, false, true)
				}
			})
		}
	}
}
