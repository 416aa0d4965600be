package examples_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// countRows is a step made of a function: it reads the data and records a score.
var countRows = arttest.StepFunc{
	Name:   "count-rows",
	Scores: []checks.Ref{{Metric: "rows", Stage: train.Training}},
	Func: func(ctx context.Context, s *arttest.Scope) error {
		_, rows, err := train.Count(ctx, s.Data().Training, train.Pass{})
		s.Score(train.Training, "rows", float64(rows))
		return err
	},
}

// zeroInputs is a step with settings: it compares a fresh network's outputs for
// real rows and for rows of zeros.
type zeroInputs struct {
	Model   train.Model
	Options arttest.Options
}

func (z zeroInputs) Plan() arttest.Plan {
	return arttest.Plan{Name: "zero-inputs", Model: z.Model.Name, Options: z.Options,
		Scores: []checks.Ref{{Metric: "difference", Stage: train.Training}}}
}

func (z zeroInputs) Run(_ context.Context, s *arttest.Scope) error {
	d := s.Data()
	l, err := z.Model.Build(d, d.Training, s.Seed())
	if err != nil {
		return err
	}
	b, err := train.First(d.Training, train.Pass{BatchSize: d.BatchSize})
	if err != nil {
		return err
	}
	p, err := l.Predict(b)
	if err != nil {
		return err
	}
	real := p.Outputs.Clone()
	clear(b.Inputs.Data)
	if p, err = l.Predict(b); err != nil {
		return err
	}
	most := 0.
	for i, v := range p.Outputs.Data {
		most = max(most, math.Abs(float64(v-real.Data[i])))
	}
	s.Score(train.Training, "difference", most)
	return nil
}

// halves is a check made of a function: the loss at the end is below half of
// that at the start.
var halves = checks.Check{
	Name:  "loss-halves",
	Reads: []checks.Ref{{Metric: train.LossName, Stage: train.Training}},
	Judge: func(s *record.StepRun) record.Verdict {
		loss := s.Curve(train.LossName).Values()
		share := loss[len(loss)-1] / loss[0]
		return checks.Hold(share < 0.5, "below 0.5 of the start", fmt.Sprintf("%.2f", share))
	},
}

// falls is a check made of assertions.
var falls = checks.Assert("loss-falls-with-testify", func(t checks.T, s *record.StepRun) {
	loss := s.Curve(train.LossName).Values()
	require.NotEmpty(t, loss)
	assert.Less(t, loss[len(loss)-1], loss[0])
})

// TestOwnParts has steps and checks of one's own among the usual ones.
func TestOwnParts(t *testing.T) {
	r := arttest.New(t, arttest.Recipe{Data: datasets.Iris()})
	mlp := nn.Classifier("mlp", func(x nn.Node) nn.Node {
		return x.Dense("hidden", 16).ReLU().Dense("logits", x.Classes())
	})
	mlp.Optimizer = train.Adam(1e-2)

	arttest.Step(r, countRows, checks.AtLeast("rows", train.Training, 100))
	arttest.Step(r, zeroInputs{Model: mlp}, checks.AtLeast("difference", train.Training, 0.01))
	arttest.Step(r, steps.Overfit{Model: mlp, Epochs: 30}, halves, falls)
}
