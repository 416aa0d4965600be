package steps

import (
	"context"
	"fmt"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// unregularised is the last step before s that trained the same model, with its
// share of right validation rows, or its validation loss.
func unregularised(s *record.StepRun, name, stage string) (before *record.StepRun, p record.Point) {
	steps := s.Run().Steps
	for i := len(steps) - 1; i >= 0; i-- {
		if b := steps[i]; b != s && b.Model == s.Model {
			if p, ok := b.Score(name, stage); ok {
				return b, p
			}
		}
	}
	return nil, record.Point{}
}

// notWorseThanOverfit compares validation with the same model before, without
// regularisation.
func notWorseThanOverfit(s *record.StepRun) record.Verdict {
	name := share(rightName, train.Validation)
	now, ok := s.Score(name, "")
	if !ok {
		return lossNotWorse(s)
	}
	before, old := unregularised(s, name, "")
	if before == nil {
		return without("nothing to compare with")
	}
	want := old.Value - marginOfShares(old.Value, now.Value, float64(old.Rows))
	v := checks.Hold(now.Value >= want, "≥ "+checks.Number(want)+" right", checks.Number(now.Value))
	v.Trouble = fmt.Sprintf("regularised, %s of the validation rows are right; in step %s it was %s", checks.Number(now.Value), before.Name, checks.Number(old.Value))
	v.Likely, v.Try = []string{"the regularisation is too strong"}, []string{"less of it, or more epochs"}
	return v
}

func lossNotWorse(s *record.StepRun) record.Verdict {
	now, ok := s.Score(train.LossName, train.Validation)
	before, old := unregularised(s, train.LossName, train.Validation)
	if _, values := s.Score(share(spreadErr, train.Validation), ""); !ok || !values || before == nil {
		return without("nothing to compare with")
	}
	b := baseline{value: old.Value, lower: true}
	limit := old.Value + 2*b.margin(old, 0)
	v := checks.Hold(now.Value <= limit, "loss ≤ "+checks.Number(limit), checks.Number(now.Value))
	v.Trouble = fmt.Sprintf("regularised, the validation loss is %s; in step %s it was %s", checks.Number(now.Value), before.Name, checks.Number(old.Value))
	v.Likely, v.Try = []string{"the regularisation is too strong"}, []string{"less of it, or more epochs"}
	return v
}

// stillFits compares training with the same model before: regularisation costs
// some of the fit on training data, but not most of it.
func stillFits(s *record.StepRun) record.Verdict {
	name := share(fitName, train.Training)
	now, ok := s.Score(name, "")
	before, old := unregularised(s, name, "")
	if !ok || before == nil {
		return without("nothing to compare with")
	}
	want := old.Value / 2
	v := checks.Hold(now.Value >= want, "≥ "+checks.Number(want), checks.Number(now.Value))
	if v.Mark == record.Fail && value(s, share(followsName, train.Training), "") >= surely && betterThanBefore(s) {
		return passed("≥ "+checks.Number(want)+", or a better validation score", checks.Number(now.Value)+", and a better one")
	}
	v.Trouble = fmt.Sprintf("regularised, predictions on training data have hardly left guessing: fit %s (0 is guessing, 1 is certain and right), in step %s it was %s",
		checks.Number(now.Value), before.Name, checks.Number(old.Value))
	v.Likely, v.Try = []string{"the regularisation is too strong"}, []string{"less of it, or more epochs"}
	return v
}

// betterThanBefore reports a validation score, in the metric that baselines are
// compared in, above that of the same model before. Where the inputs tell little of the class,
// a network that is sure of its training rows knows them by heart, and one that is
// less sure may know more.
func betterThanBefore(s *record.StepRun) bool {
	b := bestBaseline(s.Run())
	now, ok := s.Score(b.metric, b.stage)
	before, old := unregularised(s, b.metric, b.stage)
	return b.name != "" && ok && before != nil && (b.lower && now.Value < old.Value || !b.lower && now.Value > old.Value)
}

// explainStrength records what each part of a variant did, for checks on
// scores that it may have lowered.
func (t *trial) explainStrength(ctx context.Context, variant Variant) error {
	var v record.Verdict
	step := t.scope.Step()
	if before, old := unregularised(step, weightName, ""); before != nil && t.model.Optimizer.WeightDecay > 0 {
		if now := value(step, weightName, ""); now < old.Value/3 {
			v.Evidence = append(v.Evidence, fmt.Sprintf("the weights have shrunk: their root mean square is %s, in step %s it was %s", checks.Number(now), before.Name, checks.Number(old.Value)))
			v.Likely = append(v.Likely, fmt.Sprintf("the weight decay of %g is too strong", t.model.Optimizer.WeightDecay))
			v.Try = append(v.Try, "a tenth or a hundredth of the weight decay")
		}
	}
	if variant.Augment {
		if err := t.compareAugmented(ctx, &v); err != nil {
			return err
		}
	}
	for _, check := range []string{"loss-falls", "not-worse-than-overfit", "still-fits", "beats-baselines", "beats-guessing"} {
		t.find(check, v) // even of nothing: it takes the place of what the variant before found
	}
	return nil
}

// compareAugmented scores augmented training data.
func (t *trial) compareAugmented(ctx context.Context, v *record.Verdict) error {
	seen := &census{loss: t.model.Loss}
	p := t.pass()
	p.Augment = true
	if _, err := train.Evaluate(ctx, t.learner, t.data.Training, p, t.data.Classes, seen.metric()); err != nil {
		return fmt.Errorf("scoring augmented data: %w", err)
	}
	augmented, plain := seen.likeness.strength(), value(t.scope.Step(), share(fitName, train.Training), "")
	if augmented < plain-0.1 || augmented < 0.5 {
		v.Evidence = append(v.Evidence, fmt.Sprintf("the fit on training rows is %s as they are, %s after augmentation (0 is guessing, 1 is certain and right)", checks.Number(plain), checks.Number(augmented)))
		v.Likely = append(v.Likely, "the augmentation changes what the label means, or is too strong")
		v.Try = append(v.Try, "look at augmented batches with decorators.BatchSaver; weaken the augmentation")
	}
	return nil
}
