package steps

import (
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// What probeOutputs measures.
const (
	columnsName   = "output-classes" // number of probabilities of a position
	wantedName    = "data-classes"
	squashedName  = "outputs-squashed" // 1 when outputs look like the result of an activation function
	boundedName   = "outputs-bounded"  // 1 when outputs cannot leave [−1, 1]
	droppedName   = "outputs-dropped"  // share of outputs that are 0 in training mode only
	sameInputName = "inputs-differ"    // 1 if inputs differ between rows
)

// probeOutputs records what the raw outputs of a fresh network look like.
func (t *trial) probeOutputs(seen *census) {
	t.measure("", sameInputName, number(seen.inputRows.differs || seen.rows == 1), seen.rows)
	if k := len(t.data.Classes); seen.positions > 0 && k > 0 {
		t.measure("", columnsName, float64(seen.width), seen.positions)
		t.measure("", wantedName, float64(k), 0)
	}
	v, squashed := squashed(t.model.Loss, seen)
	t.measure("", squashedName, number(squashed), seen.rows)
	if squashed {
		t.find("outputs-are-raw", v)
	}
}

// squashed recognises outputs that went through a softmax or a ReLU.
func squashed(loss train.Loss, seen *census) (v record.Verdict, yes bool) {
	o := &seen.outputs
	zeros := float64(seen.zeros) / max(o.n, 1)
	switch {
	case seen.positions > 0 && seen.simplex == seen.positions:
		v.Evidence = []string{"every output row lies between 0 and 1 and sums to 1: they are probabilities, not logits"}
		v.Likely = []string{"softmax is applied twice, once by the network and once by the loss"}
		v.Try = []string{"end the network with the layer before its softmax"}
	case seen.rows >= 16 && o.min == 0 && o.max > 0 && zeros > 0.1 && (loss.Classifies() || seen.targets.min < 0):
		v.Evidence = []string{fmt.Sprintf("no output is below 0, and %s of them are exactly 0", percent(zeros))}
		v.Likely = []string{"a ReLU after the last layer: outputs can never be negative"}
		v.Try = []string{"end the network with a layer that has no activation function"}
	default:
		return v, false
	}
	return v, true
}

// probeBounds makes the last weights huge, to see whether outputs can leave the
// range of a sigmoid or tanh, which would end a network wrongly.
func (t *trial) probeBounds(b train.Batch) error {
	weight := lastWeight(t.learner)
	if weight == nil {
		return nil
	}
	before, err := t.outputs(b)
	if err != nil {
		return err
	}
	kept := copyParams(t.learner)
	defer restore(t.learner, kept)
	for i := range weight {
		weight[i] = float32(1e4 * (1 - 2*float64(train.Mix(uint64(i))&1)))
	}
	outputs, err := t.outputs(b)
	if err != nil || slices.Equal(outputs.Data, before.Data) {
		return err
	}
	var o, y moments
	o.add(outputs.Data)
	y.add(b.Targets.Data)
	bounded := o.min >= -1 && o.max <= 1 && o.max > o.min
	if !t.model.Loss.Classifies() {
		bounded = bounded && (y.min < -1.001 || y.max > 1.001 || o.min >= 0 && y.min < 0)
	}
	t.measure("", boundedName, number(bounded), b.Len())
	name := "tanh"
	if o.min >= 0 {
		name = "sigmoid (or a softmax)"
	}
	v := record.Verdict{
		Evidence: []string{fmt.Sprintf("with last weights of ±10000, outputs still lie between %s and %s", checks.Number(o.min), checks.Number(o.max))},
		Likely:   []string{"a " + name + " after the last layer, though the targets need a wider range"},
		Try:      []string{"end the network with a layer that has no activation function"},
	}
	if t.model.Loss.Classifies() {
		v.Likely = []string{name + " is applied twice, once by the network and once by the loss"}
	}
	if bounded {
		t.find("outputs-are-raw", v)
	}
	return nil
}

// probeDropped looks for outputs that are exactly 0 in training mode, just after a
// Forward, and never in inference mode: dropout after the last layer.
func (t *trial) probeDropped(b train.Batch) error {
	inside, ok := t.learner.(train.Inspector)
	if !ok {
		return nil
	}
	names := inside.Tensors()
	if len(names) == 0 {
		return nil
	}
	training, err := inside.Activation(names[len(names)-1])
	if err != nil {
		return fmt.Errorf("activation of the output: %w", err)
	}
	dropped := zeros(training.Data)
	outputs, err := t.outputs(b)
	if err != nil || len(outputs.Data) != len(training.Data) || zeros(outputs.Data) > 0 {
		return err
	}
	part := float64(dropped) / float64(max(len(outputs.Data), 1))
	t.measure("", droppedName, part, b.Len())
	if part >= leastDropped {
		t.find("outputs-are-raw", record.Verdict{
			Evidence: []string{fmt.Sprintf("in training mode %s of the outputs are exactly 0, in inference mode none", percent(part))},
			Likely:   []string{"dropout after the last layer: it takes away outputs that the loss needs"},
			Try:      []string{"put the dropout before the last layer"},
		})
	}
	return nil
}

// leastDropped is more zeros than come about when dropout takes away all that a
// last layer looks at.
const leastDropped = 0.03

func zeros(values []float32) (n int) {
	for _, v := range values {
		if v == 0 {
			n++
		}
	}
	return n
}

// lastWeight is the value of the last weight of a layer.
func lastWeight(l train.Learner) []float32 {
	var last []float32
	for _, p := range l.Params() {
		if p.Decays && p.Grad != nil && len(p.Shape) >= 2 {
			last = p.Value
		}
	}
	return last
}

func outputsRaw(s *record.StepRun) record.Verdict {
	got := value(s, squashedName, "")
	if bounded, ok := s.Score(boundedName, ""); ok {
		got = max(got, bounded.Value)
	}
	v := checks.Hold(got == 0, "free numbers", "squashed")
	v.Trouble = "the network ends with an activation function that its loss does not expect"
	if got == 0 {
		v.Got = "free numbers"
		if dropped, ok := s.Score(droppedName, ""); ok && dropped.Value >= leastDropped {
			v.Mark, v.Got, v.Trouble = record.Fail, percent(dropped.Value)+" dropped", "the network drops some of its outputs in training"
		}
	}
	return v
}

func outputsFitClasses(s *record.StepRun) record.Verdict {
	got, ok := s.Score(columnsName, "")
	if !ok {
		return without("no classes")
	}
	want := value(s, wantedName, "")
	v := checks.Hold(got.Value == want, fmt.Sprintf("%.0f", want), fmt.Sprintf("%.0f", got.Value))
	v.Trouble = fmt.Sprintf("the network gives %.0f probabilities for %.0f classes", got.Value, want)
	v.Likely = []string{"the last layer has the wrong number of classes"}
	v.Try = []string{"size the last layer by the data: x.Dense(\"logits\", x.Classes())"}
	return v
}
