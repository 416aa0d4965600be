package steps

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// probe watches a training for the usual troubles. Most iterations cost it a
// comparison: it looks at weights and gradients in a few, more thinly as
// training goes on.
type probe struct {
	start   map[string][]float32
	before  map[string][]float32 // room for the weights before an update
	next    int
	samples int
	zero    map[string]int       // samples in which all gradients of a parameter were 0
	ratios  map[string][]float64 // ‖Δw‖/‖w‖ of weights in each sample
	norms   []float64            // of all gradients, in each sample
	names   []string             // in the order of Params
	nan     string               // where a number first stopped being one
}

// watch makes a probe of a learner before training.
func watch(l train.Learner) *probe {
	p := &probe{start: copyParams(l), before: map[string][]float32{}, zero: map[string]int{}, ratios: map[string][]float64{}}
	for _, q := range l.Params() {
		p.names = append(p.names, q.Name)
	}
	return p
}

// decorate is the probe as the innermost decorator.
func (p *probe) decorate(next train.UpdateFunc) train.UpdateFunc {
	return func(ctx context.Context, s *train.State) error {
		if s.Iteration < p.next {
			return next(ctx, s)
		}
		p.next = s.Iteration + 1 + s.Iteration/2
		p.gradients(s)
		for _, q := range s.Learner.Params() {
			if q.Decays && q.Grad != nil {
				p.before[q.Name] = append(p.before[q.Name][:0], q.Value...)
			}
		}
		if err := next(ctx, s); err != nil {
			return err
		}
		for _, q := range s.Learner.Params() {
			if old := p.before[q.Name]; old != nil {
				p.ratios[q.Name] = append(p.ratios[q.Name], change(old, q.Value))
			}
		}
		return nil
	}
}

func (p *probe) gradients(s *train.State) {
	p.samples++
	total := 0.
	for _, q := range s.Learner.Params() {
		sum := 0.
		for _, g := range q.Grad {
			sum += float64(g) * float64(g)
		}
		if q.Grad != nil && sum == 0 {
			p.zero[q.Name]++
		}
		if p.nan == "" && !finite(sum) {
			p.nan = fmt.Sprintf("the gradient of %q is not finite at iteration %d", q.Name, s.Iteration)
		}
		total += sum
	}
	p.norms = append(p.norms, math.Sqrt(total))
}

// change is ‖new−old‖/‖old‖.
func change(old, now []float32) float64 {
	d, n := 0., 0.
	for i, v := range old {
		e := float64(now[i] - v)
		d += e * e
		n += float64(v) * float64(v)
	}
	return math.Sqrt(d / max(n, 1e-30))
}

// still names the parameters that training should have moved and did not.
func (p *probe) still(l train.Learner) []string {
	changed := moved(p.start, l)
	var names []string
	for _, q := range l.Params() {
		if q.Grad != nil && !slices.Contains(changed, q.Name) {
			names = append(names, q.Name)
		}
	}
	return names
}

// ratio is the median share by which an update changed the weights that it
// changed most.
func (p *probe) ratio() (name string, median float64) {
	for _, n := range p.names {
		r := slices.Sorted(slices.Values(p.ratios[n]))
		if len(r) > 0 && r[len(r)/2] > median {
			name, median = n, r[len(r)/2]
		}
	}
	return name, median
}

// first is the share by which the first update changed the weights of most
// layers; typical is the same of the median update. Both are the upper median over
// the layers, without the last, which may start near zero, and without those
// that start at zero.
func (p *probe) first() (share float64, ok bool) {
	return p.ofMost(func(r []float64) float64 { return r[0] })
}

func (p *probe) typical() (share float64, ok bool) {
	return p.ofMost(func(r []float64) float64 { return slices.Sorted(slices.Values(r))[len(r)/2] })
}

func (p *probe) ofMost(pick func(ratios []float64) float64) (share float64, ok bool) {
	var all []float64
	last := ""
	for _, n := range p.names {
		if len(p.ratios[n]) > 0 {
			last = n
		}
	}
	for _, n := range p.names {
		if r := p.ratios[n]; n != last && len(r) > 0 && normOf(p.start[n]) > 0 {
			all = append(all, pick(r))
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	return all[len(all)/2], true
}

// stillName and movedName count parameters that did and did not learn.
const (
	stillName  = "parameters-unmoved"
	movedName  = "parameters"
	updateName = "update-to-weight"
	firstName  = "first-update"
)

// conclude records what the probe saw, after training.
func (t *trial) conclude(p *probe) {
	still := p.still(t.learner)
	trainable := 0
	for _, q := range t.learner.Params() {
		if q.Grad != nil {
			trainable++
		}
	}
	t.measure("", stillName, float64(len(still)), 0)
	t.measure("", movedName, float64(trainable), 0)
	if name, r := p.ratio(); name != "" {
		t.measure("", updateName, r, 0)
	}
	if r, ok := p.first(); ok {
		t.measure("", firstName, r, 0)
	}
	if len(still) > 0 {
		t.find("every-layer-learns", p.explainStill(t.learner, still))
	}
	if p.nan != "" {
		t.find("loss-stays-finite", record.Verdict{Evidence: []string{p.nan}})
	}
}

// explainStill says why parameters did not move.
func (p *probe) explainStill(l train.Learner, still []string) record.Verdict {
	v := record.Verdict{Evidence: []string{"unchanged after training, bit for bit: " + list(still)}}
	var frozen, zero, ignored []string
	for _, q := range l.Params() {
		switch {
		case !slices.Contains(still, q.Name):
		case q.Frozen:
			frozen = append(frozen, q.Name)
		case p.zero[q.Name] == p.samples:
			zero = append(zero, q.Name)
		default:
			ignored = append(ignored, q.Name)
		}
	}
	if len(frozen) > 0 {
		v.Likely = append(v.Likely, "frozen: "+list(frozen))
		v.Try = append(v.Try, "unfreeze what should learn; freezing belongs to steps.TransferLearning")
	}
	if len(zero) > 0 {
		v.Evidence = append(v.Evidence, fmt.Sprintf("the gradient is exactly 0 in all %d iterations looked at: %s", p.samples, list(zero)))
		v.Likely = append(v.Likely, "the layer is detached from the loss, or all units after it are dead (ReLU of negative numbers only)")
		v.Try = append(v.Try, "look at the tensors with decorators.ActivationStats; initialise biases at 0")
	}
	if len(ignored) > 0 {
		v.Evidence = append(v.Evidence, "there is a gradient, but no update follows: "+list(ignored))
		v.Likely = append(v.Likely, "the optimizer does not know these parameters, or the learning rate is too small to change them")
		v.Try = append(v.Try, "hand all parameters to the optimizer")
	}
	return v
}

// everyLayerLearns is the check of what conclude recorded.
func everyLayerLearns(s *record.StepRun) record.Verdict {
	still, ok := s.Score(stillName, "")
	if !ok {
		return unmeasured("which parameters moved")
	}
	all := value(s, movedName, "")
	v := checks.Hold(still.Value == 0, "all parameters move", fmt.Sprintf("%.0f of %.0f moved", all-still.Value, all))
	v.Trouble = fmt.Sprintf("%.0f of %.0f parameters did not learn", still.Value, all)
	return v
}

// lossStaysFinite is the check of the loss of every iteration.
func lossStaysFinite(s *record.StepRun) record.Verdict {
	curve := s.Curve(train.LossName)
	if _, ok := curve.Last(); !ok {
		return unmeasured("the loss")
	}
	for _, p := range curve.Points {
		if !finite(p.Value) {
			return record.Verdict{
				Mark: record.Fail, Want: "finite", Got: fmt.Sprintf("%v at iteration %d", p.Value, p.Iteration),
				Trouble: fmt.Sprintf("the loss became %v at iteration %d", p.Value, p.Iteration),
				Likely:  []string{"the learning rate is too high", "the inputs hold huge numbers, NaN or infinity", "the loss takes the logarithm of a probability of 0"},
				Try:     []string{"a tenth of the learning rate; train.Optimizer.ClipNorm 1; a loss of logits"},
			}
		}
	}
	return passed("finite", fmt.Sprintf("%d iterations", len(curve.Points)))
}
