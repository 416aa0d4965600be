package traintest

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

func paramsAreWellFormed(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	before := l.Params()
	seen := map[string]bool{}
	for _, p := range before {
		switch {
		case p.Name == "":
			return errors.New("a parameter has no name")
		case seen[p.Name]:
			return fmt.Errorf("two parameters are named %q", p.Name)
		case len(p.Value) != train.Size(p.Shape):
			return fmt.Errorf("parameter %q: shape %v but %d values", p.Name, p.Shape, len(p.Value))
		case p.Grad != nil && len(p.Grad) != len(p.Value):
			return fmt.Errorf("parameter %q: %d values but %d of gradient", p.Name, len(p.Value), len(p.Grad))
		}
		seen[p.Name] = true
	}
	if _, err := s.train(l, nil); err != nil {
		return err
	}
	after := l.Params()
	if len(after) != len(before) {
		return fmt.Errorf("%d parameters after training, %d before", len(after), len(before))
	}
	gradients := 0
	for i, p := range after {
		if p.Name != before[i].Name || !slices.Equal(p.Shape, before[i].Shape) {
			return fmt.Errorf("parameter %d is %q %v after training, %q %v before", i, p.Name, p.Shape, before[i].Name, before[i].Shape)
		}
		if p.Grad != nil {
			gradients++
		}
	}
	if s.ClosedForm == (gradients > 0) {
		return fmt.Errorf("%d parameters have gradients, but ClosedForm is %v", gradients, s.ClosedForm)
	}
	return nil
}

func zeroRateChangesNothing(s *subject) error {
	if s.ClosedForm {
		return notApplicable("a closed form has no learning rate")
	}
	l, err := s.build()
	if err != nil {
		return err
	}
	before := copyParams(l)
	for i := range s.Iterations {
		if _, err := l.Forward(s.batch(i), i); err != nil {
			return err
		}
		if err := l.Update(0); err != nil {
			return err
		}
	}
	for i, p := range l.Params() {
		if p.Grad != nil && !slices.Equal(p.Value, before[i].values) {
			return fmt.Errorf("parameter %q changed at learning rate 0", p.Name)
		}
	}
	return nil
}

func anyNumberOfRows(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	for i, n := range []int{s.BatchSize, 1, 2, s.all.Len(), 1, s.BatchSize - 1, s.BatchSize} {
		n = max(n, 1)
		b := s.all.Slice(0, n)
		loss, err := l.Forward(b, i)
		if err != nil {
			return fmt.Errorf("Forward of %d rows: %w", n, err)
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return fmt.Errorf("Forward of %d rows: the loss is %v", n, loss)
		}
		if err := l.Update(s.rate()); err != nil {
			return fmt.Errorf("Update after %d rows: %w", n, err)
		}
		p, err := l.Predict(b)
		if err != nil {
			return fmt.Errorf("Predict of %d rows: %w", n, err)
		}
		if p.Outputs.Rows() != n {
			return fmt.Errorf("Predict of %d rows: outputs are %v", n, p.Outputs.Shape)
		}
		for _, q := range l.Params() {
			if i := slices.IndexFunc(q.Value, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }); i >= 0 {
				return fmt.Errorf("after %d rows: parameter %q has the value %v", n, q.Name, q.Value[i])
			}
		}
	}
	return nil
}

func wholeSetInAnyBatches(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	if _, err := s.train(l, nil); err != nil {
		return err
	}
	want, err := s.loss(l, s.resliced(s.all.Len()))
	if err != nil {
		return err
	}
	p, err := l.Predict(s.all)
	if err != nil {
		return err
	}
	outputs := p.Outputs.Clone()
	for _, size := range []int{1, 7, 32} {
		got, err := s.loss(l, s.resliced(size))
		if err != nil {
			return fmt.Errorf("batches of %d: %w", size, err)
		}
		if !near(want, got, s.Tolerance) {
			return fmt.Errorf("the loss of the set is %v in batches of %d, %v in one", got, size, want)
		}
		for lo := 0; lo < s.all.Len(); lo += size {
			p, err := l.Predict(s.all.Slice(lo, min(lo+size, s.all.Len())))
			if err != nil {
				return err
			}
			for i, v := range p.Outputs.Data {
				if w := outputs.Data[lo*outputs.RowSize()+i]; !near(float64(w), float64(v), s.Tolerance) {
					return fmt.Errorf("batches of %d: output %d of row %d is %v, in one batch it is %v",
						size, i%outputs.RowSize(), lo+i/outputs.RowSize(), v, w)
				}
			}
		}
	}
	return nil
}

// paramsAreTheNetwork: values copied into another learner make it predict alike.
func paramsAreTheNetwork(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	if len(l.Params()) == 0 {
		return notApplicable("the learner has no parameters")
	}
	tr, err := s.train(l, nil)
	if err != nil {
		return err
	}
	other, err := s.buildSeeded(s.Seed + 1)
	if err != nil {
		return err
	}
	for i, p := range other.Params() {
		copy(p.Value, tr.params[i].values)
	}
	var got trace
	if err := s.finish(other, &got); err != nil {
		return err
	}
	got.losses = tr.losses
	if err := differs(tr, got); err != nil {
		return fmt.Errorf("a learner with the parameters of another: %w", err)
	}
	return nil
}

func predictionsAreWellFormed(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	for i := range 2 {
		p, err := l.Predict(s.all)
		if err != nil {
			return err
		}
		if err := wellFormed(p, s.all, len(s.Data.Classes)); err != nil {
			return err
		}
		if i == 0 {
			if _, err := s.train(l, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func wellFormed(p train.Prediction, b train.Batch, classes int) error {
	if err := p.Outputs.Check(); err != nil {
		return fmt.Errorf("outputs: %w", err)
	}
	if err := p.Probabilities.Check(); err != nil {
		return fmt.Errorf("probabilities: %w", err)
	}
	if p.Outputs.Rows() != b.Len() {
		return fmt.Errorf("%d rows of outputs for %d of inputs", p.Outputs.Rows(), b.Len())
	}
	if !(p.Weight > 0) || math.IsNaN(p.Loss) {
		return fmt.Errorf("loss %v of weight %v", p.Loss, p.Weight)
	}
	if classes == 0 {
		if len(p.Probabilities.Shape) > 0 {
			return fmt.Errorf("a regression has probabilities %v", p.Probabilities.Shape)
		}
		return nil
	}
	want := append(slices.Clone(b.Targets.Shape), classes)
	if !slices.Equal(p.Probabilities.Shape, want) {
		return fmt.Errorf("probabilities are %v, want %v", p.Probabilities.Shape, want)
	}
	for row := range slices.Chunk(p.Probabilities.Data, classes) {
		sum := 0.
		for _, v := range row {
			if !(v >= 0 && v <= 1) {
				return fmt.Errorf("probability %v is outside [0, 1]", v)
			}
			sum += float64(v)
		}
		if math.Abs(sum-1) > 1e-4 {
			return fmt.Errorf("probabilities %v sum to %v", row, sum)
		}
	}
	return nil
}
