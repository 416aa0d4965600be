package traintest

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// trace is all that training shows of itself.
type trace struct {
	losses      []float64   // of Forward, by iteration
	predictions []float64   // losses of Predict after the last update, by batch
	outputs     []float32   // of Predict on all rows after the last update
	params      []valueCopy // after the last update
}

type valueCopy struct {
	name   string
	values []float32
}

func copyParams(l train.Learner) []valueCopy {
	var c []valueCopy
	for _, p := range l.Params() {
		c = append(c, valueCopy{p.Name, slices.Clone(p.Value)})
	}
	return c
}

func copyGradients(l train.Learner) []valueCopy {
	var c []valueCopy
	for _, p := range l.Params() {
		if p.Grad != nil {
			c = append(c, valueCopy{p.Name, slices.Clone(p.Grad)})
		}
	}
	return c
}

// iterate runs the iterations from (included) to to (excluded) and appends their
// losses to tr. between, if set, is called after Forward and after Update.
func (s *subject) iterate(l train.Learner, tr *trace, from, to int, between func(i int) error) error {
	call := func(i int) error {
		if between == nil {
			return nil
		}
		return between(i)
	}
	for i := from; i < to; i++ {
		loss, err := l.Forward(s.batch(i), i)
		if err != nil {
			return fmt.Errorf("iteration %d: Forward: %w", i, err)
		}
		tr.losses = append(tr.losses, loss)
		if err := call(i); err != nil {
			return err
		}
		if err := l.Update(s.rate()); err != nil {
			return fmt.Errorf("iteration %d: Update: %w", i, err)
		}
		if err := call(i); err != nil {
			return err
		}
	}
	return nil
}

// finish completes a trace with params and predictions.
func (s *subject) finish(l train.Learner, tr *trace) error {
	tr.params = copyParams(l)
	for i, b := range append(slices.Clone(s.batches), s.all) {
		p, err := l.Predict(b)
		if err != nil {
			return fmt.Errorf("Predict of batch %d: %w", i, err)
		}
		tr.predictions = append(tr.predictions, p.Loss)
		tr.outputs = append(tr.outputs, p.Outputs.Data...)
	}
	return nil
}

// train runs all iterations of the case on a learner.
func (s *subject) train(l train.Learner, between func(i int) error) (trace, error) {
	var tr trace
	if err := s.iterate(l, &tr, 0, s.Iterations, between); err != nil {
		return tr, err
	}
	return tr, s.finish(l, &tr)
}

// fresh builds a learner and trains it.
func (s *subject) fresh() (trace, error) {
	l, err := s.build()
	if err != nil {
		return trace{}, err
	}
	return s.train(l, nil)
}

// differs names the first difference in bits between two traces, nil if there is none.
func differs(want, got trace) error {
	if err := differ64("loss of iteration", want.losses, got.losses); err != nil {
		return err
	}
	if err := differParams("parameter", want.params, got.params); err != nil {
		return err
	}
	if err := differ64("loss of prediction", want.predictions, got.predictions); err != nil {
		return err
	}
	return differ32("outputs", want.outputs, got.outputs)
}

func differ64(what string, want, got []float64) error {
	if len(want) != len(got) {
		return fmt.Errorf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Float64bits(want[i]) != math.Float64bits(got[i]) {
			return fmt.Errorf("%s %d is %v, want the bits of %v", what, i, got[i], want[i])
		}
	}
	return nil
}

func differ32(what string, want, got []float32) error {
	if len(want) != len(got) {
		return fmt.Errorf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Float32bits(want[i]) != math.Float32bits(got[i]) {
			return fmt.Errorf("%s: element %d is %v, want the bits of %v", what, i, got[i], want[i])
		}
	}
	return nil
}

func differParams(what string, want, got []valueCopy) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d of %s, want %d", len(got), what, len(want))
	}
	for i := range want {
		if want[i].name != got[i].name {
			return fmt.Errorf("%s %d is %q, want %q", what, i, got[i].name, want[i].name)
		}
		if err := differ32(what+" "+want[i].name, want[i].values, got[i].values); err != nil {
			return err
		}
	}
	return nil
}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}
