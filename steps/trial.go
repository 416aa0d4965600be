package steps

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// trial is one model being trained or scored within a step.
type trial struct {
	scope   *arttest.Scope
	name    string // empty when the step has only one
	model   train.Model
	data    train.Data
	learner train.Learner
	rate    float64 // the learning rate last recorded
	enough  float64 // loss at which OverfitOneBatch stops
	silent  bool    // an experiment, of which nothing is recorded
	bare    bool    // a baseline, of which no files are kept
}

// newTrial builds the model for the data.
func newTrial(s *arttest.Scope, name string, m train.Model, d train.Data) (*trial, error) {
	l, err := m.Build(d, d.Training, s.Seed())
	if err != nil {
		return nil, withHint(err, m.Loss, d)
	}
	return &trial{scope: s, name: name, model: m, data: d, learner: l, rate: math.NaN()}, nil
}

// withHint adds to an error that the loss is not one for such targets, if it is not.
func withHint(err error, l train.Loss, d train.Data) error {
	switch k := len(d.Classes); {
	case k > 0 && slices.Contains([]train.LossKind{train.MSE, train.MAE, train.Huber}, l.Kind):
		return fmt.Errorf("%w (the loss %s is for values, and the targets are %d classes: take nn.Classifier, or the loss %s)", err, l.Kind, k, train.CrossEntropy)
	case k > 2 && l.Kind == train.BinaryCrossEntropy:
		return fmt.Errorf("%w (the loss %s is for yes or no, and the targets are %d classes: take the loss %s)", err, l.Kind, k, train.CrossEntropy)
	case k == 0 && l.Kind == train.CrossEntropy:
		return fmt.Errorf("%w (the loss %s is for classes, and the data names none, so its targets are values: take nn.Regressor, or set train.Data.Classes)", err, l.Kind)
	}
	return err
}

func (t *trial) emit(e record.Event) {
	if t.silent {
		return
	}
	e.Trial, e.Model = t.name, t.model.Name
	t.scope.Emit(e)
}

// pass is the walk over the data that trains: shuffled, with the batch size of
// the data.
func (t *trial) pass() train.Pass {
	return train.Pass{Seed: train.Derive(t.scope.Seed(), "data"), BatchSize: t.data.BatchSize, Shuffle: true}
}

// loop is a training loop over a source, connected to the record.
func (t *trial) loop(src train.Source) *train.Loop {
	decorators := append(t.scope.Decorators(), t.model.Decorators...)
	l := &train.Loop{
		Learner: t.learner, Source: src, Pass: t.pass(), Optimizer: t.model.Optimizer, Decorators: decorators,
		Log: t.log,
		Progress: func(s *train.State) {
			t.scope.Progress(s.Iteration+1, s.Total, "loss "+strconv.FormatFloat(s.Loss, 'g', 3, 64))
		},
		Save: func(name string, write func(io.Writer) error) error { return t.scope.Save(t.file(name), write) },
	}
	if t.scope.Dry() {
		l.Iterations = 1
	}
	return l
}

// log records a number of an iteration; a learning rate only when it changed.
func (t *trial) log(s *train.State, name string, value float64) {
	if name == "learning-rate" {
		if value == t.rate {
			return
		}
		t.rate = value
	}
	t.emit(record.Event{Kind: record.Scalar, Name: name, Iteration: s.Iteration, Epoch: s.Epoch, Value: value})
}

// score evaluates the learner on all of a source in inference mode, and records
// loss and metrics under a stage. The extra metrics are evaluated in the same
// walk and recorded by nobody.
func (t *trial) score(ctx context.Context, stage string, src train.Source, iteration, epoch int, extra ...train.Metric) (float64, error) {
	metrics := append(t.scope.Metrics(), extra...)
	p := train.Pass{Seed: t.scope.Seed(), BatchSize: t.data.BatchSize}
	scores, err := train.Evaluate(ctx, t.learner, src, p, t.data.Classes, metrics...)
	if err != nil {
		return math.NaN(), withHint(fmt.Errorf("scoring model %q on %s data: %w", t.model.Name, stage, err), t.model.Loss, t.data)
	}
	for _, s := range scores[:len(scores)-len(extra)] {
		e := record.Event{Stage: stage, Name: s.Name, Iteration: iteration, Epoch: epoch, Rows: s.Rows}
		e.Kind, e.Value = record.Score, s.Value
		if len(s.Matrix) == 0 { // a matrix is no number to list among others
			t.emit(e)
		}
		e.Kind, e.Value = record.Vector, 0
		if len(s.Parts) > 0 {
			for _, part := range s.Parts {
				e.Values = append(e.Values, part.Value)
			}
			t.emit(e)
		}
		if len(s.Matrix) > 0 {
			e.Values, e.Shape = nil, []int{len(s.Matrix), len(s.Matrix[0])}
			for _, row := range s.Matrix {
				e.Values = append(e.Values, row...)
			}
			t.emit(e)
		}
	}
	return scores[0].Value, nil
}

// measure records a whole-set number that is not a metric of the recipe.
func (t *trial) measure(stage, name string, value float64, rows int) {
	t.emit(record.Event{Kind: record.Score, Stage: stage, Name: name, Value: value, Rows: rows})
}

// find records evidence for a check to quote.
func (t *trial) find(check string, v record.Verdict) {
	t.emit(record.Event{Kind: record.Found, Name: check, Verdict: &v})
}

// settings describes a model for the record.
func settings(m train.Model, more ...string) map[string]string {
	o := m.Optimizer.WithDefaults()
	s := map[string]string{
		"model": m.Name, "loss": string(m.Loss.Kind), "optimizer": string(o.Method),
		"learning-rate": fmt.Sprint(o.LearningRate), "schedule": o.Schedule.String(),
	}
	for name, v := range map[string]float64{
		"weight-decay": o.WeightDecay, "momentum": o.Momentum, "clip-norm": o.ClipNorm, "clip-value": o.ClipValue,
		"dropout": m.Dropout, "label-smoothing": m.Loss.Smoothing,
	} {
		if v != 0 {
			s[name] = fmt.Sprint(v)
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		s[more[i]] = more[i+1]
	}
	return s
}
