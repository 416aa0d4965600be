package steps

import (
	"context"
	"fmt"
	"math"

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
// beats-baselines, beats-guessing, inference-agrees, every-layer-learns.
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
	result, err := t.train(ctx, loop)
	if err != nil {
		return err
	}
	t.conclude(p)
	return t.finalScores(ctx, result)
}

// evaluations is about how often validation is scored on the way.
const evaluations = 20

// train runs a loop and scores validation on the way.
func (t *trial) train(ctx context.Context, loop *train.Loop) (train.Result, error) {
	every := max(1, loop.Epochs/evaluations)
	loop.AfterEpoch = func(ctx context.Context, s *train.State) error {
		if t.data.Validation == nil || (s.Epoch+1)%every != 0 || s.Epoch+1 == loop.Epochs {
			return nil
		}
		_, err := t.score(ctx, train.Validation, t.data.Validation, s.Iteration, s.Epoch)
		return err
	}
	result, err := loop.Run(ctx)
	if err == nil && result.Stopped != "" {
		t.scope.Logf("training ended early: %s", result.Stopped)
	}
	return result, err
}

// Names of what is measured beside loss and metrics.
const (
	rightName = "right-share" // share of rows whose likeliest class is the target
	guessName = "guess-share" // the same for always guessing the commonest training class
	spreadErr = "mean-loss"   // loss of always predicting the mean of the training targets
)

// share names a measurement of a stage that is not a metric of the recipe, and
// so not shown among them.
func share(name, stage string) string { return stage + "-" + name }

// finalScores scores all stages in inference mode, and what guessing would score.
func (t *trial) finalScores(ctx context.Context, result train.Result) error {
	seen := &census{loss: t.model.Loss}
	if _, err := t.score(ctx, train.Training, t.data.Training, result.Iterations, result.Epochs, seen.metric()); err != nil {
		return err
	}
	t.shares(train.Training, seen, seen)
	if t.data.Validation == nil {
		return t.saveTraining()
	}
	other := &census{loss: t.model.Loss}
	if _, err := t.score(ctx, train.Validation, t.data.Validation, result.Iterations, result.Epochs, other.metric()); err != nil {
		return err
	}
	t.shares(train.Validation, other, seen)
	v, differ := compareInputs(&seen.inputs, &other.inputs)
	if differ {
		t.find("beats-baselines", v)
	} else {
		v.Likely = []string{"the labels do not belong to the inputs (shuffled, or off by some rows): the network learned them by heart",
			"validation data is of another kind"}
		v.Try = []string{"look at inputs with their labels, as steps.ExploreData draws them"}
	}
	t.find("beats-guessing", v)
	return t.saveTraining()
}

// compareInputs says how the inputs of training and validation lie, and whether
// one of them seems to be scaled in another way.
func compareInputs(training, validation *moments) (v record.Verdict, differ bool) {
	v.Evidence = []string{
		fmt.Sprintf("inputs of training have mean %s, standard deviation %s", checks.Number(training.mean), checks.Number(training.deviation())),
		fmt.Sprintf("inputs of validation have mean %s, standard deviation %s", checks.Number(validation.mean), checks.Number(validation.deviation())),
	}
	ratio := validation.deviation() / training.deviation()
	if ratio > 1.5 || ratio < 1/1.5 || math.Abs(validation.mean-training.mean) > 0.5*training.deviation() {
		v.Likely = []string{"validation data is normalised differently from training data"}
		v.Try = []string{"fit the scale on training data and apply the same to every stage"}
		return v, true
	}
	return v, false
}

// shares records how often the likeliest class is right, and how often the
// commonest class of the training data is.
func (t *trial) shares(stage string, seen, training *census) {
	if seen.positions > 0 {
		commonest := 0
		for id := range maxKey(training.classes) + 1 {
			if training.classes[id] > training.classes[commonest] {
				commonest = id
			}
		}
		total := 0.
		for id := range maxKey(seen.classes) + 1 {
			total += seen.classes[id]
		}
		t.measure("", share(rightName, stage), float64(seen.right)/float64(seen.positions), seen.positions)
		t.measure("", share(guessName, stage), seen.classes[commonest]/total, seen.positions)
	} else if t.model.Loss.Kind == train.MSE && seen.targets.n > 0 {
		d := seen.targets.mean - training.targets.mean
		t.measure("", share(spreadErr, stage), seen.targets.variance()+d*d, seen.rows)
	}
}
