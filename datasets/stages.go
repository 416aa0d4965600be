package datasets

import (
	"fmt"

	"github.com/actually-robust-training/art/train"
)

// Options says how [Set.Data] makes a problem of a set. The zero value is the
// usual way.
type Options struct {
	// Validation is the share of the rows held back for validation, in (0, 1).
	// Default 0.2.
	Validation float64
	// Test is the share of all rows held back for the test stage. Default 0: no
	// such stage.
	Test float64
	// Seed of the split.
	Seed uint64
	// Raw leaves the inputs on the scale they have. Default: mean 0 and standard
	// deviation 1 over the training part, see [Fit].
	Raw bool
	// Augment makes variants of the training inputs, after normalising, in passes
	// that ask for it.
	Augment []Augmentation
	// BatchSize is the number of rows of a batch. Default 32.
	BatchSize int
}

// Data splits a set by class or group ([Split]), normalises it, and names it.
func (s Set) Data(o Options) (train.Data, error) {
	if o.Validation == 0 {
		o.Validation = 0.2
	}
	if !(o.Validation > 0 && o.Test >= 0 && o.Validation+o.Test < 1) {
		return train.Data{}, fmt.Errorf("%s: shares %v for validation and %v for test leave nothing to train on", s.name(), o.Validation, o.Test)
	}
	st := Stages{Name: s.Name, Training: s, Raw: o.Raw, Augment: o.Augment, BatchSize: o.BatchSize}
	var err error
	if o.Test > 0 {
		if st.Training, st.Test, err = Split(st.Training, o.Test, train.Derive(o.Seed, train.Test)); err != nil {
			return train.Data{}, err
		}
	}
	if st.Training, st.Validation, err = Split(st.Training, o.Validation/(1-o.Test), o.Seed); err != nil {
		return train.Data{}, err
	}
	return st.Data()
}

// Stages is a problem whose stages are sets of their own, as when files come
// already split.
type Stages struct {
	// Name of the problem. Default: that of the training set.
	Name string
	// Training is needed. Validation and Test are left out when they have no rows.
	Training, Validation, Test Set
	// Raw, Augment and BatchSize are those of [Options].
	Raw       bool
	Augment   []Augmentation
	BatchSize int
}

// Data checks that the stages fit each other, normalises all of them by the
// training set, and makes sources of them.
func (st Stages) Data() (train.Data, error) {
	if err := st.Training.Check(); err != nil {
		return train.Data{}, err
	}
	scale := func(s Set) Set { return s }
	if !st.Raw && st.Training.Tokens == 0 {
		scaler, err := Fit(st.Training)
		if err != nil {
			return train.Data{}, err
		}
		scale = scaler.Apply
	}
	d := train.Data{
		Name: st.Name, Classes: st.Training.Classes, Features: st.Training.Features,
		Tokens: st.Training.Tokens, BatchSize: st.BatchSize,
		Sizes: map[string]int{train.Training: st.Training.Rows},
	}
	if d.Name == "" {
		d.Name = st.Training.Name
	}
	if d.BatchSize == 0 {
		d.BatchSize = DefaultBatchSize
	}
	varied := Augment(scale(st.Training), st.Augment...)
	if err := augments(varied); err != nil {
		return train.Data{}, err
	}
	d.Training = Batches(varied)
	for _, stage := range []struct {
		name   string
		set    Set
		source *train.Source
	}{{train.Validation, st.Validation, &d.Validation}, {train.Test, st.Test, &d.Test}} {
		if stage.set.Rows == 0 {
			continue
		}
		if err := fits(st.Training, stage.set); err != nil {
			return train.Data{}, err
		}
		d.Sizes[stage.name] = stage.set.Rows
		*stage.source = Batches(scale(stage.set))
	}
	return d, nil
}
