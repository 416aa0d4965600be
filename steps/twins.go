package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// probeTwins looks for layers whose units all have equal weights and equal
// gradients. They stay equal whatever the training: the layer has the power of one unit.
// Equal weights alone do not mean that, as random biases tell units apart.
func (t *trial) probeTwins() {
	var twins []string
	for _, p := range t.learner.Params() {
		if !p.Decays || p.Grad == nil || p.Frozen || len(p.Shape) < 2 {
			continue
		}
		rows := p.Shape[0]
		if uniform(p, rows, len(p.Value)/rows) || uniform(transposed(p), len(p.Value)/rows, rows) {
			twins = append(twins, p.Name)
		}
	}
	t.measure("", twinsName, float64(len(twins)), 0)
	if len(twins) > 0 {
		t.find("units-differ", record.Verdict{
			Evidence: []string{"all units have the same weights and the same gradient: " + list(twins)},
			Likely:   []string{"the weights are initialised symmetrically, all with one value: the units can never become different"},
			Try:      []string{"initialise weights at random, as nn does; zeros are for biases and last layers"},
		})
	}
}

// uniform reports that all rows of a weight are equal, and those of its gradient
// too, and not zero.
func uniform(p train.Param, rows, size int) bool {
	if rows < 2 || size < 1 {
		return false
	}
	largest, apart := 0., 0.
	for i := range p.Value {
		if p.Value[i] != p.Value[i%size] {
			return false
		}
		largest = max(largest, math.Abs(float64(p.Grad[i])))
		apart = max(apart, math.Abs(float64(p.Grad[i]-p.Grad[i%size])))
	}
	return largest > 0 && apart < 1e-4*largest
}

// transposed is a parameter with its first axis last.
func transposed(p train.Param) train.Param {
	rows := p.Shape[0]
	size := len(p.Value) / rows
	q := train.Param{Value: make([]float32, len(p.Value)), Grad: make([]float32, len(p.Grad))}
	for i := range p.Value {
		j := i%size*rows + i/size
		q.Value[j], q.Grad[j] = p.Value[i], p.Grad[i]
	}
	return q
}

func unitsDiffer(s *record.StepRun) record.Verdict {
	p, ok := s.Score(twinsName, "")
	if !ok {
		return without("no gradients")
	}
	v := checks.Hold(p.Value == 0, "no layer of equal units", fmt.Sprintf("%.0f layers", p.Value))
	v.Trouble = "all units of a layer are the same, and training keeps them so"
	return v
}
