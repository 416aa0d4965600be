package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// What compareModes measures of a learner after training.
const (
	inferenceName    = "inference-loss"
	trainingModeName = "training-mode-loss"
)

// modesAlike reports that a fresh learner has the same loss in both modes to the last
// digits, though its outputs differ between rows: it has no dropout and no batch
// statistics, so that the modes must stay alike. It leaves the learner as it was.
func (t *trial) modesAlike(b train.Batch) (bool, error) {
	training, inference, differ, err := t.bothModes(b)
	return differ && math.Abs(training-inference) <= 1e-6*math.Abs(inference), err
}

func (t *trial) bothModes(b train.Batch) (training, inference float64, differ bool, err error) {
	kept := copyParams(t.learner)
	defer restore(t.learner, kept) // running statistics
	p, err := t.learner.Predict(b)
	if err != nil {
		return 0, 0, false, fmt.Errorf("predict: %w", err)
	}
	var rows sameness
	rows.add(p.Outputs)
	inference = p.Loss
	training, _, err = t.lossAndNorm(b)
	return training, inference, rows.differs, err
}

// compareModes records both losses after training.
func (t *trial) compareModes(b train.Batch) error {
	training, inference, _, err := t.bothModes(b)
	if err == nil {
		t.measure("", trainingModeName, training, b.Len())
		t.measure("", inferenceName, inference, b.Len())
	}
	return err
}

func modesStayAlike(s *record.StepRun) record.Verdict {
	training, ok := s.Score(trainingModeName, "")
	if !ok {
		return without("dropout or batch statistics: the modes differ by design")
	}
	inference, target := value(s, inferenceName, ""), value(s, targetName, "")
	v := checks.Hold(!finite(training.Value) || math.Abs(training.Value-inference) <= 0.1*training.Value+0.01*target,
		"loss "+checks.Number(training.Value), checks.Number(inference))
	v.Trouble = fmt.Sprintf("before training, both modes had the same loss; after it, the loss of the batch is %s in training mode, %s in inference mode",
		checks.Number(training.Value), checks.Number(inference))
	v.Likely = []string{"inference does not use the weights that training moves: a copy, or those of another time"}
	v.Try = []string{"let Forward and Predict read the same memory"}
	return v
}
