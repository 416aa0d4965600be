package arttest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// countRows is a step of the user's own as a function. Scores says what checks may read.
var countRows = arttest.StepFunc{
	Name:   "count-rows",
	Scores: []checks.Ref{{Metric: "rows", Stage: train.Training}},
	Func: func(ctx context.Context, s *arttest.Scope) error {
		_, rows, err := train.Count(ctx, s.Data().Training, train.Pass{})
		s.Score(train.Training, "rows", float64(rows))
		return err
	},
}

// Descend is a step of the user's own as a struct: its fields are settings, its plan
// says what it is going to do.
type Descend struct {
	Model      train.Model
	Iterations int
	Options    arttest.Options
}

// Plan names the step, and what it measures: the loss on training data.
func (d Descend) Plan() arttest.Plan {
	return arttest.Plan{
		Name: "descend", Model: d.Model.Name, Settings: map[string]string{"iterations": fmt.Sprint(d.Iterations)},
		Stages: []string{train.Training}, Options: d.Options,
	}
}

// Run trains and evaluates. A dry run is one iteration.
func (d Descend) Run(ctx context.Context, s *arttest.Scope) error {
	data := s.Data()
	learner, err := d.Model.Build(data, data.Training, s.Seed())
	if err != nil {
		return err
	}
	loop := train.Loop{
		Learner: learner, Source: data.Training, Optimizer: d.Model.Optimizer, Iterations: d.Iterations, Decorators: s.Decorators(),
		Pass: train.Pass{Seed: s.Seed(), BatchSize: data.BatchSize, Shuffle: true},
		Log: func(st *train.State, name string, value float64) {
			s.Emit(record.Event{Kind: record.Scalar, Name: name, Iteration: st.Iteration, Epoch: st.Epoch, Value: value})
		},
		Progress: func(st *train.State) { s.Progress(st.Iteration+1, st.Total, "") },
		Save:     s.Save,
	}
	if s.Dry() {
		loop.Iterations = 1
	}
	if _, err := loop.Run(ctx); err != nil {
		return err
	}
	scores, err := train.Evaluate(ctx, learner, data.Training, train.Pass{}, data.Classes, s.Metrics()...)
	for _, score := range scores {
		s.Emit(record.Event{Kind: record.Score, Stage: train.Training, Name: score.Name, Value: score.Value, Rows: score.Rows})
	}
	return err
}

// halves is a check of the user's own as a function: the loss ends below half of
// where it began. want and got are what a failure shows.
func halves(s *record.StepRun) record.Verdict {
	loss := s.Curve(train.LossName).Values()
	got := loss[len(loss)-1] / loss[0]
	return checks.Hold(got < 0.5, "below half of the start", fmt.Sprintf("%.3f of it", got))
}

// falls asserts with testify.
var falls = checks.Assert("loss-falls", func(t checks.T, s *record.StepRun) {
	loss := s.Curve(train.LossName).Values()
	require.NotEmpty(t, loss)
	assert.Less(t, loss[len(loss)-1], loss[0])
	assert.NotContains(t, loss, 0.)
})

// A step and a check of the user's own are a function or a small struct.
func TestOwnStepsAndChecks(t *testing.T) {
	r := arttest.New(t, arttest.Recipe{Data: traintest.Plane(1, 48, 0.1, 0, 2, -3)})
	parabola := traintest.Parabola(1, -2)

	arttest.Step(r, countRows, checks.AtLeast("rows", train.Training, 48))
	arttest.Step(r, Descend{Model: parabola, Iterations: 50},
		checks.AtMost(train.LossName, train.Training, 0.01),
		checks.Check{Name: "loss-halves", Judge: halves},
		falls)
	arttest.Step(r, Descend{Model: traintest.MLP(8), Iterations: 100, Options: arttest.Options{Name: "network", After: []string{"count-rows"}}},
		checks.Warn(checks.AtMost(train.LossName, train.Training, 0.1)), falls)
}
