package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

// lossCases have their targets as the loss wants them; nil means random values.
var lossCases = []struct {
	name    string
	loss    train.Loss
	outputs []int // shape of a row
	targets []int // shape of a row
	classes int   // targets are ids in [-1, classes), 0 for values
}{
	{"cross-entropy", train.Loss{Kind: train.CrossEntropy}, []int{4}, nil, 4},
	{"cross-entropy one class", train.Loss{Kind: train.CrossEntropy}, []int{1}, nil, 1},
	{"cross-entropy positions", train.Loss{Kind: train.CrossEntropy}, []int{3, 4}, []int{3}, 4},
	{"cross-entropy weights", train.Loss{Kind: train.CrossEntropy, ClassWeights: []float64{1, 0.5, 3}}, []int{3}, nil, 3},
	{"cross-entropy smoothing", train.Loss{Kind: train.CrossEntropy, Smoothing: 0.2}, []int{3}, nil, 3},
	{"cross-entropy both", train.Loss{Kind: train.CrossEntropy, Smoothing: 0.1, ClassWeights: []float64{1, 0.5, 3}}, []int{3}, nil, 3},
	{"binary", train.Loss{Kind: train.BinaryCrossEntropy}, []int{1}, nil, 2},
	{"binary labels", train.Loss{Kind: train.BinaryCrossEntropy}, []int{3}, []int{3}, 2},
	{"mse", train.Loss{Kind: train.MSE}, []int{3}, []int{3}, 0},
	{"mse one value", train.Loss{Kind: train.MSE}, []int{1}, nil, 0},
	{"mae", train.Loss{Kind: train.MAE}, []int{3}, []int{3}, 0},
	{"huber", train.Loss{Kind: train.Huber}, []int{3}, []int{3}, 0},
	{"huber delta", train.Loss{Kind: train.Huber, Delta: 0.3}, []int{2, 2}, []int{2, 2}, 0},
}

func TestLossGradients(t *testing.T) {
	const rows = 6
	for _, c := range lossCases {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 9))
			targets := train.NewTensor(append([]int{rows}, c.targets...)...)
			for i := range targets.Data {
				targets.Data[i] = float32(rng.NormFloat64())
				if c.classes > 0 {
					targets.Data[i] = float32(rng.IntN(c.classes+1) - 1)
				}
			}
			targets.Data[0] = max(targets.Data[0], 0) // one target at least
			classes := c.classes
			if c.loss.Kind != train.CrossEntropy {
				classes = 0
			}
			example := train.Batch{Inputs: train.NewTensor(rows, 1), Targets: targets}
			o, err := newObjective[float64](train.Init{Example: example, Classes: classes, Loss: c.loss}, c.outputs)
			require.NoError(t, err)
			out := make([]float64, rows*train.Size(c.outputs))
			for i := range out {
				out[i] = 2 * rng.NormFloat64()
			}
			require.NoError(t, o.read(targets))
			value := func() float64 {
				loss, _ := o.measure(out, targets, nil, true)
				return loss
			}
			grad := make([]float64, len(out))
			loss, weight := o.measure(out, targets, grad, false)
			require.InDelta(t, value(), loss, 1e-12, "with and without gradient")
			require.Positive(t, weight)
			compareGradient(t, "outputs", value, out, grad)
		})
	}
}

func TestLossOfNothing(t *testing.T) {
	targets := train.Tensor{Shape: []int{2}, Data: []float32{-1, -1}}
	for _, kind := range []train.LossKind{train.CrossEntropy, train.BinaryCrossEntropy} {
		example := train.Batch{Inputs: train.NewTensor(2, 1), Targets: targets}
		o, err := newObjective[float32](train.Init{Example: example, Loss: train.Loss{Kind: kind}}, []int{1})
		require.NoError(t, err)
		require.NoError(t, o.read(targets))
		loss, weight := o.measure([]float32{1, 2}, targets, nil, true)
		require.Zero(t, weight)
		require.True(t, math.IsNaN(loss))
	}
}

func TestLossMistakes(t *testing.T) {
	for _, c := range []struct {
		loss    train.Loss
		outputs []int
		targets []int
		classes int
		want    string
	}{
		{train.Loss{Kind: train.CrossEntropy}, []int{3}, nil, 4, "got 3 logits, want 4, one for each class"},
		{train.Loss{Kind: train.CrossEntropy}, nil, nil, 0, "want [classes] or [positions, classes]"},
		{train.Loss{Kind: train.CrossEntropy}, []int{3}, []int{3}, 3, "got rows of shape [3], want one class id, for outputs have rows of shape [3]: use ids"},
		{train.Loss{Kind: train.CrossEntropy, ClassWeights: []float64{1}}, []int{3}, nil, 3, "got 1 class weights, want 3"},
		{train.Loss{Kind: train.MSE}, []int{3}, []int{2}, 0, "got rows of shape [2], want [3]"},
		{train.Loss{Kind: train.MSE, Smoothing: 0.1}, []int{1}, nil, 0, "takes neither smoothing"},
		{train.Loss{Kind: "hinge"}, []int{1}, nil, 0, `there is no loss "hinge"`},
	} {
		example := train.Batch{Inputs: train.NewTensor(2, 1), Targets: train.NewTensor(append([]int{2}, c.targets...)...)}
		_, err := newObjective[float32](train.Init{Example: example, Classes: c.classes, Loss: c.loss}, c.outputs)
		require.ErrorContains(t, err, c.want)
	}
}

func TestBadClassNamesTheRow(t *testing.T) {
	for _, c := range []struct {
		kind    train.LossKind
		outputs []int
		targets []int
		bad     float32
		want    string
	}{
		{train.CrossEntropy, []int{2, 3}, []int{2}, 3, "row 1, position 0 has the class id 3, but there are 3 classes: ids are 0 to 2"},
		{train.CrossEntropy, []int{3}, nil, float32(math.NaN()), "row 2 has the class id NaN"},
		{train.BinaryCrossEntropy, []int{1}, nil, 2, "row 2 has the class id 2, but there are 2 classes"},
	} {
		t.Run(fmt.Sprint(c.kind, c.bad), func(t *testing.T) {
			example := train.Batch{Inputs: train.NewTensor(4, 1), Targets: train.NewTensor(append([]int{4}, c.targets...)...)}
			o, err := newObjective[float32](train.Init{Example: example, Loss: train.Loss{Kind: c.kind}}, c.outputs)
			require.NoError(t, err)
			example.Targets.Data[2] = c.bad
			require.ErrorContains(t, o.read(example.Targets), c.want)
		})
	}
}
