package datasets_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

func all(t *testing.T, src train.Source, p train.Pass) train.Batch {
	t.Helper()
	var out train.Batch
	for b, err := range src(p) {
		require.NoError(t, err)
		require.NoError(t, b.Check())
		b = b.Clone()
		if out.Rows == nil {
			out = b
			continue
		}
		out.Inputs.Data = append(out.Inputs.Data, b.Inputs.Data...)
		out.Targets.Data = append(out.Targets.Data, b.Targets.Data...)
		out.Rows = append(out.Rows, b.Rows...)
		out.Inputs.Shape[0] += b.Len()
		out.Targets.Shape[0] += b.Len()
	}
	require.NoError(t, out.Check())
	return out
}

func moments(b train.Batch, feature int) (mean, variance float64) {
	for i := range b.Len() {
		mean += float64(b.Inputs.Row(i)[feature]) / float64(b.Len())
	}
	for i := range b.Len() {
		d := float64(b.Inputs.Row(i)[feature]) - mean
		variance += d * d / float64(b.Len())
	}
	return mean, variance
}

func TestIrisIsFishersTable(t *testing.T) {
	s := datasets.IrisSet()
	require.Equal(t, 150, s.Rows)
	b := all(t, datasets.Batches(s), train.Pass{})
	// Means and variances as R 4 prints them for its own copy (variance with 1/(n−1)).
	means, variances := []float64{5.843333, 3.057333, 3.758000, 1.199333}, []float64{0.6856935, 0.1899794, 3.1162779, 0.5810063}
	for i := range 4 {
		mean, variance := moments(b, i)
		assert.InDelta(t, means[i], mean, 1e-5, s.Features[i])
		assert.InDelta(t, variances[i], variance*150/149, 1e-5, s.Features[i])
	}
	assert.Equal(t, []float32{4.9, 3.1, 1.5, 0.2}, b.Inputs.Row(34), "row 35 of the article")
	assert.Equal(t, []float32{4.9, 3.6, 1.4, 0.1}, b.Inputs.Row(37), "row 38 of the article")
}

func TestIrisSplit(t *testing.T) {
	data, raw := datasets.Iris(), datasets.IrisRaw()
	assert.Equal(t, []string{"setosa", "versicolor", "virginica"}, data.Classes)
	assert.Equal(t, []string{"sepal length", "sepal width", "petal length", "petal width"}, data.Features)
	training, validation := all(t, data.Training, train.Pass{}), all(t, data.Validation, train.Pass{})
	require.Equal(t, []int{120, 4}, training.Inputs.Shape)
	require.Equal(t, []int{30}, validation.Targets.Shape)
	for class := range 3 {
		assert.Equal(t, 40, count(training.Targets.Data, float32(class)))
		assert.Equal(t, 10, count(validation.Targets.Data, float32(class)))
	}
	for i := range 4 {
		mean, variance := moments(training, i)
		assert.InDelta(t, 0, mean, 1e-6)
		assert.InDelta(t, 1, variance, 1e-5)
	}
	known := map[[4]float32]bool{}
	for i := range training.Len() {
		known[[4]float32(training.Inputs.Row(i))] = true
	}
	for i := range validation.Len() {
		assert.False(t, known[[4]float32(validation.Inputs.Row(i))], "validation row %d is also in training", i)
	}
	first := all(t, raw.Training, train.Pass{})
	assert.Equal(t, training.Targets.Data, first.Targets.Data, "raw and normalised rows are the same flowers")
	for _, v := range first.Inputs.Data {
		require.True(t, v >= 0.1 && v <= 7.9, "%v is not a length in centimetres", v)
	}
}

func TestIrisIsTheSameEverywhere(t *testing.T) {
	data := datasets.Iris()
	golden(t, "iris", fmt.Sprintf("training: %s\nshuffled: %s\nvalidation: %s\n", digest(t, data.Training, train.Pass{}),
		digest(t, data.Training, train.Pass{Seed: 1, Epoch: 3, Shuffle: true}), digest(t, data.Validation, train.Pass{})))
}

func count[T comparable](values []T, value T) int {
	n := 0
	for _, v := range values {
		if v == value {
			n++
		}
	}
	return n
}
