package train_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// given predicts what it is told: its loss for a batch is the first input, the
// weight the second.
type given struct{ train.Learner }

func (given) Predict(b train.Batch) (train.Prediction, error) {
	if b.Inputs.Data[0] < 0 {
		return train.Prediction{}, errors.New("negative input")
	}
	return train.Prediction{Loss: float64(b.Inputs.Data[0]), Weight: float64(b.Inputs.Data[1])}, nil
}

func batches(rows ...[2]float32) train.Source {
	return train.Seq(func(yield func(train.Batch, error) bool) {
		for _, r := range rows {
			b := train.Batch{Inputs: tensor([]int{1, 2}, r[0], r[1]), Targets: train.NewTensor(1)}
			if !yield(b, nil) {
				return
			}
		}
	})
}

// counter is a metric of the number of rows; with fail it refuses the batch of that number.
func counter(name string, fail int) train.Metric {
	return train.Metric{Name: name, New: func(classes []string) (train.Accumulator, error) {
		if len(classes) == 1 {
			return nil, errors.New("one class is none")
		}
		return &rowCounter{fail: fail, score: train.Score{Name: "overwritten"}}, nil
	}}
}

type rowCounter struct {
	batches, fail int
	score         train.Score
}

func (c *rowCounter) Add(b train.Batch, p train.Prediction) error {
	if c.batches++; c.batches-1 == c.fail {
		return errors.New("no")
	}
	c.score.Rows += b.Len()
	c.score.Value += p.Weight
	return nil
}

func (c *rowCounter) Score() train.Score { return c.score }

func TestEvaluateWeighsBatches(t *testing.T) {
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		rows [][2]float32
		want float64
	}{
		"one batch":                   {[][2]float32{{3, 4}}, 3},
		"weights":                     {[][2]float32{{1, 8}, {4, 1}}, 12. / 9},
		"a batch that does not count": {[][2]float32{{nan, 0}, {5, 2}}, 5},
		"no batch that counts":        {[][2]float32{{0, 0}, {0, 0}}, math.NaN()},
		"a loss of NaN":               {[][2]float32{{nan, 1}, {5, 2}}, math.NaN()},
		"a weight of NaN":             {[][2]float32{{1, nan}, {5, 2}}, math.NaN()},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := train.Evaluate(context.Background(), given{}, batches(c.rows...), train.Pass{}, nil, counter("rows", -1))
			require.NoError(t, err)
			require.Len(t, got, 2)
			assert.Equal(t, train.LossName, got[0].Name)
			assert.Equal(t, len(c.rows), got[0].Rows)
			if math.IsNaN(c.want) {
				assert.True(t, math.IsNaN(got[0].Value), got[0].Value)
			} else {
				assert.InDelta(t, c.want, got[0].Value, 1e-12)
			}
			assert.Equal(t, "rows", got[1].Name, "the name is that of the metric")
			assert.Equal(t, len(c.rows), got[1].Rows)
		})
	}
}

// TestEvaluateIsExact: the last batch, which is smaller, counts by its rows.
func TestEvaluateIsExact(t *testing.T) {
	d := traintest.Blobs(4, 23, 3)
	l, err := traintest.MLP(3).Build(d, d.Training, 1)
	require.NoError(t, err)
	all, err := train.First(d.Validation, train.Pass{BatchSize: 23})
	require.NoError(t, err)
	want, err := l.Predict(all)
	require.NoError(t, err)
	for _, size := range []int{1, 4, 7, 22, 23, 100} {
		got, err := train.Evaluate(context.Background(), l, d.Validation, train.Pass{BatchSize: size}, d.Classes, counter("rows", -1))
		require.NoError(t, err)
		assert.InEpsilon(t, want.Loss, got[0].Value, 1e-12, "batches of %d", size)
		assert.Equal(t, 23, got[0].Rows)
		assert.Equal(t, 23., got[1].Value)
	}
}

func TestEvaluateErrors(t *testing.T) {
	cause := errors.New("enough")
	cancelled, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	for name, c := range map[string]struct {
		ctx     context.Context
		src     train.Source
		classes []string
		metric  train.Metric
		want    string
	}{
		"no batch":  {src: batches(), want: "there is nothing to evaluate: the source yields no batch"},
		"data":      {src: failing(0), want: "batch 0: disk on fire"},
		"predict":   {src: batches([2]float32{1, 1}, [2]float32{-1, 1}), want: "batch 1: predict: negative input"},
		"shape":     {src: train.Repeat(train.Batch{}), want: "batch 0: the batch has no rows"},
		"metric":    {src: batches([2]float32{1, 1}, [2]float32{1, 1}), metric: counter("m", 1), want: `batch 1: metric "m": no`},
		"fit":       {src: batches([2]float32{1, 1}), classes: []string{"a"}, want: `metric "m": one class is none`},
		"cancelled": {ctx: cancelled, src: batches([2]float32{1, 1}), want: "batch 0: enough"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.metric.New == nil {
				c.metric = counter("m", -1)
			}
			if c.ctx == nil {
				c.ctx = context.Background()
			}
			_, err := train.Evaluate(c.ctx, given{}, c.src, train.Pass{}, c.classes, c.metric)
			assert.EqualError(t, err, c.want)
		})
	}
}
