package traintest

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// wrongBatch is a batch that a learner must refuse. The error must hold mentions.
type wrongBatch struct {
	name     string
	batch    train.Batch
	mentions []string
}

// wrongBatchesAreErrors also checks that a refused batch leaves no trace.
func wrongBatchesAreErrors(s *subject) error {
	want, err := s.fresh()
	if err != nil {
		return err
	}
	l, err := s.build()
	if err != nil {
		return err
	}
	for _, w := range s.wrongBatches() {
		if err := w.refuses(func() error { _, err := l.Forward(w.batch, 0); return err }); err != nil {
			return fmt.Errorf("Forward: %w", err)
		}
		if err := w.refuses(func() error { _, err := l.Predict(w.batch); return err }); err != nil {
			return fmt.Errorf("Predict: %w", err)
		}
	}
	got, err := s.train(l, nil)
	if err != nil {
		return fmt.Errorf("after refused batches: %w", err)
	}
	if err := differs(want, got); err != nil {
		return fmt.Errorf("after refused batches: %w", err)
	}
	return nil
}

// calm turns a panic into an error and says whether there was one.
func calm(f func() error) (panicked bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			panicked, err = true, fmt.Errorf("panic: %v", v)
		}
	}()
	return false, f()
}

// mustFail reports an f that gives no error, or panics instead.
func mustFail(what string, f func() error) error {
	panicked, err := calm(f)
	switch {
	case panicked:
		return fmt.Errorf("%s: %w", what, err)
	case err == nil:
		return fmt.Errorf("%s: no error", what)
	}
	return nil
}

// refuses reports an f that does not fail, or whose error leaves out a mention.
func (w wrongBatch) refuses(f func() error) error {
	var refusal error
	err := mustFail(w.name, func() error { refusal = f(); return refusal })
	if err != nil {
		return err
	}
	for _, m := range w.mentions {
		if !strings.Contains(refusal.Error(), m) {
			return fmt.Errorf("%s: the error does not name %s: %w", w.name, m, refusal)
		}
	}
	return nil
}

func (s *subject) wrongBatches() []wrongBatch {
	b := s.batches[0]
	last := len(b.Inputs.Shape) - 1
	wide := b.Clone()
	wide.Rows = nil
	wide.Inputs.Shape[last] += 2
	wide.Inputs = train.NewTensor(wide.Inputs.Shape...)
	flat := b.Clone()
	flat.Inputs = train.NewTensor(b.Len(), 1, 1, 1, 1, b.Inputs.RowSize())
	short := b.Clone()
	short.Targets = train.Batch{Inputs: short.Targets, Targets: short.Targets}.Slice(0, b.Len()-1).Targets
	empty := b.Clone().Slice(0, 0)
	wrong := []wrongBatch{
		{"inputs too wide", wide, []string{strconv.Itoa(b.Inputs.Shape[last]), strconv.Itoa(wide.Inputs.Shape[last])}},
		{"inputs of six axes", flat, nil},
		{"fewer targets than inputs", short, []string{strconv.Itoa(b.Len()), strconv.Itoa(b.Len() - 1)}},
		{"no rows", empty, nil},
	}
	if k := len(s.Data.Classes); k > 0 {
		high, fraction, none := b.Clone(), b.Clone(), b.Clone()
		high.Targets.Data[0] = float32(k)
		fraction.Targets.Data[0] = 0.5
		none.Targets.Data[0] = float32(math.NaN())
		return append(wrong,
			wrongBatch{"class id out of range", high, []string{strconv.Itoa(k)}},
			wrongBatch{"class id that is no whole number", fraction, []string{"0.5"}},
			wrongBatch{"class id NaN", none, []string{"NaN"}})
	}
	values := b.Clone()
	values.Targets = train.NewTensor(b.Len(), b.Targets.RowSize()+3)
	return append(wrong, wrongBatch{"targets too wide", values, []string{strconv.Itoa(b.Targets.RowSize() + 3)}})
}
