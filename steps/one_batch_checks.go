package steps

import (
	"fmt"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

func lossReachesZero(s *record.StepRun) record.Verdict {
	got, want, start, used := value(s, train.LossName, train.Training), value(s, targetName, ""), value(s, startName, ""), value(s, usedName, "")
	v := checks.Hold(got <= want, "≤ "+checks.Number(want), checks.Number(got))
	v.Note = fmt.Sprintf("after %.0f iterations", used)
	p, _ := s.Score(train.LossName, train.Training)
	v.Trouble = fmt.Sprintf("the network cannot learn %d rows by heart: the loss is %s after %.0f iterations, it was %s at the start", p.Rows, checks.Number(got), used, checks.Number(start))
	return v
}

func rowsLearned(s *record.StepRun) record.Verdict {
	p, ok := s.Score(learnedName, "")
	if !ok {
		return without("no classes")
	}
	v := checks.Hold(p.Value >= 0.999, "all", fmt.Sprintf("%.0f of %d", p.Value*float64(p.Rows), p.Rows))
	if value(s, train.LossName, train.Training) <= value(s, targetName, "") {
		v.Likely = []string{"predictions come in another order than the rows of the batch, or the probabilities are not those of the loss"}
		v.Try = []string{"compare Prediction.Probabilities with the loss, row by row"}
	}
	v.Trouble = fmt.Sprintf("after training on them alone, only %.0f of %d labels are predicted right", p.Value*float64(p.Rows), p.Rows)
	return v
}

// batchLossFalls judges the loss in inference mode, start against end.
func batchLossFalls(s *record.StepRun) record.Verdict {
	got, start, want := value(s, train.LossName, train.Training), value(s, startName, ""), value(s, targetName, "")
	v := checks.Hold(got < start/2 || got <= want, "below half of the start", fmt.Sprintf("%s → %s", checks.Number(start), checks.Number(got)))
	v.Trouble = fmt.Sprintf("the loss went from %s to %s: it does not fall", checks.Number(start), checks.Number(got))
	return v
}

// mostJump is how far a loss may rise above its start. Momentum may throw it up
// for some iterations without harm.
const mostJump = 5

// lossDoesNotJump looks at the loss of the batch in every iteration. It is the
// same batch in all of them, so a loss that rises above its start is the work of
// the updates.
func lossDoesNotJump(s *record.StepRun) record.Verdict {
	curve := s.Curve(train.LossName).Values()
	if len(curve) == 0 || !(curve[0] > 0) {
		return without("no loss to compare")
	}
	highest, at := 0., 0
	for i, l := range curve {
		if l > highest {
			highest, at = l, i
		}
	}
	v := checks.Hold(highest <= mostJump*curve[0], fmt.Sprintf("≤ %d × its start", mostJump), checks.Number(highest/curve[0])+" ×")
	v.Trouble = fmt.Sprintf("the loss of the batch jumped from %s to %s within %d iterations", checks.Number(curve[0]), checks.Number(highest), at)
	v.Likely = []string{"the learning rate is too high"}
	v.Try = []string{"a tenth or a hundredth of the learning rate; train.WarmUp"}
	return v
}

// mostFirst is the share by which the first update may change the weights of
// most layers. Healthy trainings stay below 0.1.
const mostFirst = 0.4

func firstUpdateSmall(s *record.StepRun) record.Verdict {
	p, ok := s.Score(firstName, "")
	if !ok {
		return without("no layer to tell from")
	}
	v := checks.Hold(p.Value <= mostFirst, fmt.Sprintf("≤ %g of their size", mostFirst), checks.Number(p.Value))
	v.Trouble = fmt.Sprintf("the first update changed the weights of most layers by %s of their size: what they were initialised with is lost", checks.Number(p.Value))
	v.Likely = []string{"the learning rate is too high"}
	v.Try = []string{"a tenth or a hundredth of the learning rate; train.WarmUp"}
	return v
}
