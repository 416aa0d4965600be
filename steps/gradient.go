package steps

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// What probeGradient measures.
const (
	repeatGradName = "gradient-changes"   // relative change of the gradient between two equal calls of Forward
	slopeName      = "gradient-error"     // largest relative error of a gradient against the slope of the loss
	downhillName   = "update-cosine"      // of the first update with the gradient: −1 for plain descent
	idleName       = "moved-at-rate-0"    // parameters that an update with learning rate 0 changes
	twinsName      = "layers-of-twins"    // layers whose units are all the same and stay so
	probedName     = "gradients-compared" // parameters whose slope could be measured
)

// probeGradient compares what Forward gives as gradients with the slope of what
// it gives as loss, parameter by parameter, along the gradient. It leaves the
// learner changed.
func (t *trial) probeGradient(b train.Batch) error {
	const most = 32
	b = b.Slice(0, min(b.Len(), most)).Clone()
	kept := copyParams(t.learner)
	repeats, err := t.probeRepeat(b)
	if err != nil {
		return err
	}
	restore(t.learner, kept)
	t.probeTwins()
	if repeats {
		if err := t.probeSlopes(b); err != nil {
			return err
		}
	}
	restore(t.learner, kept)
	return t.probeUpdate(b)
}

// probeRepeat calls Forward three times: gradients must not pile up, and nothing
// may be random but by the iteration.
func (t *trial) probeRepeat(b train.Batch) (same bool, err error) {
	var gradients [3]map[string][]float32
	var norms, losses [3]float64
	for i := range gradients {
		if losses[i], norms[i], err = t.lossAndNorm(b); err != nil {
			return false, err
		}
		gradients[i] = copyGradients(t.learner)
	}
	first, second := apart(gradients[0], gradients[1]), apart(gradients[1], gradients[2])
	change := 0.
	if norms[0] > 0 {
		change = first / norms[0]
	}
	t.measure("", repeatGradName, change, b.Len())
	v := record.Verdict{Evidence: []string{fmt.Sprintf("the gradient has norm %s, then %s; the loss is %s, then %s",
		checks.Number(norms[0]), checks.Number(norms[1]), checks.Number(losses[0]), checks.Number(losses[1]))}}
	if losses[0] == losses[1] && math.Abs(ratioOf(first, second)-1) < 1e-2 {
		v.Evidence = append(v.Evidence, "it grows by the same amount with every call")
		v.Likely = []string{"gradients accumulate: they are not zeroed before they are computed anew"}
		v.Try = []string{"set all gradients to zero at the start of every Forward"}
	} else {
		v.Likely = []string{"something random does not follow from the seed and the iteration alone", "a state is kept from one call to the next"}
		v.Try = []string{"draw dropout masks from train.DeriveN(seed, name, iteration)"}
	}
	t.find("gradients-repeat", v)
	return change < 1e-3, nil
}

// apart is the Euclidean distance of two gradients.
func apart(a, b map[string][]float32) float64 {
	var names []string
	for name := range a {
		names = append(names, name)
	}
	slices.Sort(names) // a map's own order would change the last bits
	d := 0.
	for _, name := range names {
		for i, v := range a[name] {
			e := float64(b[name][i] - v)
			d += e * e
		}
	}
	return math.Sqrt(d)
}

func copyGradients(l train.Learner) map[string][]float32 {
	kept := map[string][]float32{}
	for _, p := range l.Params() {
		if p.Grad != nil {
			kept[p.Name] = slices.Clone(p.Grad)
		}
	}
	return kept
}

// slope is what moving a parameter along its gradient does.
type slope struct {
	name      string
	want, got float64 // change of the loss for a step of length 1: by the gradient, and measured
}

// off is the relative error, in [0, 2].
func (s slope) off() float64 {
	if s.want == s.got {
		return 0
	}
	return math.Abs(s.want-s.got) / max(math.Abs(s.want), math.Abs(s.got))
}

// probeSlopes measures the slope of the loss for every parameter.
func (t *trial) probeSlopes(b train.Batch) error {
	loss, _, err := t.lossAndNorm(b)
	if err != nil || !finite(loss) {
		return err
	}
	gradients := copyGradients(t.learner)
	var slopes []slope
	for _, p := range trained(t.learner) {
		s, ok, err := t.slope(b, p, gradients[p.Name], loss)
		if err != nil {
			return err
		}
		if ok {
			slopes = append(slopes, s)
		}
	}
	if len(slopes) == 0 {
		return nil
	}
	worst := slices.MaxFunc(slopes, func(a, b slope) int { return cmp.Compare(a.off(), b.off()) })
	t.measure("", slopeName, worst.off(), b.Len())
	t.measure("", probedName, float64(len(slopes)), 0)
	t.find("gradients-fit-the-loss", explainSlopes(slopes, b.Len()))
	return nil
}

// trained lists the parameters that are trained; of very many, some from all
// depths of the network.
func trained(l train.Learner) []train.Param {
	const most = 40
	var all []train.Param
	for _, p := range l.Params() {
		if p.Grad != nil && !p.Frozen && len(p.Value) > 0 {
			all = append(all, p)
		}
	}
	if len(all) <= most {
		return all
	}
	some := make([]train.Param, most)
	for i := range some {
		some[i] = all[i*(len(all)-1)/(most-1)]
	}
	return some
}

// slope moves a parameter along its gradient (in a fixed direction if that is 0)
// and back, by steps of several lengths, and keeps what agrees best. Long steps
// see curvature and kinks: there the slopes to both sides differ. Short ones see
// rounding. ok is false when one or the other hides the slope at every length.
func (t *trial) slope(b train.Batch, p train.Param, gradient []float32, loss float64) (s slope, ok bool, err error) {
	old := slices.Clone(p.Value)
	defer copy(p.Value, old)
	direction, norm := bearing(gradient)
	length := max(normOf(old), 0.1*math.Sqrt(float64(len(old))))
	for _, share := range []float64{0.1, 0.03, 0.01, 0.003, 0.001} {
		h := share * length
		var side [2]float64
		for k, sign := range []float64{1, -1} {
			for i, d := range direction {
				p.Value[i] = old[i] + float32(sign*h*d)
			}
			moved, err := t.learner.Forward(b, 0)
			if err != nil {
				return s, false, fmt.Errorf("forward: %w", err)
			}
			side[k] = sign * (moved - loss) / h
		}
		got := slope{p.Name, norm, (side[0] + side[1]) / 2}
		size := max(norm, math.Abs(got.got))
		if rounding := 1e-6 * max(math.Abs(loss), 1e-3) / h; !finite(got.got) || size < 20*rounding || math.Abs(side[0]-side[1]) > 0.3*size {
			continue
		}
		if !ok || got.off() < s.off() {
			s, ok = got, true
		}
		if s.off() < slopeTolerance/4 {
			break // shorter steps cost as much and tell nothing new
		}
	}
	return s, ok, nil
}

// bearing is the direction of a gradient and its norm; for one that is zero, a
// direction with as much of each element, with alternating signs.
func bearing(g []float32) (direction []float64, norm float64) {
	norm = normOf(g)
	direction = make([]float64, len(g))
	for i, v := range g {
		if norm > 0 {
			direction[i] = float64(v) / norm
		} else {
			direction[i] = (1 - 2*float64(train.Mix(uint64(i))&1)) / math.Sqrt(float64(len(g)))
		}
	}
	return direction, norm
}

func normOf(v []float32) float64 {
	sum := 0.
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

const slopeTolerance = 0.4

// explainSlopes looks for a pattern in wrong slopes.
func explainSlopes(slopes []slope, rows int) (v record.Verdict) {
	var names, detached []string
	var ratios []float64
	for _, s := range slopes {
		if s.off() <= slopeTolerance {
			continue
		}
		names = append(names, s.name)
		if s.want == 0 {
			detached = append(detached, s.name)
		}
		ratios = append(ratios, s.got/s.want)
		evidence(&v, "moving %q along its gradient changes the loss by %s for a step of 1, the gradient says %s",
			s.name, checks.Number(s.got), checks.Number(s.want))
	}
	if len(names) == 0 {
		return v
	}
	slices.Sort(ratios)
	r, all := ratios[len(ratios)/2], len(names) == len(slopes)
	like := func(want float64) bool { return all && math.Abs(r/want-1) < 0.3 }
	switch {
	case len(detached) == len(names):
		v.Likely = []string{"no gradient reaches " + list(detached) + ": detached from the loss"}
		v.Try = []string{"look for a copy, a constant or a missing backward pass between these layers and the loss"}
	case all && ratios[0] == 0 && ratios[len(ratios)-1] == 0:
		v.Likely = []string{"writing to Param.Value does not change the network: Params returns copies"}
		v.Try = []string{"let Params return the network's own memory"}
	case like(-1):
		v.Likely = []string{"the gradient has the wrong sign: training climbs"}
		v.Try = []string{"look for a minus in the backward pass of the loss"}
	case like(1 / float64(rows)):
		v.Likely = []string{fmt.Sprintf("the gradient is summed over the %d rows of the batch, not averaged, unlike the loss", rows)}
		v.Try = []string{"divide the gradient by the number of rows"}
	case all && r > 0 && ratios[0] > 0.5*r && ratios[len(ratios)-1] < 2*r:
		v.Likely = []string{fmt.Sprintf("the gradient is scaled: it is %s times that of the loss", checks.Number(1/r))}
		v.Try = []string{"look for a factor between the loss that is returned and the one that is differentiated"}
	default:
		v.Likely = []string{"the backward pass is wrong for " + list(names)}
		v.Try = []string{"compare it with difference quotients, one layer at a time"}
	}
	return v
}

// probeUpdate makes the first update and compares it with the gradient.
func (t *trial) probeUpdate(b train.Batch) error {
	if _, _, err := t.lossAndNorm(b); err != nil {
		return err
	}
	gradients, before := copyGradients(t.learner), copyParams(t.learner)
	rate := t.model.Optimizer.WithDefaults().LearningRate
	if err := t.learner.Update(rate); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	dot, dd, gg := 0., 0., 0.
	for _, p := range t.learner.Params() {
		old := before[p.Name]
		for i, g := range gradients[p.Name] {
			d, g := float64(p.Value[i]-old[i]), float64(g)
			dot, dd, gg = dot+d*g, dd+d*d, gg+g*g
		}
	}
	if gg == 0 || !finite(gg) || !finite(dd) {
		return nil // nothing to compare with
	}
	cosine := 0.
	if dd > 0 {
		cosine = dot / math.Sqrt(dd*gg)
	}
	t.measure("", downhillName, cosine, b.Len())
	return t.probeRate()
}

// probeRate makes an update with learning rate 0, which must change no parameter.
func (t *trial) probeRate() error {
	before := copyParams(t.learner)
	if err := t.learner.Update(0); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	changed := moved(before, t.learner)
	t.measure("", idleName, float64(len(changed)), 0)
	t.find("learning-rate-counts", record.Verdict{Evidence: []string{"changed at learning rate 0: " + list(changed)}})
	return nil
}

func rateCounts(s *record.StepRun) record.Verdict {
	p, ok := s.Score(idleName, "")
	if !ok {
		return without("no gradients")
	}
	v := checks.Hold(p.Value == 0, "a rate of 0 moves nothing", fmt.Sprintf("%.0f parameters move", p.Value))
	v.Trouble = "an update with learning rate 0 changes parameters"
	v.Likely = []string{"the learner ignores the learning rate of Update: schedules and later phases have no effect"}
	v.Try = []string{"multiply every change of a parameter by the learning rate that Update is given"}
	return v
}

func gradientsRepeat(s *record.StepRun) record.Verdict {
	p, ok := s.Score(repeatGradName, "")
	if !ok {
		return without("no gradients")
	}
	v := checks.Hold(p.Value < 1e-3, "the same twice", fmt.Sprintf("%s apart", checks.Number(p.Value)))
	v.Trouble = "two equal calls of Forward give two gradients"
	return v
}

func gradientsFit(s *record.StepRun) record.Verdict {
	p, ok := s.Score(slopeName, "")
	if !ok {
		return without("no gradients to compare")
	}
	v := checks.Hold(p.Value <= slopeTolerance, fmt.Sprintf("≤ %g off", slopeTolerance), fmt.Sprintf("%s off", checks.Number(p.Value)))
	v.Trouble = "the gradients are not those of the loss"
	return v
}

func updateDownhill(s *record.StepRun) record.Verdict {
	p, ok := s.Score(downhillName, "")
	if !ok {
		return without("no gradients")
	}
	v := checks.Hold(p.Value < 0, "cosine with the gradient < 0", checks.Number(p.Value))
	v.Trouble = "the first update does not go against the gradient: it climbs"
	v.Likely = []string{"the update has the wrong sign"}
	if p.Value == 0 {
		v.Trouble, v.Likely = "the first update changes no parameter", []string{"the learning rate is 0 or too low to change a float32", "every layer is frozen"}
	}
	v.Try = []string{"subtract learning rate times gradient"}
	return v
}
