package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// What probeTargets and probeModes measure.
const (
	repeatedName = "batches-repeated" // 1 when all batches of an epoch are the same
	sizeName     = "target-size"      // root mean square of the targets of a regression
	modesName    = "mode-ratio"       // loss of a batch in training mode over that in inference mode
)

// Sizes of targets that a fresh network, whose outputs are near 0, can reach.
const (
	largestTarget  = 100
	smallestTarget = 1e-3
)

// probeTargets records what the walk over the training data saw of targets and batches.
func (t *trial) probeTargets(seen *census) {
	t.measure("", repeatedName, number(seen.batches > 1 && seen.repeated == seen.batches-1), seen.rows)
	if !t.model.Loss.Classifies() && seen.targets.n > 0 {
		t.measure("", sizeName, math.Sqrt(seen.targets.variance()+seen.targets.mean*seen.targets.mean), seen.rows)
		t.find("targets-are-scaled", record.Verdict{Evidence: []string{
			fmt.Sprintf("targets have mean %s, standard deviation %s; outputs start with mean %s", checks.Number(seen.targets.mean),
				checks.Number(seen.targets.deviation()), checks.Number(seen.outputs.mean))}})
	}
	if seen.positions > 0 && seen.outputRows.differs {
		t.measure("", share(rightName, train.Training), float64(seen.right)/float64(seen.positions), seen.positions)
	}
}

// probeModes compares the loss of a fresh network in both modes. Dropout and
// batch statistics change it little, as the outputs are near 0 in either.
func (t *trial) probeModes(b train.Batch) error {
	p, err := t.learner.Predict(b)
	if err != nil {
		return fmt.Errorf("predict: %w", err)
	}
	inference := p.Loss
	training, _, err := t.lossAndNorm(b)
	if err != nil || !finite(inference) || !finite(training) || inference == 0 {
		return err
	}
	t.measure("", modesName, training/inference, b.Len())
	v := record.Verdict{Evidence: []string{fmt.Sprintf("the loss of a batch is %s in training mode, %s in inference mode", checks.Number(training), checks.Number(inference))}}
	switch r := training / inference; {
	case math.Abs(r/float64(b.Len())-1) < 0.2 && b.Len() > 2:
		v.Likely = []string{fmt.Sprintf("in training, the loss is summed over the %d rows of a batch, not averaged", b.Len())}
		v.Try = []string{"divide the loss by the number of rows"}
	default:
		v.Likely = []string{fmt.Sprintf("the loss of training is scaled by about %s, or another one than that of inference", checks.Number(r))}
		v.Try = []string{"look for a factor, such as loss scaling or division by accumulated batches"}
	}
	t.find("modes-agree", v)
	return nil
}

func batchesDiffer(s *record.StepRun) record.Verdict {
	same := value(s, repeatedName, "") == 1
	v := checks.Hold(!same, "different batches", map[bool]string{true: "the same batch again and again", false: "different batches"}[same])
	v.Trouble = "all batches of an epoch are the same"
	v.Likely = []string{"the source yields its first batch again and again, or writes over a batch that is still in use"}
	v.Try = []string{"look at how the source advances; use datasets.Batches"}
	return v
}

func targetsScaled(s *record.StepRun) record.Verdict {
	p, ok := s.Score(sizeName, "")
	if !ok {
		return without("no regression")
	}
	start, zero := value(s, train.LossName, train.Training), value(s, expectedName, "")
	fits := p.Value <= largestTarget && p.Value >= smallestTarget || p.Value == 0 || start < zero/4
	v := checks.Hold(fits, fmt.Sprintf("%g … %d", smallestTarget, largestTarget), checks.Number(p.Value))
	v.Trouble = fmt.Sprintf("the targets have root mean square %s, and the network starts near 0", checks.Number(p.Value))
	v.Likely = []string{"the targets are not scaled: training spends itself on reaching their mean"}
	v.Try = []string{"standardise the targets by the mean and deviation of the training data, or take their logarithm: datasets.Map"}
	return v
}

func modesAgree(s *record.StepRun) record.Verdict {
	p, ok := s.Score(modesName, "")
	if !ok {
		return without("no finite loss")
	}
	if value(s, confidentName, "") >= mostConfident {
		return without("outputs are saturated")
	}
	v := checks.Hold(p.Value > 0.5 && p.Value < 2, "0.5 … 2 ×", checks.Number(p.Value)+" ×")
	v.Trouble = fmt.Sprintf("the loss in training mode is %s times that in inference mode, before any training", checks.Number(p.Value))
	return v
}
