package train

import (
	"errors"
	"fmt"
	"slices"
)

// The stages of data. They are untyped constants, so that every package can
// write them without importing this one.
const (
	Training   = "training"
	Validation = "validation"
	Test       = "test"
)

// Batch is a number of examples that enter a learner together. A batch is read
// only: whoever receives one must not change it, and must clone what it keeps
// beyond the next batch.
type Batch struct {
	// Inputs is what enters the network: [rows, …].
	Inputs Tensor
	// Targets is what should come out. Class ids: [rows], or [rows, positions]
	// for a class at every position. Values to regress on: [rows, values].
	// Negative class ids are positions that the loss leaves out.
	Targets Tensor
	// Rows names where each row came from: its index in the stage's data set.
	// Nil when the source does not know.
	Rows []int
}

// Len is the number of rows.
func (b Batch) Len() int { return b.Inputs.Rows() }

// Check reports a batch that cannot be used: no rows, shapes that do not fit
// their data, inputs and targets of different lengths.
func (b Batch) Check() error {
	if err := b.Inputs.Check(); err != nil {
		return fmt.Errorf("inputs: %w", err)
	}
	if err := b.Targets.Check(); err != nil {
		return fmt.Errorf("targets: %w", err)
	}
	if b.Len() == 0 {
		return errors.New("the batch has no rows")
	}
	if t := b.Targets.Rows(); t != b.Len() {
		return fmt.Errorf("%d rows of inputs but %d of targets", b.Len(), t)
	}
	if b.Rows != nil && len(b.Rows) != b.Len() {
		return fmt.Errorf("%d rows of inputs but %d row numbers", b.Len(), len(b.Rows))
	}
	return nil
}

// Clone returns a batch that shares no memory with b.
func (b Batch) Clone() Batch {
	return Batch{Inputs: b.Inputs.Clone(), Targets: b.Targets.Clone(), Rows: slices.Clone(b.Rows)}
}

// Slice is the batch of rows lo (included) to hi (excluded). It shares memory with b.
func (b Batch) Slice(lo, hi int) Batch {
	s := Batch{Inputs: rows(b.Inputs, lo, hi), Targets: rows(b.Targets, lo, hi)}
	if b.Rows != nil {
		s.Rows = b.Rows[lo:hi:hi]
	}
	return s
}

func rows(t Tensor, lo, hi int) Tensor {
	n := t.RowSize()
	shape := slices.Clone(t.Shape)
	shape[0] = hi - lo
	return Tensor{Shape: shape, Data: t.Data[lo*n : hi*n : hi*n]}
}
