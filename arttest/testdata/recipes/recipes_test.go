// Package recipes holds recipes that go right and wrong in every way that arttest
// promises to report. The tests of arttest copy it to a module of its own, compile
// it, and look at what the binary reports.
package recipes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

func blobs() train.Data { return traintest.Blobs(1, 64, 2) }

func plain() arttest.Recipe { return arttest.Recipe{Data: blobs()} }

// passes is a step with nothing to do.
func passes(name string) arttest.StepFunc {
	return arttest.StepFunc{Name: name, Func: func(context.Context, *arttest.Scope) error { return nil }}
}

// after is passes with needs of its own.
func after(name string, needs ...string) arttest.StepFunc {
	s := passes(name)
	s.Options.After = append([]string{}, needs...)
	return s
}

func holds(name string) checks.Check {
	return checks.Check{Name: name, Judge: func(*record.StepRun) record.Verdict { return checks.Hold(true, "this", "this") }}
}

func fails(name string) checks.Check {
	return checks.Check{Name: name, Judge: func(*record.StepRun) record.Verdict { return checks.Hold(false, "this", "that") }}
}

func does(name string, f func(context.Context, *arttest.Scope) error) arttest.StepFunc {
	return arttest.StepFunc{Name: name, Func: f}
}

func write(text string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
}

var errPlanted = errors.New("planted")

// training is a whole step: it trains a model and scores it.
type training struct {
	Model      train.Model
	Iterations int
	Checks     []checks.Check
	Options    arttest.Options
}

func (s training) Plan() arttest.Plan {
	return arttest.Plan{
		Name: "training", Model: s.Model.Name, Stages: []string{train.Training, train.Validation},
		Settings: map[string]string{"iterations": fmt.Sprint(s.Iterations)}, Checks: s.Checks, Options: s.Options,
	}
}

func (s training) Run(ctx context.Context, scope *arttest.Scope) error {
	data := scope.Data()
	learner, err := s.Model.Build(data, data.Training, scope.Seed())
	if err != nil {
		return err
	}
	iterations := s.Iterations
	if scope.Dry() {
		iterations = 1
	}
	loop := train.Loop{
		Learner: learner, Source: data.Training, Optimizer: s.Model.Optimizer, Iterations: iterations,
		Pass:       train.Pass{Seed: scope.Seed(), BatchSize: data.BatchSize, Shuffle: true},
		Decorators: append(scope.Decorators(), s.Model.Decorators...),
		Progress:   func(st *train.State) { scope.Progress(st.Iteration+1, st.Total, "") },
		Log: func(st *train.State, name string, value float64) {
			scope.Emit(record.Event{Kind: record.Scalar, Stage: train.Training, Name: name, Iteration: st.Iteration, Epoch: st.Epoch, Value: value})
		},
		Save: scope.Save,
	}
	if _, err := loop.Run(ctx); err != nil {
		return err
	}
	for _, stage := range s.Plan().Stages {
		source, err := data.Stage(stage)
		if err != nil {
			return err
		}
		scores, err := train.Evaluate(ctx, learner, source, train.Pass{BatchSize: data.BatchSize}, data.Classes, scope.Metrics()...)
		if err != nil {
			return err
		}
		for _, score := range scores {
			scope.Emit(record.Event{Kind: record.Score, Stage: stage, Name: score.Name, Value: score.Value, Rows: score.Rows})
		}
	}
	return nil
}

// hits is the share of rows whose class is the likeliest.
func hits() train.Metric {
	return train.Metric{Name: "accuracy", New: func([]string) (train.Accumulator, error) { return &accuracy{}, nil }}
}

type accuracy struct{ hits, rows int }

func (a *accuracy) Add(b train.Batch, p train.Prediction) error {
	for i := range b.Len() {
		best := 0
		row := p.Probabilities.Row(i)
		for class, v := range row {
			if v > row[best] {
				best = class
			}
		}
		if best == int(b.Targets.Data[i]) {
			a.hits++
		}
		a.rows++
	}
	return nil
}

func (a *accuracy) Score() train.Score {
	return train.Score{Value: float64(a.hits) / float64(a.rows), Rows: a.rows}
}

// TestLast comes after all that end badly, to show that it is reached.
func TestLast(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), passes("only"))
}
