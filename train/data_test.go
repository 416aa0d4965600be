package train_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func tensor(shape []int, data ...float32) train.Tensor { return train.Tensor{Shape: shape, Data: data} }

// numbered is a batch of n rows [i, 10·i] with target i and row number 100+i.
func numbered(n int) train.Batch {
	b := train.Batch{Inputs: train.NewTensor(n, 2), Targets: train.NewTensor(n)}
	for i := range n {
		b.Inputs.Row(i)[0], b.Inputs.Row(i)[1] = float32(i), float32(10*i)
		b.Targets.Data[i] = float32(i)
		b.Rows = append(b.Rows, 100+i)
	}
	return b
}

// walk describes the batches of a pass: rows of each, or the error.
func walk(src train.Source, p train.Pass) (got []string) {
	for b, err := range src(p) {
		if err != nil {
			got = append(got, err.Error())
			continue
		}
		got = append(got, fmt.Sprint(b.Len()))
	}
	return got
}

func TestSources(t *testing.T) {
	stop := errors.New("torn page")
	three := train.Seq(func(yield func(train.Batch, error) bool) {
		_ = yield(numbered(3), nil) && yield(numbered(2), nil) && yield(train.Batch{}, stop)
	})
	for name, c := range map[string]struct {
		src  train.Source
		want []string
	}{
		"seq":               {three, []string{"3", "2", "torn page"}},
		"repeat":            {train.Repeat(numbered(4)), []string{"4"}},
		"limit":             {train.Limit(three, 2), []string{"3", "2"}},
		"limit to one":      {train.Limit(three, 1), []string{"3"}},
		"limit above":       {train.Limit(three, 9), []string{"3", "2", "torn page"}},
		"limit to none":     {train.Limit(three, 0), nil},
		"limit below none":  {train.Limit(three, -1), nil},
		"limit of a repeat": {train.Limit(train.Repeat(numbered(1)), 5), []string{"1"}},
	} {
		for epoch := range 2 { // every pass yields the same
			assert.Equal(t, c.want, walk(c.src, train.Pass{Epoch: epoch}), name)
		}
	}
	for _, err := range train.Limit(three, 3)(train.Pass{}) {
		require.NoError(t, err)
		break // stopping early is allowed
	}
}

// TestLimitReadsNoFurther: a batch that is not asked for is not made.
func TestLimitReadsNoFurther(t *testing.T) {
	made := 0
	src := train.Source(func(train.Pass) iter.Seq2[train.Batch, error] {
		return func(yield func(train.Batch, error) bool) {
			for {
				made++
				if !yield(numbered(1), nil) {
					return
				}
			}
		}
	})
	for n := range 4 {
		made = 0
		assert.Len(t, walk(train.Limit(src, n), train.Pass{}), n)
		assert.Equal(t, n, made)
	}
}

func TestStages(t *testing.T) {
	d := train.Data{Name: "blobs", Training: ten.Training, Test: ten.Validation}
	assert.Equal(t, []string{train.Training, train.Test}, d.Stages())
	assert.Nil(t, train.Data{}.Stages())
	for _, stage := range d.Stages() {
		src, err := d.Stage(stage)
		require.NoError(t, err)
		assert.NotNil(t, src)
	}
	_, err := d.Stage(train.Validation)
	assert.EqualError(t, err, `data "blobs" has no validation data: set the field of that name in train.Data`)
	_, err = d.Stage("val")
	assert.EqualError(t, err, `there is no stage "val": stages are training, validation and test`)
}

func TestFirstAndCount(t *testing.T) {
	ctx := context.Background()
	original := numbered(3)
	b, err := train.First(train.Repeat(original), train.Pass{})
	require.NoError(t, err)
	assert.Equal(t, original, b)
	b.Inputs.Data[0], b.Targets.Data[0], b.Rows[0] = 7, 7, 7
	assert.Equal(t, numbered(3), original, "First returns a copy")

	_, err = train.First(failing(0), train.Pass{})
	assert.EqualError(t, err, "disk on fire")
	_, err = train.First(train.Limit(ten.Training, 0), train.Pass{})
	assert.EqualError(t, err, "the source yields no batch")
	_, err = train.First(train.Repeat(train.Batch{Inputs: tensor([]int{2, 2}, 1)}), train.Pass{})
	assert.ErrorContains(t, err, "first batch: inputs: shape [2 2] needs 4 elements, there are 1")

	batches, rows, err := train.Count(ctx, ten.Training, train.Pass{BatchSize: 4})
	require.NoError(t, err)
	assert.Equal(t, []int{3, 10}, []int{batches, rows})
	batches, rows, err = train.Count(ctx, failing(2), train.Pass{BatchSize: 4})
	assert.EqualError(t, err, "disk on fire")
	assert.Equal(t, []int{2, 8}, []int{batches, rows})
	cause := errors.New("enough")
	cancelled, cancel := context.WithCancelCause(ctx)
	cancel(cause)
	_, _, err = train.Count(cancelled, ten.Training, train.Pass{})
	assert.ErrorIs(t, err, cause)
}

func TestBatchCheck(t *testing.T) {
	require.NoError(t, numbered(3).Check())
	for want, change := range map[string]func(*train.Batch){
		"inputs: shape [3 2] needs 6 elements, there are 5": func(b *train.Batch) { b.Inputs.Data = b.Inputs.Data[:5] },
		"targets: shape [3 -1] has the negative axis -1":    func(b *train.Batch) { b.Targets.Shape = []int{3, -1} },
		"inputs: shape [] needs 0 elements, there are 6":    func(b *train.Batch) { b.Inputs.Shape = nil },
		"the batch has no rows":                             func(b *train.Batch) { *b = b.Slice(0, 0) },
		"3 rows of inputs but 2 of targets":                 func(b *train.Batch) { b.Targets = train.NewTensor(2) },
		"3 rows of inputs but 1 row numbers":                func(b *train.Batch) { b.Rows = b.Rows[:1] },
	} {
		b := numbered(3)
		change(&b)
		assert.EqualError(t, b.Check(), want)
	}
}

func TestBatchSliceAndClone(t *testing.T) {
	b := numbered(5)
	s := b.Slice(1, 3)
	assert.Equal(t, train.Batch{
		Inputs: tensor([]int{2, 2}, 1, 10, 2, 20), Targets: tensor([]int{2}, 1, 2), Rows: []int{101, 102},
	}, s)
	_ = append(s.Inputs.Data, 99)
	_ = append(s.Rows, 99)
	assert.Equal(t, numbered(5), b, "appending to a slice does not write into the batch")
	s.Inputs.Data[0] = 42
	assert.Equal(t, float32(42), b.Inputs.Data[2], "a slice shares memory")
	c := b.Clone()
	c.Inputs.Data[0], c.Inputs.Shape[0], c.Targets.Data[0], c.Rows[0] = 1, 1, 1, 1
	assert.Equal(t, float32(0), b.Inputs.Data[0])
	assert.Equal(t, 5, b.Len())
	assert.Equal(t, 100, b.Rows[0])
	b.Rows = nil
	assert.Nil(t, b.Slice(0, 2).Rows)
}

func TestTensor(t *testing.T) {
	x := tensor([]int{2, 3, 1}, 0, 1, 2, 3, 4, 5)
	require.NoError(t, x.Check())
	assert.Equal(t, []int{2, 3, 6}, []int{x.Rows(), x.RowSize(), train.Size(x.Shape)})
	assert.Equal(t, []float32{3, 4, 5}, x.Row(1))
	var zero train.Tensor
	require.NoError(t, zero.Check())
	assert.Equal(t, []int{0, 0, 1}, []int{zero.Rows(), zero.RowSize(), train.Size(nil)})
	shape := []int{2, 2}
	y := train.NewTensor(shape...)
	shape[0] = 9
	assert.Equal(t, tensor([]int{2, 2}, 0, 0, 0, 0), y)
	require.NoError(t, train.NewTensor(0, 3).Check())
}

func TestModelBuild(t *testing.T) {
	build := func(m train.Model, src train.Source) error {
		_, err := m.Build(train.Data{Name: "d", Classes: []string{"a", "b"}}, src, 1)
		return err
	}
	fails := traintest.MLP(2)
	fails.New = func(train.Init) (train.Learner, error) { return nil, errors.New("no memory") }
	steep := traintest.MLP(2)
	steep.Optimizer.LearningRate = -1
	assert.ErrorContains(t, build(train.Model{}, ten.Training), "the step has no model")
	assert.EqualError(t, build(train.Model{Name: "m"}, ten.Training), `model "m": the field New is nil`)
	assert.EqualError(t, build(fails, ten.Training), `model "mlp": no memory`)
	assert.ErrorContains(t, build(steep, ten.Training), `model "mlp": optimizer sgd: learning rate is -1`)
	assert.EqualError(t, build(traintest.MLP(2), failing(0)), `model "mlp": data "d": disk on fire`)

	var got train.Init
	m := traintest.MLP(2)
	m.Dropout, m.Optimizer = 0.3, train.Optimizer{}
	m.New = func(init train.Init) (train.Learner, error) { got = init; return nil, nil }
	require.NoError(t, build(m, train.Repeat(numbered(3))))
	assert.Equal(t, train.Derive(1, "model", "mlp"), got.Seed)
	assert.Equal(t, numbered(3), got.Example)
	assert.Equal(t, 2, got.Classes)
	assert.Equal(t, m.Loss, got.Loss)
	assert.Equal(t, 0.3, got.Dropout)
	assert.Equal(t, 1e-3, got.Optimizer.LearningRate, "with defaults")
}
