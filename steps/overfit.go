package steps

import (
	"context"
	"fmt"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// Overfit trains on the training data without regularisation, to see that the
// network is large enough and the data can be learned. Weight decay and
// augmentation are off. Scores are computed over whole stages in inference mode
// at the end, validation also on the way.
//
// Default checks: loss-stays-finite, loss-falls, loss-does-not-climb,
// beats-baselines, beats-guessing, metrics-agree, schedule-lasts, inference-agrees,
// every-layer-learns.
// The target is yours: checks.AtLeast("accuracy", train.Training, 0.99).
type Overfit struct {
	Model train.Model
	// Epochs to train. Default 20, unless Iterations is set.
	Epochs int
	// Iterations at most; 0 for as many as the epochs have.
	Iterations int
	Options    arttest.Options
}

// Plan is the step's plan.
func (o Overfit) Plan() arttest.Plan {
	return arttest.Plan{
		Name: "overfit", Model: o.Model.Name, Options: o.Options, Stages: []string{train.Training, train.Validation},
		Settings: settings(o.model(), "epochs", fmt.Sprint(o.epochs()), "iterations", fmt.Sprint(o.Iterations)),
		Checks: []checks.Check{
			check("loss-stays-finite", "loss stays finite", lossStaysFinite),
			check("loss-falls", "loss falls", lossFalls),
			check("loss-does-not-climb", "loss does not climb again", lossDoesNotClimb),
			check("beats-baselines", "better than the baselines", beatsBaselines),
			check("beats-guessing", "training teaches something about validation", beatsGuessing),
			check("metrics-agree", "metrics are what they are called", metricsAgree),
			check("schedule-lasts", "the learning rate lasts", scheduleLasts),
			check("inference-agrees", "inference mode agrees with training mode", inferenceAgrees),
			check("every-layer-learns", "every layer learns", everyLayerLearns),
		},
	}
}

func (o Overfit) epochs() int {
	if o.Epochs == 0 && o.Iterations == 0 {
		return 20
	}
	return o.Epochs
}

func (o Overfit) model() train.Model {
	m := o.Model
	m.Optimizer.WeightDecay = 0
	return m
}

// Run trains and scores.
func (o Overfit) Run(ctx context.Context, s *arttest.Scope) error {
	t, err := newTrial(s, "", o.model(), s.Data())
	if err != nil {
		return err
	}
	p := watch(t.learner)
	loop := t.loop(t.data.Training)
	loop.Epochs = o.epochs()
	if o.Iterations > 0 && !s.Dry() {
		loop.Iterations = o.Iterations
	}
	loop.Decorators = append(loop.Decorators, p.decorate)
	result, err := t.train(ctx, loop, p)
	if err != nil {
		return err
	}
	t.conclude(p)
	return t.finalScores(ctx, result)
}

// evaluations is about how often validation is scored on the way.
const evaluations = 20

// train runs a loop and scores validation on the way.
func (t *trial) train(ctx context.Context, loop *train.Loop, remembered ...any) (train.Result, error) {
	every := max(1, loop.Epochs/evaluations)
	loop.AfterEpoch = func(ctx context.Context, s *train.State) error {
		if t.data.Validation == nil || (s.Epoch+1)%every != 0 || s.Epoch+1 == loop.Epochs {
			return nil
		}
		_, err := t.score(ctx, train.Validation, t.data.Validation, s.Iteration, s.Epoch)
		return err
	}
	result, err := t.run(ctx, loop, remembered...)
	t.measureSchedule(loop, result)
	if err == nil && result.Stopped != "" {
		t.scope.Logf("training ended early: %s", result.Stopped)
	}
	return result, err
}

// scheduleName is the share of iterations with a learning rate above a hundredth of the highest.
const scheduleName = "schedule-share"

// measureSchedule records how much of the training has a learning rate to speak of.
func (t *trial) measureSchedule(loop *train.Loop, result train.Result) {
	total := result.Iterations
	if result.Epochs > 0 && loop.Epochs > 0 {
		total = total / result.Epochs * loop.Epochs
	}
	if loop.Optimizer.Schedule.Factor == nil || total < 20 {
		return
	}
	highest, above := 0., 0
	for i := range total {
		highest = max(highest, loop.Optimizer.Schedule.At(i, total))
	}
	for i := range total {
		if loop.Optimizer.Schedule.At(i, total) > highest/100 {
			above++
		}
	}
	t.measure("", scheduleName, float64(above)/float64(total), 0)
	t.find("schedule-lasts", record.Verdict{Evidence: []string{
		fmt.Sprintf("schedule %s: of %d iterations, %d have a learning rate above a hundredth of %s",
			loop.Optimizer.Schedule, total, above, checks.Number(highest*loop.Optimizer.WithDefaults().LearningRate)),
	}})
}
