package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// What probeBend measures.
const (
	bendName     = "bend"            // distance from an affine function, over the spread of the outputs
	matricesName = "weight-matrices" // parameters that are weights of layers
)

// probeBend compares the output halfway between two rows with the mean of their
// outputs: they are equal for an affine function of the inputs, and for no
// network with an activation function. Token ids have no halfway.
func (t *trial) probeBend(b train.Batch) error {
	matrices := 0
	for _, p := range t.learner.Params() {
		if p.Decays && p.Grad != nil && len(p.Shape) >= 2 {
			matrices++
		}
	}
	if t.data.Tokens > 0 || matrices < 2 || b.Len() < 4 {
		return nil
	}
	// Far ends, on both sides of the origin: near ones may lie in one piece of a
	// network that is linear in pieces.
	const far = 10
	b = b.Clone()
	for i := range b.Len() {
		for j := range b.Inputs.Row(i) {
			b.Inputs.Row(i)[j] *= float32(far * (1 - 2*(i%2)))
		}
	}
	ends, err := t.outputs(b)
	if err != nil {
		return err
	}
	other := func(i int) int { return (i + 1) % b.Len() }
	half := b.Clone()
	for i := range b.Len() {
		for j, v := range b.Inputs.Row(other(i)) {
			half.Inputs.Row(i)[j] = (b.Inputs.Row(i)[j] + v) / 2
		}
	}
	middle, err := t.outputs(half)
	if err != nil {
		return err
	}
	var spread moments
	spread.add(ends.Data)
	bend := 0.
	for i := range b.Len() {
		for j, v := range middle.Row(i) {
			bend = max(bend, math.Abs(float64(v)-(float64(ends.Row(i)[j])+float64(ends.Row(other(i))[j]))/2))
		}
	}
	if width := spread.max - spread.min; width > 1e-3 && finite(width) {
		t.measure("", bendName, bend/width, b.Len())
		t.measure("", matricesName, float64(matrices), 0)
	}
	return nil
}

// outputs are a copy of what the learner makes of a batch.
func (t *trial) outputs(b train.Batch) (train.Tensor, error) {
	p, err := t.learner.Predict(b)
	if err != nil {
		return train.Tensor{}, fmt.Errorf("predict: %w", err)
	}
	return p.Outputs.Clone(), nil
}

func notAffine(s *record.StepRun) record.Verdict {
	p, ok := s.Score(bendName, "")
	if !ok {
		return without("does not apply")
	}
	v := checks.Hold(p.Value > 1e-4, "a bend > 0.0001", checks.Number(p.Value))
	v.Trouble = fmt.Sprintf("the network is an affine map: its %.0f layers can do no more than one", value(s, matricesName, ""))
	v.Evidence = []string{"halfway between two rows, the output is exactly the mean of theirs"}
	v.Likely = []string{"the activation function between the layers is missing (no ReLU)"}
	v.Try = []string{"put a ReLU after every layer but the last; leave this check out if the network is meant to be linear (Options.WithoutChecks)"}
	return v
}
