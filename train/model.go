package train

import (
	"errors"
	"fmt"
)

// Model is a named recipe for building a network. It is a value: a step that
// wants another learning rate or weight decay changes its own copy.
type Model struct {
	// Name is short and stable: reports and files carry it.
	Name string
	// New builds a learner with fresh weights. Equal Init give equal learners.
	New func(Init) (Learner, error)
	// Loss is what training makes small.
	Loss Loss
	// Optimizer turns gradients into changes of the weights. The zero value is
	// Adam with learning rate 1e-3.
	Optimizer Optimizer
	// Dropout, if not 0, replaces the rate of every dropout layer; in (0, 1).
	Dropout float64
	// Decorators wrap every update of this model, inside those of step and recipe.
	Decorators []Decorator
}

// Init is what a learner is built from.
type Init struct {
	// Seed of the initial weights and of everything random in training.
	Seed uint64
	// Example is one batch: it says which shapes to expect. Later batches may
	// have any number of rows.
	Example Batch
	// Classes is the number of classes, 0 for a regression.
	Classes int
	// Loss, Optimizer and Dropout are the model's own.
	Loss      Loss
	Optimizer Optimizer
	Dropout   float64
}

// Build makes a learner for the data of src, and names the model in its errors.
func (m Model) Build(d Data, src Source, seed uint64) (l Learner, err error) {
	switch {
	case m.New == nil && m.Name == "":
		return nil, errors.New("the step has no model: set its field Model, as nn.Classifier(\"mlp\", build)")
	case m.New == nil:
		return nil, fmt.Errorf("model %q: the field New is nil", m.Name)
	}
	if err := m.Optimizer.Check(); err != nil {
		return nil, fmt.Errorf("model %q: %w", m.Name, err)
	}
	example, err := First(src, Pass{Seed: seed, BatchSize: d.BatchSize})
	if err != nil {
		return nil, fmt.Errorf("model %q: data %q: %w", m.Name, d.Name, err)
	}
	l, err = m.New(Init{
		Seed: Derive(seed, "model", m.Name), Example: example, Classes: len(d.Classes),
		Loss: m.Loss, Optimizer: m.Optimizer.WithDefaults(), Dropout: m.Dropout,
	})
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", m.Name, err)
	}
	return l, nil
}
