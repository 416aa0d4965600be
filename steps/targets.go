package steps

import (
	"fmt"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// explainTarget records, for the user's own targets on training scores, whether the
// training was still under way when it ended.
func (t *trial) explainTarget() {
	if v, ok := underway(t.scope.Step()); ok {
		t.find(checks.Findings(train.Training), v)
	}
}

// underway says how the loss curve ended.
func underway(s *record.StepRun) (v record.Verdict, ok bool) {
	curve := s.Curve(train.LossName).Values()
	w := windows(curve, 10)
	if len(curve) < 50 || !(w[9] > 0) {
		return v, false
	}
	before := (w[5] + w[6] + w[7]) / 3
	now := (w[8] + w[9]) / 2
	fell := 1 - now/before
	switch {
	case fell > 0.1:
		v.Evidence = []string{fmt.Sprintf("the training loss was still falling: by %s from the middle to the end", percent(fell))}
		v.Likely = []string{"training is too short"}
		v.Try = []string{"more epochs; or a higher learning rate, if steps.OverfitOneBatch bears it"}
	case fell < -0.1:
		v.Evidence = []string{fmt.Sprintf("the training loss rose by %s from the middle to the end", percent(-fell))}
		v.Likely = []string{"the learning rate is too high"}
		v.Try = []string{"a third of the learning rate, or train.Cosine(0)"}
	default:
		v.Evidence = []string{fmt.Sprintf("the training loss had levelled off at %s", checks.Number(now))}
		v.Likely = []string{"the network is too small for the data", "the inputs do not tell more of the targets: noise, or wrong labels"}
		v.Try = []string{"more units or layers", "a target that the data allows: what does steps.EvaluateBaseline reach?"}
	}
	return v, true
}

// explainGoal records, for the user's own targets on validation scores, whether the
// training data is known much better.
func (t *trial) explainGoal() {
	s := t.scope.Step()
	a, okA := s.Score(share(rightName, train.Training), "")
	b, okB := s.Score(share(rightName, train.Validation), "")
	word := "%s of the training rows are right, and %s of the validation rows"
	apart := a.Value - 2*deviationOfShare(a.Value, max(b.Rows, 1)) - 0.02
	gap := b.Value < apart
	if !okA || !okB {
		a, okA = s.Score(train.LossName, train.Training)
		b, okB = s.Score(train.LossName, train.Validation)
		word, gap = "the loss is %s on training data and %s on validation data", b.Value > 1.5*a.Value
	}
	v := record.Verdict{Evidence: []string{fmt.Sprintf(word, checks.Number(a.Value), checks.Number(b.Value))}}
	if gap {
		v.Likely = []string{"the network learns the training data by heart"}
		v.Try = []string{"weight decay, dropout, augmentation, or Patience in steps.Regularize; a smaller network; more data"}
	} else if more, ok := underway(s); ok {
		v.Evidence, v.Likely, v.Try = append(v.Evidence, more.Evidence...), more.Likely, more.Try
	}
	if okA && okB {
		t.find(checks.Findings(train.Validation), v)
	}
}
