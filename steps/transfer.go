package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// TransferLearning takes a network trained on one task to another, the recipe's
// data, in two phases: first with everything but the head frozen, then with
// everything free and a lower learning rate.
//
// Default checks: loss-stays-finite, frozen-is-unchanged, weights-survive,
// weights-are-trained, source-is-learned, rate-drops, network-adapts, beats-guessing.
type TransferLearning struct {
	Model train.Model
	// Source is the first task, which the step trains on, for SourceEpochs
	// (default 20).
	Source       train.Data
	SourceEpochs int
	// Weights, in place of Source, gives parameters trained before. Those of the
	// head are not used.
	Weights func() ([]train.Named, error)
	// Head names the layers that start afresh on the second task and are never
	// frozen: a parameter belongs to one if its name begins with it and a slash.
	// Default: the layer of the last parameter.
	Head []string
	// Epochs of the first phase (default 10), and of the second (default 10).
	Epochs, FineTuneEpochs int
	// Rate is the learning rate of the second phase over that of the first, in
	// (0, 1). Default 0.1.
	Rate    float64
	Options arttest.Options
}

// Trials of the step.
const (
	sourceTrial = "source task"
	frozenTrial = "frozen"
	tunedTrial  = "fine-tuned"
)

// Names of what the step measures.
const (
	thawedName  = "frozen-parameters-moved"
	lostName    = "weights-lost"
	adaptedName = "backbone-moved"
)

// Plan is the step's plan.
func (l TransferLearning) Plan() arttest.Plan {
	return arttest.Plan{
		Name: "transfer-learning", Model: l.Model.Name, Options: l.Options, Stages: []string{train.Training, train.Validation},
		Settings: settings(l.Model, "source", l.Source.Name, "source-epochs", fmt.Sprint(or(l.SourceEpochs, 20)), "epochs", fmt.Sprint(or(l.Epochs, 10)),
			"fine-tune-epochs", fmt.Sprint(or(l.FineTuneEpochs, 10)), "rate", fmt.Sprint(l.rate()), "head", strings.Join(l.Head, ", ")),
		Inputs: l.given,
		Checks: []checks.Check{
			check("loss-stays-finite", "loss stays finite", lossStaysFinite),
			check("frozen-is-unchanged", "frozen layers keep every bit", none(thawedName, "a frozen parameter changed in the first phase")),
			check("weights-survive", "the second phase starts where the first ended", none(lostName, "the second phase does not start with the weights of the first")),
			check("weights-are-trained", "what is transferred was trained", weightsTrained),
			check("source-is-learned", "the first task is learned", sourceLearned),
			check("rate-drops", "the second phase has a lower learning rate", rateDrops),
			check("network-adapts", "the second phase moves the layers that were frozen", adapts),
			check("beats-guessing", "training teaches something about validation", beatsGuessing),
		},
	}
}

func or(n, fallback int) int {
	if n == 0 {
		return fallback
	}
	return n
}

func (l TransferLearning) rate() float64 {
	if l.Rate == 0 {
		return 0.1
	}
	return l.Rate
}

func (l TransferLearning) check() error {
	switch {
	case l.Weights == nil && l.Source.Training == nil:
		return errors.New("there is nothing to transfer: set Source to the data of the first task, or Weights")
	case l.rate() <= 0 || l.rate() >= 1:
		return fmt.Errorf("the Rate %v is outside (0, 1)", l.Rate)
	}
	return nil
}

// given writes the weights that the step is given, for what they depend on is not
// seen.
func (l TransferLearning) given(w io.Writer) error {
	if l.Weights == nil {
		return nil
	}
	named, err := l.Weights()
	if err != nil {
		return err
	}
	for _, n := range named {
		if _, err := fmt.Fprintf(w, "%q %v %x\n", n.Name, n.Shape, n.Data); err != nil {
			return err
		}
	}
	return nil
}

// Run trains on the first task, then in two phases on the second.
func (l TransferLearning) Run(ctx context.Context, s *arttest.Scope) error {
	if err := l.check(); err != nil {
		return err
	}
	weights, err := l.weights(ctx, s)
	if err != nil {
		return err
	}
	t, err := newTrial(s, frozenTrial, l.Model, s.Data())
	if err != nil {
		return err
	}
	head := l.head(t.learner)
	isHead := func(param string) bool {
		return slices.ContainsFunc(head, func(h string) bool { return param == h || strings.HasPrefix(param, h+"/") })
	}
	t.measure("", untrainedName, number(untrained(t.learner, weights, isHead)), 0)
	if err := load(t.learner, weights, isHead); err != nil {
		return err
	}
	end, err := l.frozen(ctx, t, isHead)
	if err != nil {
		return err
	}
	return l.tuned(ctx, t, end, isHead)
}

// weights are those given, or of the model trained on the first task.
func (l TransferLearning) weights(ctx context.Context, s *arttest.Scope) ([]train.Named, error) {
	if l.Weights != nil {
		return l.Weights()
	}
	d := l.Source
	if d.BatchSize == 0 {
		d.BatchSize = s.Data().BatchSize
	}
	if s.Dry() {
		for _, src := range []*train.Source{&d.Training, &d.Validation, &d.Test} {
			if *src != nil {
				*src = train.Limit(*src, 1)
			}
		}
	}
	t, err := newTrial(s, sourceTrial, l.Model, d)
	if err != nil {
		return nil, err
	}
	loop := t.loop(d.Training)
	loop.Epochs = or(l.SourceEpochs, 20)
	result, err := t.run(ctx, loop)
	if err != nil {
		return nil, fmt.Errorf("source task: %w", err)
	}
	if err := t.finalScores(ctx, result); err != nil {
		return nil, err
	}
	if p, ok := s.Step().Score(share(followsName, train.Validation), ""); ok {
		fit := value(s.Step(), share(fitName, train.Validation), "") / value(s.Step(), share(fitName, train.Training), "")
		t.measure("", sourceName, number(p.Value >= significant && fit >= leastTransfer), p.Rows)
	}
	var named []train.Named
	for _, p := range t.learner.Params() {
		named = append(named, train.Named{Name: p.Name, Tensor: train.Tensor{Shape: p.Shape, Data: slices.Clone(p.Value)}})
	}
	return named, nil
}

func (l TransferLearning) head(learner train.Learner) []string {
	if l.Head != nil {
		return l.Head
	}
	params := learner.Params()
	for i := len(params) - 1; i >= 0; i-- {
		if params[i].Grad != nil {
			layer, _, _ := strings.Cut(params[i].Name, "/")
			return []string{layer}
		}
	}
	return nil
}

// load copies weights into the learner, all but those of the head.
func load(l train.Learner, weights []train.Named, isHead func(string) bool) error {
	have := map[string]train.Named{}
	for _, w := range weights {
		have[w.Name] = w
	}
	copied := 0
	for _, p := range l.Params() {
		w, ok := have[p.Name]
		switch {
		case isHead(p.Name):
			continue
		case !ok:
			return fmt.Errorf("the weights to transfer have no %q; name its layer in Head if it is new", p.Name)
		case !slices.Equal(w.Shape, p.Shape):
			return fmt.Errorf("parameter %q has shape %v in the weights to transfer, %v in the model; name its layer in Head if it is new", p.Name, w.Shape, p.Shape)
		}
		copy(p.Value, w.Data)
		copied++
	}
	if copied == 0 {
		return errors.New("every parameter belongs to the head: nothing is transferred; set Head to the last layers only")
	}
	return nil
}

// frozen is the first phase. It returns the parameters at its end.
func (l TransferLearning) frozen(ctx context.Context, t *trial, isHead func(string) bool) (map[string][]float32, error) {
	f, ok := t.learner.(train.Freezer)
	if !ok {
		return nil, fmt.Errorf("model %q cannot be frozen: its learner is no train.Freezer", l.Model.Name)
	}
	if err := f.Freeze(func(p string) bool { return !isHead(p) }); err != nil {
		return nil, fmt.Errorf("freezing: %w", err)
	}
	before := copyParams(t.learner)
	loop := t.loop(t.data.Training)
	loop.Epochs = or(l.Epochs, 10)
	result, err := t.train(ctx, loop)
	if err != nil {
		return nil, fmt.Errorf("first phase: %w", err)
	}
	thawed := slices.DeleteFunc(moved(before, t.learner), isHead)
	t.measure("", thawedName, float64(len(thawed)), 0)
	if len(thawed) > 0 {
		t.find("frozen-is-unchanged", record.Verdict{
			Evidence: []string{"changed while frozen: " + list(thawed)},
			Likely:   []string{"weight decay, momentum or running statistics act on frozen layers"},
			Try:      []string{"a learner whose Freeze covers statistics and optimizer too"},
		})
	}
	return copyParams(t.learner), t.finalScores(ctx, result)
}

// tuned is the second phase, which starts where the first ended.
func (l TransferLearning) tuned(ctx context.Context, t *trial, end map[string][]float32, isHead func(string) bool) error {
	if err := t.learner.(train.Freezer).Freeze(func(string) bool { return false }); err != nil {
		return fmt.Errorf("unfreezing: %w", err)
	}
	lost := moved(end, t.learner)
	t.name = tunedTrial
	t.model.Optimizer.LearningRate = t.model.Optimizer.WithDefaults().LearningRate * l.rate()
	t.measure("", lostName, float64(len(lost)), 0)
	if len(lost) > 0 {
		t.find("weights-survive", record.Verdict{Evidence: []string{"changed between the phases: " + list(lost)}})
	}
	loop := t.loop(t.data.Training)
	loop.Epochs = or(l.FineTuneEpochs, 10)
	loop.Pass.Seed = train.Derive(loop.Pass.Seed, tunedTrial)
	result, err := t.train(ctx, loop)
	if err != nil {
		return fmt.Errorf("second phase: %w", err)
	}
	adapted := slices.DeleteFunc(moved(end, t.learner), isHead)
	t.measure("", adaptedName, float64(len(adapted)), 0)
	return t.finalScores(ctx, result)
}

// none is a check that a count is zero.
func none(name, trouble string) func(*record.StepRun) record.Verdict {
	return func(s *record.StepRun) record.Verdict {
		p, ok := s.Score(name, "")
		if !ok {
			return unmeasured(name)
		}
		v := checks.Hold(p.Value == 0, "none changed", fmt.Sprintf("%.0f changed", p.Value))
		v.Trouble = trouble
		return v
	}
}

// rateDrops reads the learning rates that the updates really had.
func rateDrops(s *record.StepRun) record.Verdict {
	rates := map[string]float64{}
	for _, c := range s.Series {
		if c.Name == "learning-rate" && len(c.Points) > 0 {
			rates[c.Trial] = c.Points[0].Value
		}
	}
	first, second := rates[frozenTrial], rates[tunedTrial]
	v := checks.Hold(second > 0 && second < first, "below "+checks.Number(first), checks.Number(second))
	v.Trouble = fmt.Sprintf("the updates of the second phase have learning rate %s, those of the first %s", checks.Number(second), checks.Number(first))
	return v
}

func adapts(s *record.StepRun) record.Verdict {
	p, ok := s.Score(adaptedName, "")
	if !ok {
		return unmeasured(adaptedName)
	}
	v := checks.Hold(p.Value > 0, "some parameters change", fmt.Sprintf("%.0f changed", p.Value))
	v.Trouble = "the second phase changed no layer that was frozen in the first"
	v.Likely = []string{"the layers were not unfrozen"}
	return v
}
