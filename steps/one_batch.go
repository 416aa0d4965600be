package steps

import (
	"context"
	"fmt"
	"math"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/train"
)

// OverfitOneBatch trains on one batch until its rows are known by heart. A
// network that cannot do this has a bug: in its layers, its loss, its gradients
// or its optimizer. Weight decay and schedules are off; dropout is on in
// training, and the loss is judged in inference mode.
//
// Default checks: loss-stays-finite, loss-reaches-zero, rows-are-learned,
// loss-falls, loss-does-not-jump, first-update-is-small, inference-follows,
// metrics-improve, nonlinear-between-layers, every-layer-learns.
//
// When the loss does not get there, the step trains again with a tenth, a
// hundredth and ten times the learning rate, to say whether that was the cause.
type OverfitOneBatch struct {
	Model train.Model
	// Rows of the batch. Default 16. Where all are of one class, as they mostly are
	// when the other is rare, a quarter is replaced by rows of other classes.
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
			check("loss-does-not-jump", "the first updates do not throw the loss up", lossDoesNotJump),
			check("first-update-is-small", "the first update changes weights by little", firstUpdateSmall),
			check("inference-follows", "inference uses what training learned", modesStayAlike),
			check("metrics-improve", "metrics get no worse by it", metricsImprove),
			check("nonlinear-between-layers", "the network is more than an affine map", notAffine),
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
	t.enough = (want + floor + smoothingFloor(t.model.Loss, len(t.data.Classes))) / 2
	t.measure("", targetName, want, batch.Len())
	p := watch(t.learner)
	before, err := t.metricsOn(ctx, batch)
	if err != nil {
		return err
	}
	alike, err := t.modesAlike(batch)
	if err != nil {
		return err
	}
	start, result, err := o.fit(ctx, t, batch, want, p)
	if err != nil {
		return err
	}
	reached := result.Iterations
	t.measure("", startName, start, batch.Len())
	seen := &census{loss: t.model.Loss}
	if _, err := t.score(ctx, train.Training, train.Repeat(batch), reached, 0, seen.metric()); err != nil {
		return err
	}
	t.measure("", usedName, float64(reached), 0)
	if seen.positions > 0 {
		t.measure("", learnedName, float64(seen.right+conflicts)/float64(seen.positions), seen.positions)
	}
	if alike {
		if err := t.compareModes(batch); err != nil {
			return err
		}
	}
	if err := t.compareMetrics(ctx, batch, before); err != nil {
		return err
	}
	t.conclude(p)
	if err := t.probeBend(batch); err != nil {
		return err
	}
	if err := t.saveTraining(); err != nil {
		return err
	}
	t.blameWeights()
	last, _ := s.Step().Score(train.LossName, train.Training)
	if s.Dry() || last.Value <= want {
		return nil
	}
	return o.explain(ctx, t, batch, result, seen, p, want)
}

// batch is the first one of a shuffled pass, cut to the rows wanted.
func (o OverfitOneBatch) batch(t *trial) (train.Batch, error) {
	p := t.pass()
	p.BatchSize = o.rows()
	b, err := train.First(t.data.Training, p)
	if err == nil {
		b = b.Slice(0, min(b.Len(), o.rows()))
		if t.model.Loss.Classifies() && ofOneClass(b) {
			err = mixIn(b, t.data.Training, p)
		}
	}
	if err != nil {
		return b, fmt.Errorf("data %q: %w", t.data.Name, err)
	}
	return b, nil
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
		return smoothingFloor(loss, len(t.data.Classes)) + share*math.Log(k)
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

// smoothingFloor is the entropy of a smoothed target, below which no loss can fall.
func smoothingFloor(l train.Loss, classes int) float64 {
	e, k := l.Smoothing, float64(max(classes, 2))
	if e == 0 || l.Kind != train.CrossEntropy {
		return 0
	}
	on, off := 1-e+e/k, e/k
	return -on*math.Log(on) - (k-1)*off*math.Log(off)
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
// It returns the loss at the start and how the loop ended.
func (o OverfitOneBatch) fit(ctx context.Context, t *trial, b train.Batch, want float64, p *probe) (start float64, result train.Result, err error) {
	first, err := t.learner.Predict(b)
	if err != nil {
		return 0, result, fmt.Errorf("predict: %w", err)
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
		if got.Loss <= t.enough {
			s.Stop("the loss is reached")
		} else if n := len(best) - 1; o.Iterations == 0 && n >= 40 && best[n] > 0.9*best[n/2] && best[n] > want {
			s.Stop("the loss falls no more")
		}
		return nil
	}
	remembered := []any{&best}
	if p != nil {
		remembered = append(remembered, p)
	}
	result, err = t.run(ctx, loop, remembered...)
	return start, result, err
}
