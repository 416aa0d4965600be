package steps

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// OverfitOneBatch trains on one batch until its rows are known by heart. A
// network that cannot do this has a bug: in its layers, its loss, its gradients
// or its optimizer. Weight decay and schedules are off; dropout is on in
// training, and the loss is judged in inference mode.
//
// Default checks: loss-stays-finite, loss-reaches-zero, rows-are-learned,
// loss-falls, every-layer-learns.
//
// When the loss does not get there, the step trains again with a tenth, a
// hundredth and ten times the learning rate, to say whether that was the cause.
type OverfitOneBatch struct {
	Model train.Model
	// Rows of the batch. Default 16.
	Rows int
	// Iterations at most. Default: until the loss is reached or stops falling,
	// 2000 at most.
	Iterations int
	// Loss to reach, in inference mode. Default: 2 percent of the loss of an
	// undecided network (of the variance of the targets for a regression), above
	// what label smoothing and contradicting labels make unavoidable.
	Loss    float64
	Options arttest.Options
}

const (
	learnedName = "rows-learned" // share of rows whose likeliest class is the target
	targetName  = "loss-wanted"
	startName   = "loss-at-start"
	usedName    = "iterations-used"
	maxOne      = 2000
)

// Plan is the step's plan.
func (o OverfitOneBatch) Plan() arttest.Plan {
	return arttest.Plan{
		Name: "overfit-one-batch", Model: o.Model.Name, Options: o.Options, Stages: []string{train.Training},
		Settings: settings(o.model(), "rows", fmt.Sprint(o.rows()), "iterations", fmt.Sprint(o.Iterations)),
		Checks: []checks.Check{
			check("loss-stays-finite", "loss stays finite", lossStaysFinite),
			check("loss-reaches-zero", "loss reaches zero", lossReachesZero),
			check("rows-are-learned", "every row of the batch is learned", rowsLearned),
			check("loss-falls", "loss falls", batchLossFalls),
			check("every-layer-learns", "every layer learns", everyLayerLearns),
		},
	}
}

func (o OverfitOneBatch) rows() int {
	if o.Rows > 0 {
		return o.Rows
	}
	return 16
}

// model is the model without what keeps it from overfitting.
func (o OverfitOneBatch) model() train.Model {
	m := o.Model
	m.Optimizer.WeightDecay = 0
	m.Optimizer.Schedule = train.Schedule{}
	return m
}

// Run trains on the batch.
func (o OverfitOneBatch) Run(ctx context.Context, s *arttest.Scope) error {
	t, err := newTrial(s, "", o.model(), s.Data())
	if err != nil {
		return err
	}
	batch, err := o.batch(t)
	if err != nil {
		return err
	}
	floor, conflicts := contradictions(t.model.Loss, batch, len(t.data.Classes))
	want := o.want(t, batch) + floor
	t.measure("", targetName, want, batch.Len())
	p := watch(t.learner)
	start, reached, err := o.fit(ctx, t, batch, want, p)
	if err != nil {
		return err
	}
	t.measure("", startName, start, batch.Len())
	seen := &census{loss: t.model.Loss}
	if _, err := t.score(ctx, train.Training, train.Repeat(batch), reached, 0, seen.metric()); err != nil {
		return err
	}
	t.measure("", usedName, float64(reached), 0)
	if seen.positions > 0 {
		t.measure("", learnedName, float64(seen.right+conflicts)/float64(seen.positions), seen.positions)
	}
	t.conclude(p)
	if err := t.saveTraining(); err != nil {
		return err
	}
	last, _ := s.Step().Score(train.LossName, train.Training)
	if s.Dry() || last.Value <= want {
		return nil
	}
	return o.explain(ctx, t, batch, seen, p, want)
}

// batch is the first one of a shuffled pass, cut to the rows wanted.
func (o OverfitOneBatch) batch(t *trial) (train.Batch, error) {
	p := t.pass()
	p.BatchSize = o.rows()
	b, err := train.First(t.data.Training, p)
	if err != nil {
		return b, fmt.Errorf("data %q: %w", t.data.Name, err)
	}
	return b.Slice(0, min(b.Len(), o.rows())), nil
}

// want is the loss to reach.
func (o OverfitOneBatch) want(t *trial, b train.Batch) float64 {
	if o.Loss > 0 {
		return o.Loss
	}
	const share = 0.02
	k := float64(max(len(t.data.Classes), 2))
	switch loss := t.model.Loss; loss.Kind {
	case train.CrossEntropy:
		floor := 0.
		if e := loss.Smoothing; e > 0 { // the entropy of the smoothed target
			on, off := 1-e+e/k, e/k
			floor = -on*math.Log(on) - (k-1)*off*math.Log(off)
		}
		return floor + share*math.Log(k)
	case train.BinaryCrossEntropy:
		return share * math.Ln2
	default:
		var m moments
		m.add(b.Targets.Data)
		spread := m.variance()
		if loss.Kind == train.MAE {
			return 5 * share * m.deviation() // an absolute error falls more slowly than its square
		}
		if spread == 0 {
			spread = m.mean * m.mean
		}
		return share * max(spread, 1e-6)
	}
}

// contradictions is the loss that equal inputs of different classes make
// unavoidable, and how many of them cannot be right. Of token ids with a class at
// every position, a position has seen the tokens up to its own.
func contradictions(l train.Loss, b train.Batch, classes int) (loss float64, wrong int) {
	positions := b.Targets.RowSize()
	if l.Kind != train.CrossEntropy || classes == 0 || positions > 1 && positions != b.Inputs.RowSize() {
		return 0, 0
	}
	counts := map[string][]int{}
	var keys []string
	all := 0
	for i := range b.Len() {
		for j, id := range b.Targets.Row(i) {
			if id < 0 || int(id) >= classes {
				continue
			}
			seen := b.Inputs.Row(i)
			if positions > 1 {
				seen = seen[:j+1]
			}
			key := fmt.Sprint(seen)
			if counts[key] == nil {
				counts[key] = make([]int, classes)
				keys = append(keys, key)
			}
			counts[key][int(id)]++
			all++
		}
	}
	for _, key := range keys {
		total, most := 0, 0
		for _, n := range counts[key] {
			total, most = total+n, max(most, n)
		}
		for _, n := range counts[key] {
			if n > 0 {
				loss -= float64(n) * math.Log(float64(n)/float64(total))
			}
		}
		wrong += total - most
	}
	return loss / float64(max(all, 1)), wrong
}

// fit trains until the loss in inference mode is reached, or falls no more.
// It returns the loss at the start and the iterations used.
func (o OverfitOneBatch) fit(ctx context.Context, t *trial, b train.Batch, want float64, p *probe) (start float64, used int, err error) {
	first, err := t.learner.Predict(b)
	if err != nil {
		return 0, 0, fmt.Errorf("predict: %w", err)
	}
	start = first.Loss
	best := []float64{start} // best loss so far, at every look
	loop := t.loop(train.Repeat(b))
	loop.Pass.Shuffle = false
	if p != nil {
		loop.Decorators = append(loop.Decorators, p.decorate)
	}
	if loop.Iterations == 0 {
		if loop.Iterations = o.Iterations; loop.Iterations == 0 {
			loop.Iterations = maxOne
		}
	}
	loop.AfterEpoch = func(_ context.Context, s *train.State) error {
		const every = 10
		if s.Iteration%every != 0 {
			return nil
		}
		got, err := t.learner.Predict(b)
		if err != nil {
			return fmt.Errorf("predict: %w", err)
		}
		best = append(best, min(best[len(best)-1], got.Loss))
		if got.Loss <= want/2 {
			s.Stop("the loss is reached")
		} else if n := len(best) - 1; o.Iterations == 0 && n >= 40 && best[n] > 0.9*best[n/2] && best[n] > want {
			s.Stop("the loss falls no more")
		}
		return nil
	}
	result, err := loop.Run(ctx)
	return start, result.Iterations, err
}

// explain looks for the cause of a loss that stays up.
func (o OverfitOneBatch) explain(ctx context.Context, t *trial, b train.Batch, seen *census, p *probe, want float64) error {
	v := record.Verdict{}
	if seen.positions > 0 && seen.simplex == seen.positions {
		v.Evidence = append(v.Evidence, "every output row lies between 0 and 1 and sums to 1: they are probabilities, not logits")
		v.Likely = append(v.Likely, "softmax is applied twice, once by the network and once by the loss")
		v.Try = append(v.Try, "end the network with the layer before its softmax")
	}
	if name, r := p.ratio(); name != "" {
		v.Evidence = append(v.Evidence, fmt.Sprintf("an update changes %q by %s of its size (healthy: about 0.001)", name, checks.Number(r)))
	}
	if !seen.differs && seen.rows > 1 {
		v.Evidence = append(v.Evidence, "after training, every row still gets the same output")
		v.Likely = append(v.Likely, "the inputs do not reach the output: a dead or detached layer")
	}
	if err := o.otherRates(ctx, t, b, want, &v); err != nil {
		return err
	}
	if still := p.still(t.learner); len(still) > 0 {
		cause := p.explainStill(t.learner, still)
		v.Evidence, v.Likely, v.Try = append(v.Evidence, cause.Evidence...), append(v.Likely, cause.Likely...), append(v.Try, cause.Try...)
	}
	if d := seen.inputs.deviation(); t.data.Tokens == 0 && (d > 10 || d < 0.01) {
		v.Evidence = append(v.Evidence, fmt.Sprintf("inputs have standard deviation %s", checks.Number(d)))
		v.Likely = append(v.Likely, "the inputs are not scaled")
		v.Try = append(v.Try, "standardise them, or divide pixels by 255")
	}
	if len(v.Likely) == 0 {
		v.Likely = append(v.Likely, "the network is too small, its gradient is wrong, or inputs and targets of the batch do not belong together")
		v.Try = append(v.Try, "look at the batch with decorators.BatchSaver")
	}
	t.find("loss-reaches-zero", v)
	t.find("rows-are-learned", v)
	t.find("loss-falls", v)
	return nil
}

// otherRates trains anew at other learning rates, to know whether the rate is
// the cause.
func (o OverfitOneBatch) otherRates(ctx context.Context, t *trial, b train.Batch, want float64, v *record.Verdict) error {
	rate := t.model.Optimizer.WithDefaults().LearningRate
	last, _ := t.scope.Step().Score(train.LossName, train.Training)
	for _, factor := range []float64{0.1, 0.01, 10} {
		m := t.model
		m.Optimizer.LearningRate = rate * factor
		other, err := newTrial(t.scope, "", m, t.data)
		if err != nil {
			return err
		}
		other.silent = true
		start, used, err := o.quietly().fit(ctx, other, b, want, nil)
		if err != nil {
			return err
		}
		p, err := other.learner.Predict(b)
		if err != nil {
			return fmt.Errorf("predict: %w", err)
		}
		if p.Loss <= want || p.Loss < min(last.Value, start)/5 {
			v.Evidence = append(v.Evidence, fmt.Sprintf("with learning rate %s in place of %s the loss falls to %s in %d iterations",
				checks.Number(rate*factor), checks.Number(rate), checks.Number(p.Loss), used))
			word := "high"
			if factor > 1 {
				word = "low"
			}
			v.Likely = slices.Insert(v.Likely, 0, "the learning rate is too "+word)
			v.Try = slices.Insert(v.Try, 0, fmt.Sprintf("Optimizer.LearningRate %s", checks.Number(rate*factor)))
			return nil
		}
	}
	v.Evidence = append(v.Evidence, fmt.Sprintf("learning rates %s, %s and %s do no better", checks.Number(rate/10), checks.Number(rate/100), checks.Number(rate*10)))
	return nil
}

// quietly is the step for experiments, which end sooner.
func (o OverfitOneBatch) quietly() OverfitOneBatch {
	if o.Iterations == 0 {
		o.Iterations = maxOne / 4
	}
	return o
}

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
		return passed("", "no classes")
	}
	v := checks.Hold(p.Value >= 0.999, "all", fmt.Sprintf("%.0f of %d", p.Value*float64(p.Rows), p.Rows))
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
