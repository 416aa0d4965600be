package steps

import (
	"context"
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// causes collects what is found out about a trouble. What is measured to be the
// cause goes before what is only likely.
type causes struct {
	record.Verdict
	sure int
}

func (c *causes) add(sure bool, evidence, likely, try string) {
	if evidence != "" {
		c.Evidence = append(c.Evidence, evidence)
	}
	at := len(c.Likely)
	if sure {
		at = c.sure
		c.sure++
	}
	if likely != "" {
		c.Likely, c.Try = slices.Insert(c.Likely, at, likely), slices.Insert(c.Try, min(at, len(c.Try)), try)
	}
}

// explain looks for the cause of a loss that stays up.
func (o OverfitOneBatch) explain(ctx context.Context, t *trial, b train.Batch, result train.Result, seen *census, p *probe, want float64) error {
	var c causes
	last, _ := t.scope.Step().Score(train.LossName, train.Training)
	if still := p.still(t.learner); len(still) > 0 {
		v := p.explainStill(t.learner, still)
		c.Evidence, c.Likely, c.Try, c.sure = v.Evidence, v.Likely, v.Try, len(v.Likely)
	}
	if v, squashed := squashed(t.model.Loss, seen); squashed {
		c.add(true, v.Evidence[0], v.Likely[0], v.Try[0])
	}
	if result.Loss <= want && last.Value > 3*result.Loss {
		c.add(true, fmt.Sprintf("in training mode the loss of the batch is %s, in inference mode %s", checks.Number(result.Loss), checks.Number(last.Value)),
			"inference does not use what training learned: running statistics of batch normalisation that lag or are never updated, dropout that stays on, or old weights",
			"compare the outputs of Forward and Predict on one batch; a larger momentum of the running statistics")
	} else if err := o.otherRates(ctx, t, b, want, p, &c); err != nil {
		return err
	}
	if clip := t.model.Optimizer.ClipNorm; clip > 0 && len(p.norms) > 0 && slices.Min(p.norms) > 10*clip {
		c.add(true, fmt.Sprintf("the gradient norm is never below %s", checks.Number(slices.Min(p.norms))),
			fmt.Sprintf("every gradient is clipped to a norm of %g: next to nothing is left of the updates", clip), "Optimizer.ClipNorm 1, or none")
	}
	if !seen.outputRows.differs && seen.rows > 1 {
		c.add(false, "after training, every row still gets the same output", "the inputs do not reach the output: a dead or detached layer", "look at the tensors with decorators.ActivationStats")
	}
	if d := seen.inputs.deviation(); t.data.Tokens == 0 && (d > 10 || d < 0.01) {
		c.add(false, fmt.Sprintf("inputs have standard deviation %s", checks.Number(d)), "the inputs are not scaled", "standardise them, or divide pixels by 255")
	}
	if c.sure == 0 {
		if err := t.suspectLabels(&c); err != nil {
			return err
		}
		c.add(false, "", "the network is too small, or its gradient is wrong", "more units; see what steps.CheckLossOnInit says of the gradients")
	}
	for _, check := range []string{"loss-reaches-zero", "rows-are-learned", "loss-falls"} {
		t.find(check, c.Verdict)
	}
	return nil
}

// otherRates trains anew at other learning rates, to know whether the rate is
// the cause. It tries those first that the size of the updates speaks for.
func (o OverfitOneBatch) otherRates(ctx context.Context, t *trial, b train.Batch, want float64, p *probe, c *causes) error {
	rate := t.model.Optimizer.WithDefaults().LearningRate
	last, _ := t.scope.Step().Score(train.LossName, train.Training)
	factors := []float64{0.1, 0.01, 10, 100}
	if r, ok := p.typical(); ok {
		c.add(false, fmt.Sprintf("an update changes most weights by %s of their size (healthy: 0.0001 … 0.03)", checks.Number(r)), "", "")
		if r < 1e-4 {
			factors = []float64{1000, 100, 10, 0.1}
		} else if r > 0.03 {
			factors = []float64{0.1, 0.01, 0.001, 10}
		}
	}
	for _, factor := range factors {
		m := t.model
		m.Optimizer.LearningRate = rate * factor
		other, err := newTrial(t.scope, "", m, t.data)
		if err != nil {
			return err
		}
		other.silent, other.enough = true, t.enough
		start, result, err := o.quietly().fit(ctx, other, b, want, nil)
		if err != nil {
			return err
		}
		p, err := other.learner.Predict(b)
		if err != nil {
			return fmt.Errorf("predict: %w", err)
		}
		if p.Loss <= want || p.Loss < min(last.Value, start)/5 || !finite(last.Value) && p.Loss < start/2 {
			word := map[bool]string{true: "low", false: "high"}[factor > 1]
			c.add(true, fmt.Sprintf("with learning rate %s in place of %s the loss falls to %s in %d iterations",
				checks.Number(rate*factor), checks.Number(rate), checks.Number(p.Loss), result.Iterations),
				"the learning rate is too "+word, fmt.Sprintf("Optimizer.LearningRate %s", checks.Number(rate*factor)))
			return nil
		}
	}
	c.add(false, fmt.Sprintf("%d other learning rates from %s to %s do no better", len(factors), checks.Number(rate*slices.Min(factors)), checks.Number(rate*slices.Max(factors))), "", "")
	return nil
}

// quietly is the step for experiments, which end sooner.
func (o OverfitOneBatch) quietly() OverfitOneBatch {
	if o.Iterations == 0 {
		o.Iterations = maxOne / 4
	}
	return o
}

// worseName counts metrics that are worse after a batch was learned by heart.
const worseName = "metrics-worse"

// metricsOn are the recipe's metrics on a batch.
func (t *trial) metricsOn(ctx context.Context, b train.Batch) ([]train.Score, error) {
	scores, err := train.Evaluate(ctx, t.learner, train.Repeat(b), train.Pass{}, t.data.Classes, t.scope.Metrics()...)
	if err != nil {
		return nil, fmt.Errorf("scoring model %q: %w", t.model.Name, err)
	}
	return scores[1:], nil
}

// compareMetrics finds metrics that got worse while the loss got better.
func (t *trial) compareMetrics(ctx context.Context, b train.Batch, before []train.Score) error {
	after, err := t.metricsOn(ctx, b)
	if err != nil {
		return err
	}
	var v record.Verdict
	for i, m := range t.scope.Metrics() {
		rise := after[i].Value - before[i].Value
		if m.LowerIsBetter {
			rise = -rise
		}
		if rise < -0.05 {
			v.Evidence = append(v.Evidence, fmt.Sprintf("metric %q went from %s to %s", m.Name, checks.Number(before[i].Value), checks.Number(after[i].Value)))
		}
	}
	t.measure("", worseName, float64(len(v.Evidence)), b.Len())
	if len(v.Evidence) > 0 {
		v.Likely = []string{"the metric is computed wrongly: the smallest output taken for the largest, or LowerIsBetter is set wrongly"}
		v.Try = []string{"use the one of package metrics"}
		t.find("metrics-improve", v)
	}
	return nil
}

func metricsImprove(s *record.StepRun) record.Verdict {
	got, want := value(s, train.LossName, train.Training), value(s, targetName, "")
	worse, ok := s.Score(worseName, "")
	if !ok || !(got <= want) {
		return without("the batch is not learned")
	}
	v := checks.Hold(worse.Value == 0, "none worse", fmt.Sprintf("%.0f worse", worse.Value))
	v.Trouble = "a metric got worse while the network learned the batch by heart"
	return v
}

// blameWeights says what class weights do: a loss that hardly counts a class is small
// while all rows of that class are wrong.
func (t *trial) blameWeights() {
	w := t.model.Loss.ClassWeights
	if len(w) < 2 || len(w) != len(t.data.Classes) || slices.Max(w) < 5*slices.Min(w) {
		return
	}
	least, most := slices.Index(w, slices.Min(w)), slices.Index(w, slices.Max(w))
	t.find("rows-are-learned", record.Verdict{
		Evidence: []string{fmt.Sprintf("in the loss a row of class %q weighs %g, one of %q %g", t.data.Classes[least], w[least], t.data.Classes[most], w[most])},
		Likely:   []string{fmt.Sprintf("the loss hardly counts class %q: the class weights are in the wrong order, or too uneven", t.data.Classes[least])},
		Try:      []string{"train.Loss.ClassWeights in the order of Data.Classes, larger for rarer classes"},
	})
}
