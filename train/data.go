package train

import (
	"context"
	"errors"
	"fmt"
	"iter"
)

// Source yields the batches of one pass over a stage of data. Two calls with
// equal passes must yield equal batches: order and augmentation are functions
// of the pass and of nothing else. The last batch may be smaller than the rest.
// After an error the sequence ends. Stopping early is allowed.
type Source func(Pass) iter.Seq2[Batch, error]

// Pass says how one walk over the data is to be made.
type Pass struct {
	// Epoch counts the passes from 0. With Seed it decides order and augmentation.
	Epoch int
	// Seed reaches everything random in the pass.
	Seed uint64
	// BatchSize is the number of rows of a batch; 0 leaves it to the source. A
	// source of ready-made batches ignores it.
	BatchSize int
	// Shuffle asks for another order in every epoch; false for the stored order.
	Shuffle bool
	// Augment asks for random variants of the inputs, where the source has any.
	Augment bool
}

// Seq makes a source of any sequence of ready-made batches: it yields the same
// batches in every pass, in the order in which they come.
func Seq(batches iter.Seq2[Batch, error]) Source {
	return func(Pass) iter.Seq2[Batch, error] { return batches }
}

// Repeat makes a source whose every pass is one batch, always the same.
func Repeat(b Batch) Source {
	return func(Pass) iter.Seq2[Batch, error] {
		return func(yield func(Batch, error) bool) { yield(b, nil) }
	}
}

// Limit makes a source of the first n batches of every pass of src.
func Limit(src Source, n int) Source {
	return func(p Pass) iter.Seq2[Batch, error] {
		return func(yield func(Batch, error) bool) {
			left := n
			if left <= 0 {
				return
			}
			for b, err := range src(p) {
				if left--; !yield(b, err) || left == 0 {
					return
				}
			}
		}
	}
}

// Data is one problem: what there is to learn from, and what the targets mean.
type Data struct {
	// Name of the data set, as reports write it.
	Name string
	// Training is needed by every step that trains. Validation is needed by
	// every check on validation scores. Test is optional.
	Training, Validation, Test Source
	// Classes names the classes in the order of their ids; nil for regression.
	Classes []string
	// Features names the elements of an input row, in order; nil when they have
	// no names of their own, as pixels.
	Features []string
	// BatchSize is the number of rows of a batch unless a step says otherwise.
	// Default 32.
	BatchSize int
	// Tokens is the size of the vocabulary when the inputs are token ids, 0 if
	// they are not.
	Tokens int
	// Sizes are the rows of each stage, for those that know without reading.
	Sizes map[string]int
	// Digest is a hash of the content, for whoever must know whether the data
	// changed. Empty: it is found by reading the data.
	Digest string
}

// Stage returns the source of a stage, or an error that names the remedy.
func (d Data) Stage(stage string) (Source, error) {
	src, known := map[string]Source{Training: d.Training, Validation: d.Validation, Test: d.Test}[stage]
	switch {
	case !known:
		return nil, fmt.Errorf("there is no stage %q: stages are %s, %s and %s", stage, Training, Validation, Test)
	case src == nil:
		return nil, fmt.Errorf("data %q has no %s data: set the field of that name in train.Data", d.Name, stage)
	}
	return src, nil
}

// Stages lists the stages that have data: training, validation, test.
func (d Data) Stages() []string {
	var s []string
	for _, stage := range []string{Training, Validation, Test} {
		if _, err := d.Stage(stage); err == nil {
			s = append(s, stage)
		}
	}
	return s
}

// First returns a copy of the first batch of a pass.
func First(src Source, p Pass) (Batch, error) {
	for b, err := range src(p) {
		if err != nil {
			return Batch{}, err
		}
		if err := b.Check(); err != nil {
			return Batch{}, fmt.Errorf("first batch: %w", err)
		}
		return b.Clone(), nil
	}
	return Batch{}, errors.New("the source yields no batch")
}

// Count returns the number of batches and of rows of one pass, by walking it.
func Count(ctx context.Context, src Source, p Pass) (batches, rows int, err error) {
	for b, err := range src(p) {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return batches, rows, err
		}
		batches++
		rows += b.Len()
	}
	return batches, rows, nil
}
