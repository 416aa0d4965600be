package steps

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// What probeUnits measures, of the worst tensor.
const (
	deadName      = "dead-share"      // units that are 0 for all rows
	saturatedName = "saturated-share" // elements of a tanh beyond 0.99
	largeName     = "activation-size" // root mean square over that of the inputs, at least 1
)

// Limits of a fresh network. Half of the ReLUs may well be dead when inputs are
// all positive; hardly all of them.
const (
	mostDead      = 0.9
	mostSaturated = 0.5
	mostLarge     = 25
)

// probeUnits looks at the tensors between the layers of a fresh network, if the
// learner shows them.
func (t *trial) probeUnits(b train.Batch) error {
	inspector, ok := t.learner.(train.Inspector)
	if !ok {
		return nil
	}
	if _, _, err := t.lossAndNorm(b); err != nil {
		return err
	}
	learns := hasGradient(t.learner)
	outputs, err := t.outputs(b)
	if err != nil {
		return err
	}
	inputs := 1.
	if t.data.Tokens == 0 {
		inputs = max(1, rms(b.Inputs.Data))
	}
	names := inspector.Tensors()
	var dead, saturated, large float64
	v := map[string]*record.Verdict{"units-are-alive": {}, "activations-in-range": {}}
	for i, name := range names {
		if i == 0 || i == len(names)-1 {
			continue
		}
		x, err := inspector.Activation(name)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if slices.Equal(x.Data, b.Inputs.Data) || slices.Equal(x.Data, outputs.Data) {
			continue // the ends by another name
		}
		units, zero := deadUnits(x)
		if share := float64(zero) / float64(max(units, 1)); share > mostDead && !learns(name) {
			evidence(v["units-are-alive"], "%d of %d units of %q are 0 for all %d rows", zero, units, name, b.Len())
			dead = max(dead, share)
		}
		if share := beyond(x.Data, 0.99); share > mostSaturated {
			evidence(v["activations-in-range"], "%s of the elements of %q lie beyond ±0.99", percent(share), name)
			saturated = max(saturated, share)
		}
		if size := rms(x.Data) / inputs; size > mostLarge {
			evidence(v["activations-in-range"], "the elements of %q have root mean square %s, the inputs %s", name, checks.Number(size*inputs), checks.Number(rms(b.Inputs.Data)))
			large = max(large, size)
		} else {
			large = max(large, size)
		}
	}
	t.measure("", deadName, dead, b.Len())
	t.measure("", saturatedName, saturated, b.Len())
	t.measure("", largeName, large, b.Len())
	for name, found := range v {
		if len(found.Evidence) > 0 {
			t.find(name, *found)
		}
	}
	return nil
}

// hasGradient tells whether a layer learns though its outputs may be 0: its
// parameters have a gradient, or it was made to start with 0.
func hasGradient(l train.Learner) func(layer string) bool {
	var learns []string
	for _, p := range l.Params() {
		madeZero := p.Decays && p.Grad != nil && normOf(p.Value) == 0
		if normOf(p.Grad) > 0 || madeZero {
			learns = append(learns, p.Name)
		}
	}
	return func(layer string) bool {
		return slices.ContainsFunc(learns, func(p string) bool { return strings.HasPrefix(p, layer+"/") })
	}
}

// evidence adds a line, three at most.
func evidence(v *record.Verdict, format string, args ...any) {
	if len(v.Evidence) < 3 {
		v.Evidence = append(v.Evidence, fmt.Sprintf(format, args...))
	}
}

// deadUnits counts the units of a tensor (channels of pictures, else elements of
// the last axis) and those that are 0 everywhere.
func deadUnits(x train.Tensor) (units, dead int) {
	shape := x.Shape[1:]
	if len(shape) == 0 || x.Rows() == 0 {
		return 0, 0
	}
	units, inner := shape[len(shape)-1], 1
	if len(shape) == 3 {
		units, inner = shape[0], shape[1]*shape[2]
	}
	alive := make([]bool, units)
	for i, v := range x.Data {
		if v != 0 {
			alive[i/inner%units] = true
		}
	}
	for _, a := range alive {
		if !a {
			dead++
		}
	}
	return units, dead
}

// beyond is the share of elements whose magnitude exceeds a limit, if the tensor
// looks like the result of tanh: between −1 and 1, of both signs, and no mere signs.
func beyond(data []float32, limit float64) float64 {
	n, negative, between := 0, false, false
	for _, x := range data {
		a := math.Abs(float64(x))
		switch {
		case a > 1:
			return 0
		case a > limit:
			n++
		}
		negative = negative || x < -0.5
		between = between || a > 0 && a < 1
	}
	if !negative || !between {
		return 0
	}
	return float64(n) / float64(len(data))
}

func rms(data []float32) float64 {
	return normOf(data) / math.Sqrt(float64(max(len(data), 1)))
}

func unitsAlive(s *record.StepRun) record.Verdict {
	p, ok := s.Score(deadName, "")
	if !ok {
		return without("the learner shows no tensors")
	}
	v := checks.Hold(p.Value <= mostDead, "≤ "+percent(mostDead)+" of a layer dead", percent(p.Value))
	v.Trouble = fmt.Sprintf("%s of the units of a layer are dead before training begins", percent(p.Value))
	v.Likely = []string{"the ReLUs see negative numbers only: a bias far below 0, or inputs that are not centred"}
	v.Try = []string{"initialise biases at 0; standardise the inputs"}
	return v
}

func activationsInRange(s *record.StepRun) record.Verdict {
	large, ok := s.Score(largeName, "")
	if !ok {
		return without("the learner shows no tensors")
	}
	saturated := value(s, saturatedName, "")
	v := checks.Hold(large.Value <= mostLarge && saturated <= mostSaturated,
		fmt.Sprintf("≤ %d × the inputs", mostLarge), checks.Number(large.Value)+" ×")
	v.Trouble = fmt.Sprintf("tensors between the layers of the fresh network are %s times as large as the inputs", checks.Number(large.Value))
	if saturated > mostSaturated {
		v.Trouble = fmt.Sprintf("%s of a layer's tanh are saturated before training begins", percent(saturated))
	}
	v.Likely = []string{"the weights are initialised too large", "the inputs are not scaled"}
	v.Try = []string{"weights with deviation √(2/fan-in) before a ReLU, √(1/fan-in) before tanh"}
	return v
}
