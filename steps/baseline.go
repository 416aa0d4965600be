package steps

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// EvaluateBaseline trains simple models and scores them on training and
// validation data. Later steps must do as well: Overfit and Regularize compare
// their validation score, the recipe's first metric or the loss, with the best of
// them.
//
// Default checks: baselines-have-scores.
type EvaluateBaseline struct {
	// Model is one baseline, such as baselines.Majority.
	Model train.Model
	// Models are more of them.
	Models []train.Model
	// Epochs to train each. Default 1, which is what package baselines needs.
	Epochs  int
	Options arttest.Options
}

// Lines by which the step tells later ones what it compared.
const (
	baselineLine = "baseline-metric"
	lowerLine    = "lower-is-better"
)

// Plan is the step's plan.
func (e EvaluateBaseline) Plan() arttest.Plan {
	var names []string
	for _, m := range e.models() {
		names = append(names, m.Name)
	}
	return arttest.Plan{
		Name: "evaluate-baseline", Model: strings.Join(names, ", "), Options: e.Options,
		Stages:   []string{train.Training, train.Validation},
		Settings: map[string]string{"models": strings.Join(names, ", "), "epochs": fmt.Sprint(max(e.Epochs, 1))},
		Checks:   []checks.Check{check("baselines-have-scores", "every baseline has a score", baselinesHaveScores)},
	}
}

func (e EvaluateBaseline) models() []train.Model {
	var models []train.Model
	if e.Model.Name != "" || e.Model.New != nil || len(e.Models) == 0 {
		models = append(models, e.Model)
	}
	return append(models, e.Models...)
}

// Run trains and scores the baselines one after the other.
func (e EvaluateBaseline) Run(ctx context.Context, s *arttest.Scope) error {
	metric, lower := train.LossName, true
	if m := s.Metrics(); len(m) > 0 {
		metric, lower = m[0].Name, m[0].LowerIsBetter
	}
	s.Emit(record.Event{Kind: record.Text, Name: baselineLine, Text: metric})
	s.Emit(record.Event{Kind: record.Text, Name: lowerLine, Text: fmt.Sprint(lower)})
	seen := map[string]bool{}
	for _, m := range e.models() {
		if seen[m.Name] {
			return fmt.Errorf("two baselines are named %q: give one another Model.Name", m.Name)
		}
		seen[m.Name] = true
		if err := e.evaluate(ctx, s, m); err != nil {
			return err
		}
	}
	return nil
}

func (e EvaluateBaseline) evaluate(ctx context.Context, s *arttest.Scope, m train.Model) error {
	t, err := newTrial(s, m.Name, m, s.Data())
	if err != nil {
		return err
	}
	t.bare = true
	if known, ok := t.learner.(interface{ Stated() []train.Score }); ok {
		for _, score := range known.Stated() {
			t.measure(train.Validation, score.Name, score.Value, score.Rows)
		}
		return nil
	}
	loop := t.loop(t.data.Training)
	loop.Epochs = max(e.Epochs, 1)
	result, err := loop.Run(ctx)
	if err != nil {
		return fmt.Errorf("baseline %q: %w", m.Name, err)
	}
	return t.finalScores(ctx, result)
}

// baselinesHaveScores fails when a baseline's score is NaN: nothing can be
// compared with that.
func baselinesHaveScores(s *record.StepRun) record.Verdict {
	metric := line(s, baselineLine)
	var bad []string
	n := 0
	for _, c := range s.Series {
		p, ok := c.Last()
		if !ok || !c.Whole || c.Name != metric {
			continue
		}
		if n++; !finite(p.Value) {
			bad = append(bad, fmt.Sprintf("%s on %s data", c.Model, c.Stage))
		}
	}
	v := checks.Hold(n > 0 && len(bad) == 0, "a number for each", fmt.Sprintf("%d scores", n))
	v.Trouble = fmt.Sprintf("%s is not a number for %s", metric, list(bad))
	if n == 0 {
		v.Trouble = "no baseline has a score of " + metric
	}
	v.Try = []string{"put a metric that fits the data first in Recipe.Metrics"}
	return v
}

// line is the last line that a step recorded under a name.
func line(s *record.StepRun, name string) string {
	text := ""
	for _, l := range s.Texts {
		if l.Name == name {
			text = l.Text
		}
	}
	return text
}

// baseline is a score to beat.
type baseline struct {
	name          string
	metric, stage string  // as recorded
	value, worst  float64 // of the best and of the worst baseline
	lower         bool    // lower is better
}

// margin is what the size of the validation set makes uncertain: three standard
// deviations of the difference of two shares of so many rows, or two of that of two mean
// squared errors (2·√2·√(2/rows) of their size for normal errors). A mean over
// classes is no better known than the rarest class lets it be: counted are the
// rows that it rests on, NaN if not known.
func (b baseline) margin(got record.Point, counted float64) float64 {
	rows := float64(max(got.Rows, 1))
	if b.lower || b.value < 0 || b.value > 1 {
		// A baseline without any error leaves no room for a network: 2 percent of what
		// lies between the best and the worst of them are always allowed.
		return 4/math.Sqrt(rows)*math.Abs(b.value) + 0.02*math.Abs(b.worst-b.value)
	}
	if b.metric != "accuracy" && b.stage != "" && finite(counted) {
		rows = min(rows, counted)
	}
	return marginOfShares(b.value, got.Value, rows)
}

// marginOfShares is three standard deviations of the difference of two shares
// of so many rows each.
func marginOfShares(p, q, rows float64) float64 {
	return significant * math.Sqrt2 * deviationOfShare((p+min(max(q, 0), 1))/2, int(rows))
}

// bestBaseline is the best validation score of all baselines in a run, with
// an empty name when there is none. It is in the first metric of the recipe; without one,
// in the share of right rows, or the loss of a regression.
func bestBaseline(r *record.Run) baseline {
	var best baseline
	for _, step := range r.Steps {
		b := baseline{metric: line(step, baselineLine), stage: train.Validation, lower: line(step, lowerLine) == "true"}
		if b.metric == "" {
			continue
		}
		if b.metric == train.LossName && slices.ContainsFunc(step.Series, func(c *record.Series) bool { return c.Name == share(rightName, train.Validation) }) {
			b.metric, b.stage, b.lower = share(rightName, train.Validation), "", false
		}
		for _, c := range step.Series {
			p, ok := c.Last()
			if !ok || !c.Whole || c.Stage != b.stage || c.Name != b.metric || !finite(p.Value) {
				continue
			}
			better := func(v, w float64) bool { return b.lower && v < w || !b.lower && v > w }
			worst := p.Value
			if best.name != "" && better(worst, best.worst) {
				worst = best.worst
			}
			if best.name == "" || better(p.Value, best.value) {
				best = b
				best.name, best.value = c.Model, p.Value
			}
			best.worst = worst
		}
	}
	return best
}

// tells reports that a baseline, by simple means, is right more often than guessing
// and chance explain, on training data and on validation data: the labels of both can be
// told from the inputs. One of the two is not enough: neighbours know their own rows,
// and what was learned of shuffled labels may be right elsewhere by luck.
func (b baseline) tells(s *record.StepRun) bool {
	if b.name == "" || b.metric != "accuracy" && b.metric != share(rightName, train.Validation) {
		return false
	}
	right, ok := s.Score(share(rightName, train.Validation), "")
	guess := value(s, share(guessName, train.Validation), "")
	known, rows := b.onTraining(s.Run())
	guessed := value(s, share(guessName, train.Training), "")
	return ok && b.value > guess+marginOfShares(b.value, guess, float64(right.Rows)) &&
		known > guessed+marginOfShares(known, guessed, float64(rows))
}

// onTraining is the score of the baseline on the data that it was trained on.
func (b baseline) onTraining(r *record.Run) (score float64, rows int) {
	name, stage := b.metric, train.Training
	if b.stage == "" { // shares have the stage in their name
		name, stage = share(rightName, train.Training), ""
	}
	for _, step := range r.Steps {
		for _, c := range step.Series {
			if p, ok := c.Last(); ok && c.Whole && c.Model == b.name && c.Name == name && c.Stage == stage {
				score, rows = p.Value, p.Rows
			}
		}
	}
	return score, rows
}

func (b baseline) evidence() string {
	return fmt.Sprintf("the baseline %s is right in %s of the validation rows: their labels can be told from the inputs", b.name, checks.Number(b.value))
}
