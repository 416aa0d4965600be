package steps

import (
	"context"
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// Names of what is measured at the end of a training beside loss and metrics.
const (
	rightName   = "right-share"     // share of rows whose likeliest class is the target
	guessName   = "guess-share"     // the same for always guessing the commonest training class
	spreadErr   = "mean-loss"       // squared error of the mean of the training targets; another loss of predicting 0
	ownR2Name   = "own-r2"          // 1 − loss/variance, for one value a row and squared errors
	fitName     = "fit"             // how far predictions are from guessing (0) to certain and right (1); correlation for values
	followsName = "follows-targets" // by how many standard errors predictions follow the targets
	countName   = "effective-rows"  // rows that a mean over classes rests on: classes × rows of the rarest
	weightName  = "weight-size"     // root mean square of all weights
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
	t.measureWeights()
	t.explainTarget()
	if t.data.Validation == nil {
		return t.saveTraining()
	}
	other := &census{loss: t.model.Loss}
	if _, err := t.score(ctx, train.Validation, t.data.Validation, result.Iterations, result.Epochs, other.metric()); err != nil {
		return err
	}
	t.shares(train.Validation, other, seen)
	t.explainValidation(seen, other)
	t.explainGoal()
	return t.saveTraining()
}

// explainValidation records what may be wrong when validation scores are low.
func (t *trial) explainValidation(seen, other *census) {
	v, differ := compareInputs(&seen.inputs, &other.inputs)
	switch {
	case differ:
		t.find("beats-baselines", v)
	case seen.likeness.z() < significant || seen.likeness.strength() < 0.1:
		v.Evidence = append(v.Evidence, fmt.Sprintf("on training data, the fit is %s too (0 is guessing, 1 is certain and right)", checks.Number(seen.likeness.strength())))
		rate, labels := "the network did not learn the training data: the learning rate is too high or too low, or training too short",
			"the labels cannot be told from the inputs: shuffled, or off by some rows"
		v.Likely = []string{rate, labels}
		if oneBatchPassed(t.scope.Step()) {
			v.Evidence = append(v.Evidence, oneBatchEvidence)
			v.Likely = []string{labels, rate}
		}
		if b := bestBaseline(t.scope.Step().Run()); b.tells(t.scope.Step()) {
			v.Evidence = append(v.Evidence, b.evidence())
			v.Likely = []string{rate}
		}
		v.Try = []string{"see what steps.OverfitOneBatch says", "look at inputs with their labels, as steps.ExploreData draws them"}
	default:
		v.Likely = []string{"the labels do not belong to the inputs (shuffled, or off by some rows): the network learned them by heart",
			"validation data is of another kind"}
		v.Try = []string{"look at inputs with their labels, as steps.ExploreData draws them"}
	}
	t.find("beats-guessing", v)
}

// measureWeights records how large the weights are.
func (t *trial) measureWeights() {
	var all moments
	for _, p := range t.learner.Params() {
		if p.Decays && p.Grad != nil {
			all.add(p.Value)
		}
	}
	if all.n > 0 {
		t.measure("", weightName, math.Sqrt(all.variance()+all.mean*all.mean), 0)
	}
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

// shares records how often the likeliest class is right, how often the
// commonest class of the training data is, and whether predictions follow the
// targets at all.
func (t *trial) shares(stage string, seen, training *census) {
	if z := seen.likeness.z(); finite(z) {
		t.measure("", share(followsName, stage), z, seen.rows)
		t.measure("", share(fitName, stage), seen.likeness.strength(), seen.rows)
	}
	if seen.positions > 0 {
		commonest := 0
		for id := range maxKey(training.classes) + 1 {
			if training.classes[id] > training.classes[commonest] {
				commonest = id
			}
		}
		total, rarest, classes := 0., math.Inf(1), 0.
		for id := range maxKey(seen.classes) + 1 {
			if n := seen.classes[id]; n > 0 {
				total, rarest, classes = total+n, min(rarest, n), classes+1
			}
		}
		t.measure("", share(rightName, stage), float64(seen.right)/float64(seen.positions), seen.positions)
		t.measure("", share(guessName, stage), seen.classes[commonest]/total, seen.positions)
		t.measure("", share(countName, stage), min(total, classes*rarest), seen.positions)
	} else if seen.targets.n > 0 && t.model.Loss.Kind != train.MSE {
		t.measure("", share(spreadErr, stage), seen.zeroLoss/seen.targets.n, seen.rows)
	} else if seen.targets.n > 0 {
		d := seen.targets.mean - training.targets.mean
		t.measure("", share(spreadErr, stage), seen.targets.variance()+d*d, seen.rows)
		if loss, ok := t.scope.Step().Score(train.LossName, stage); ok && len(seen.columns) == 1 && !t.silent {
			t.measure("", share(ownR2Name, stage), 1-loss.Value/seen.targets.variance(), seen.rows)
		}
	}
}
