package steps

import (
	"context"
	"fmt"
	"math"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// Regularize trades training score for validation score. It trains variants of
// the model in order until one passes all checks of the step; the verdicts are
// those of the last variant trained, which is the one that passed, or the last.
//
// Default checks: loss-stays-finite, loss-falls, gap-is-small, beats-baselines,
// beats-guessing, still-fits, not-worse-than-overfit, schedule-lasts. The target is yours:
// checks.AtLeast("accuracy", train.Validation, 0.93).
type Regularize struct {
	Model train.Model
	// Epochs to train each variant. Default 20.
	Epochs int
	// WeightDecay, Dropout and Augment are the first variant, together, when any is
	// set; 0 leaves the model's own.
	WeightDecay, Dropout float64
	Augment              bool
	// Patience stops a variant when the validation loss has not improved for so
	// many epochs, and puts the best weights back. 0 trains to the end.
	Patience int
	// Variants are tried after it. With none at all, the model's own settings are
	// the only variant.
	Variants []Variant
	// Gap is the largest difference between training and validation score that
	// passes, in the recipe's first metric if that is a share. Default 0.1, and
	// twice the deviation that the number of validation rows makes.
	Gap     float64
	Options arttest.Options
}

// Variant is one way to regularise. Fields at zero leave the model's own.
type Variant struct {
	// Name of the trial. Default: made of the settings.
	Name string
	// WeightDecay of the optimizer.
	WeightDecay float64
	// Dropout replaces the rate of every dropout layer.
	Dropout float64
	// Augment trains on random variants of the inputs, where the data has any.
	Augment bool
	// LabelSmoothing of a cross-entropy loss.
	LabelSmoothing float64
	// Patience is that of Regularize.
	Patience int
	// Training replaces the training data: more of it.
	Training train.Source
	// Change makes any other change to the model.
	Change func(train.Model) train.Model
}

func (v Variant) name() string {
	if v.Name != "" {
		return v.Name
	}
	name := ""
	add := func(set bool, text string) {
		if set {
			if name != "" {
				name += ", "
			}
			name += text
		}
	}
	add(v.WeightDecay != 0, fmt.Sprintf("weight decay %g", v.WeightDecay))
	add(v.Dropout != 0, fmt.Sprintf("dropout %g", v.Dropout))
	add(v.Augment, "augmented")
	add(v.LabelSmoothing != 0, fmt.Sprintf("smoothing %g", v.LabelSmoothing))
	add(v.Training != nil, "more data")
	add(v.Change != nil, "changed model")
	add(v.Patience != 0, fmt.Sprintf("patience %d", v.Patience))
	if name == "" {
		return "as it is"
	}
	return name
}

func (v Variant) model(m train.Model) train.Model {
	if v.WeightDecay != 0 {
		m.Optimizer.WeightDecay = v.WeightDecay
	}
	if v.Dropout != 0 {
		m.Dropout = v.Dropout
	}
	if v.LabelSmoothing != 0 {
		m.Loss.Smoothing = v.LabelSmoothing
	}
	if v.Change != nil {
		m = v.Change(m)
	}
	return m
}

func (r Regularize) variants() []Variant {
	first := Variant{WeightDecay: r.WeightDecay, Dropout: r.Dropout, Augment: r.Augment, Patience: r.Patience}
	var all []Variant
	if r.WeightDecay != 0 || r.Dropout != 0 || r.Augment || len(r.Variants) == 0 {
		all = append(all, first)
	}
	for _, v := range r.Variants {
		if v.Patience == 0 {
			v.Patience = r.Patience
		}
		all = append(all, v)
	}
	return all
}

// Plan is the step's plan.
func (r Regularize) Plan() arttest.Plan {
	more := []string{"epochs", fmt.Sprint(r.epochs())}
	for i, v := range r.variants() {
		more = append(more, fmt.Sprintf("variant-%d", i+1), v.name())
	}
	return arttest.Plan{
		Name: "regularize", Model: r.Model.Name, Options: r.Options, Stages: []string{train.Training, train.Validation},
		Settings: settings(r.Model, more...),
		Checks: []checks.Check{
			check("loss-stays-finite", "loss stays finite", lossStaysFinite),
			check("loss-falls", "loss falls", lossFalls),
			check("gap-is-small", "training and validation score are close", r.gap),
			check("beats-baselines", "better than the baselines", beatsBaselines),
			check("beats-guessing", "training teaches something about validation", beatsGuessing),
			check("still-fits", "training data is still learned", stillFits),
			check("not-worse-than-overfit", "validation no worse than without", notWorseThanOverfit),
			check("schedule-lasts", "the learning rate lasts", scheduleLasts),
		},
	}
}

func (r Regularize) epochs() int {
	if r.Epochs == 0 {
		return 20
	}
	return r.Epochs
}

// Run trains the variants until one passes.
func (r Regularize) Run(ctx context.Context, s *arttest.Scope) error {
	if _, err := s.Data().Stage(train.Validation); err != nil {
		return err
	}
	variants := r.variants()
	seen := map[string]bool{}
	for i, v := range variants {
		name := v.name()
		if seen[name] {
			return fmt.Errorf("two variants are named %q: set Variant.Name", name)
		}
		seen[name] = true
		s.Logf("variant %d of %d: %s", i+1, len(variants), name)
		if err := s.Once(ctx, r.part(v), func() error { return r.try(ctx, s, v) }); err != nil {
			return fmt.Errorf("variant %q: %w", name, err)
		}
		if s.Dry() || s.Passes() {
			break
		}
	}
	return nil
}

// part is what a variant depends on, and not on the others.
func (r Regularize) part(v Variant) arttest.Part {
	m := v.model(r.Model)
	return arttest.Part{
		Name: v.name(), Model: m, Values: []any{v, r.Model},
		Settings: settings(m, "epochs", fmt.Sprint(r.epochs()), "augment", fmt.Sprint(v.Augment), "patience", fmt.Sprint(v.Patience)),
	}
}

func (r Regularize) try(ctx context.Context, s *arttest.Scope, v Variant) error {
	d := s.Data()
	if v.Training != nil && !s.Dry() {
		d.Training = v.Training
	}
	t, err := newTrial(s, v.name(), v.model(r.Model), d)
	if err != nil {
		return err
	}
	loop := t.loop(t.data.Training)
	loop.Epochs, loop.Pass.Augment = r.epochs(), v.Augment
	var result train.Result
	if v.Patience > 0 {
		result, err = t.trainEarly(ctx, loop, v.Patience)
	} else {
		result, err = t.train(ctx, loop)
	}
	if err != nil {
		return err
	}
	if err := t.finalScores(ctx, result); err != nil {
		return err
	}
	return t.explainStrength(ctx, v)
}

// trainEarly stops when the validation loss has not improved for so many epochs,
// and puts the best weights back.
func (t *trial) trainEarly(ctx context.Context, loop *train.Loop, patience int) (train.Result, error) {
	early := struct { // so far; exported for the checkpoint
		Best  float64
		Since int
		Kept  map[string][]float32
	}{Best: math.Inf(1)}
	loop.AfterEpoch = func(ctx context.Context, s *train.State) error {
		loss, err := t.score(ctx, train.Validation, t.data.Validation, s.Iteration, s.Epoch)
		if err != nil {
			return err
		}
		if loss < early.Best {
			early.Best, early.Since, early.Kept = loss, 0, copyParams(t.learner)
			return nil
		}
		if early.Since++; early.Since >= patience {
			s.Stop(fmt.Sprintf("the validation loss has not improved for %d epochs", patience))
		}
		return nil
	}
	result, err := t.run(ctx, loop, &early)
	t.measureSchedule(loop, result)
	if early.Kept != nil {
		restore(t.learner, early.Kept)
	}
	if err == nil && result.Stopped != "" {
		t.scope.Logf("stopped after %d epochs: %s; the best weights are back", result.Epochs, result.Stopped)
	}
	return result, err
}

// gap compares training and validation in the first metric that is a share, or
// the share of right rows.
func (r Regularize) gap(s *record.StepRun) record.Verdict {
	a, okA := s.Score(share(rightName, train.Training), "")
	b, okB := s.Score(share(rightName, train.Validation), "")
	if !okA || !okB {
		return lossGap(s)
	}
	limit := r.Gap
	if limit == 0 {
		limit = 0.1
	}
	limit += 2 * deviationOfShare(a.Value, b.Rows)
	v := checks.Hold(a.Value-b.Value <= limit, "≤ "+checks.Number(limit), checks.Number(a.Value-b.Value))
	v.Trouble = fmt.Sprintf("of the training rows %s are right, of the validation rows only %s", checks.Number(a.Value), checks.Number(b.Value))
	v.Likely = []string{"the network still learns the training data by heart"}
	v.Try = []string{"more data, augmentation, dropout, more weight decay, early stopping (Patience), or a smaller network: add them as Variants"}
	return v
}

// lossGap is the gap of a regression: the validation loss is not a multiple of
// the training loss, unless both are small beside the variance of the targets.
func lossGap(s *record.StepRun) record.Verdict {
	a, b, spread := value(s, train.LossName, train.Training), value(s, train.LossName, train.Validation), value(s, share(spreadErr, train.Validation), "")
	limit := 3 * a
	if finite(spread) {
		limit = max(limit, a+0.2*spread)
	}
	v := checks.Hold(b <= limit, "validation loss ≤ "+checks.Number(limit), checks.Number(b))
	v.Trouble = fmt.Sprintf("the validation loss is %s, the training loss %s", checks.Number(b), checks.Number(a))
	v.Likely = []string{"the network learns the training data by heart"}
	v.Try = []string{"more data, augmentation, dropout, more weight decay, early stopping (Patience), or a smaller network: add them as Variants"}
	return v
}
