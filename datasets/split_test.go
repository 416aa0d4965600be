package datasets_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

// ids are the inputs of a set of [numbered] rows: which rows they were.
func ids(t *testing.T, s datasets.Set) []int {
	t.Helper()
	var out []int
	for _, v := range all(t, datasets.Batches(s), train.Pass{}).Inputs.Data {
		out = append(out, int(v))
	}
	return out
}

func TestSplitKeepsEveryRowAndTheShares(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for trial := range 100 {
		rows, classes := 10+r.IntN(200), 1+r.IntN(8)
		names := make([]string, classes)
		inputs, targets, perClass := make([][]float32, rows), make([]int, rows), make([]int, classes)
		for i := range rows {
			inputs[i], targets[i] = []float32{float32(i)}, int(float64(classes)*r.Float64()*r.Float64()) // unbalanced
			perClass[targets[i]]++
		}
		s, err := datasets.FromRows(inputs, targets, names)
		require.NoError(t, err)
		fraction := 0.1 + 0.8*r.Float64()
		training, validation, err := datasets.Split(s, fraction, uint64(trial))
		require.NoError(t, err)
		assert.InDelta(t, fraction*float64(rows), validation.Rows, 0.5+1e-9)
		got := make([]int, classes)
		for _, row := range ids(t, validation) {
			got[targets[row]]++
		}
		for class, n := range got {
			assert.Less(t, math.Abs(fraction*float64(perClass[class])-float64(n)), 1., "class %d of %d rows", class, perClass[class])
		}
		assert.Equal(t, datasets.Order(rows, train.Pass{}), slices.Sorted(slices.Values(slices.Concat(ids(t, training), ids(t, validation)))))
	}
}

func TestSplitDependsOnTheSeedAlone(t *testing.T) {
	s := numbered(t, 60, 3)
	first, _, err := datasets.Split(s, 0.25, 7)
	require.NoError(t, err)
	again, _, err := datasets.Split(s, 0.25, 7)
	require.NoError(t, err)
	other, _, err := datasets.Split(s, 0.25, 8)
	require.NoError(t, err)
	assert.Equal(t, ids(t, first), ids(t, again))
	assert.NotEqual(t, ids(t, first), ids(t, other))
	assert.False(t, slices.IsSorted(ids(t, first)), "rows come in a random order")
}

func TestSplitByKeepsGroupsTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for trial := range 100 {
		rows, number := 20+r.IntN(200), 2+r.IntN(30)
		groups := make([]string, rows)
		for i := range groups {
			groups[i] = fmt.Sprint("writer ", i%2*r.IntN(number)) // one large group
		}
		groups[1], groups[2] = "writer x", "writer y"
		training, validation, err := datasets.SplitBy(numbered(t, rows, 3), groups, 0.3, uint64(trial))
		require.NoError(t, err)
		side := map[string]bool{}
		for _, row := range ids(t, training) {
			side[groups[row]] = true
		}
		for i, row := range ids(t, validation) {
			assert.False(t, side[groups[row]], "group %s is on both sides", groups[row])
			assert.Equal(t, groups[row], validation.Groups[i], "groups follow their rows")
		}
		assert.Equal(t, rows, training.Rows+validation.Rows)
		assert.Positive(t, training.Rows)
		assert.Positive(t, validation.Rows)
	}
	groups := make([]string, 1000)
	for i := range groups {
		groups[i] = fmt.Sprint(i / 10)
	}
	_, validation, err := datasets.SplitBy(numbered(t, 1000, 3), groups, 0.25, 1)
	require.NoError(t, err)
	assert.InDelta(t, 250, validation.Rows, 5, "groups are small, so the share is met")
}

func TestSplitRefuses(t *testing.T) {
	s := numbered(t, 4, 2)
	for _, fraction := range []float64{0, 1, -1, 2, math.NaN()} {
		_, _, err := datasets.Split(s, fraction, 0)
		assert.ErrorContains(t, err, "is outside (0, 1)")
	}
	_, _, err := datasets.Split(s, 0.01, 0)
	assert.ErrorContains(t, err, "leaves one side of 4 rows empty")
	_, _, err = datasets.SplitBy(s, []string{"a", "a", "a", "a"}, 0.5, 0)
	assert.ErrorContains(t, err, `all 4 rows belong to the group "a"`)
	_, _, err = datasets.SplitBy(s, nil, 0.5, 0)
	assert.ErrorContains(t, err, "groups is nil")
	_, _, err = datasets.SplitBy(s, []string{"a"}, 0.5, 0)
	assert.ErrorContains(t, err, "1 groups for 4 rows")
}

func TestScalerKnowsTrainingDataOnly(t *testing.T) {
	training, err := datasets.FromRows([][]float32{{1, 5, 0}, {3, 5, 0}, {5, 5, 3}}, []int{0, 1, 0}, []string{"a", "b"})
	require.NoError(t, err)
	validation, err := datasets.FromRows([][]float32{{3, 7, -100}}, []int{0}, []string{"a", "b"})
	require.NoError(t, err)
	scaler, err := datasets.Fit(training)
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{3, 5, 1}, scaler.Mean, 1e-12)
	assert.InDeltaSlice(t, []float64{math.Sqrt(8. / 3), 1, math.Sqrt2}, scaler.Std, 1e-12)
	inputs, _, err := scaler.Apply(validation).Example(0)
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float32{0, 2, -101 / math.Sqrt2}, inputs, 1e-5, "a constant feature is only centred")
	inputs, _, err = validation.Example(0)
	require.NoError(t, err)
	assert.Equal(t, []float32{3, 7, -100}, inputs, "the set itself is not changed")
	assert.Panics(t, func() { scaler.Apply(numbered(t, 3, 2)) })
}

func TestScalerOfPicturesIsPerChannel(t *testing.T) {
	pictures := train.Tensor{Shape: []int{2, 2, 1, 2}, Data: []float32{0, 2, 10, 10, 0, 2, 30, 30}}
	s, err := datasets.FromTensors(pictures, train.NewTensor(2), []string{"a"})
	require.NoError(t, err)
	scaler, err := datasets.Fit(s)
	require.NoError(t, err)
	assert.InDeltaSlice(t, []float64{1, 20}, scaler.Mean, 1e-12)
	assert.InDeltaSlice(t, []float64{1, 10}, scaler.Std, 1e-12)
	b := all(t, datasets.Batches(scaler.Apply(s)), train.Pass{})
	assert.Equal(t, []float32{-1, 1, -1, -1, -1, 1, 1, 1}, b.Inputs.Data)
}

func TestSetData(t *testing.T) {
	s := numbered(t, 100, 2)
	data, err := s.Data(datasets.Options{Test: 0.1, Validation: 0.3, BatchSize: 5, Augment: []datasets.Augmentation{datasets.Noise(1)}})
	require.NoError(t, err)
	assert.Equal(t, "numbered", data.Name)
	assert.Equal(t, 5, data.BatchSize)
	for stage, want := range map[string]int{train.Training: 60, train.Validation: 30, train.Test: 10} {
		src, err := data.Stage(stage)
		require.NoError(t, err)
		plain, changed := all(t, src, train.Pass{}), all(t, src, train.Pass{Augment: true})
		assert.Equal(t, want, plain.Len(), stage)
		assert.Equal(t, stage == train.Training, plain.Inputs.Data[0] != changed.Inputs.Data[0], "only training is augmented: %s", stage)
	}
	mean, variance := moments(all(t, data.Training, train.Pass{}), 0)
	assert.InDelta(t, 0, mean, 1e-6)
	assert.InDelta(t, 1, variance, 1e-5)
	mean, _ = moments(all(t, data.Validation, train.Pass{}), 0)
	assert.NotZero(t, mean, "validation is on the scale of training, not on its own")

	raw, err := s.Data(datasets.Options{Raw: true})
	require.NoError(t, err)
	assert.Nil(t, raw.Test)
	assert.Equal(t, 32, raw.BatchSize)
	for _, v := range all(t, raw.Validation, train.Pass{}).Inputs.Data {
		assert.Equal(t, float64(v), math.Trunc(float64(v)))
	}
	_, err = s.Data(datasets.Options{Validation: 0.6, Test: 0.4})
	assert.ErrorContains(t, err, "leave nothing to train on")
	_, err = s.Data(datasets.Options{Augment: []datasets.Augmentation{datasets.Shift(1)}})
	assert.EqualError(t, err, "numbered: augmenting row 0: this augmentation needs pictures, [channels, height, width]: the examples have shape [1]")
	_, err = datasets.Stages{Training: s, Validation: numbered(t, 5, 3)}.Data()
	assert.ErrorContains(t, err, "they must be the same")
}
