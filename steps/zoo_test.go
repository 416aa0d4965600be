package steps_test

import (
	"flag"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// problem is a data set in memory, so that a bug can be planted in any row.
type problem struct {
	training, validation train.Batch
	classes              []string
	tokens, batchSize    int
	augment              func(seed uint64, b train.Batch) train.Batch // of a batch of training rows; nil for none
	inOrder              bool                                         // shuffling is forgotten
	spoil                func(train.Pass, train.Batch) train.Batch    // what the source of training makes of each batch; nil for nothing
}

// specimen is a recipe of the zoo: the default steps with their default checks
// and one target.
type specimen struct {
	name      string
	kind      string // "dense", "pictures", "tokens" or "values"
	problem   func(seed uint64) problem
	build     func(nn.Node) nn.Node // of a model of nn, so that a bug can be built in
	model     train.Model
	metric    train.Metric
	baselines []train.Model
	epochs    int
	target    float64 // of the metric on training data, in Overfit
	goal      float64 // of the metric on validation data, in the last step
	nonlinear bool    // a line cannot solve it
	long      bool    // takes more than half a second

	regularize steps.Regularize        // its model and epochs are filled in
	transfer   *steps.TransferLearning // in its place; its model and source are filled in
	source     func(seed uint64) problem
}

func (p problem) data(name string) train.Data {
	rows := traintest.Rows(p.training)
	d := train.Data{Name: name, Classes: p.classes, Tokens: p.tokens, BatchSize: p.batchSize}
	d.Training = func(pass train.Pass) iter.Seq2[train.Batch, error] {
		return func(yield func(train.Batch, error) bool) {
			pass.Shuffle = pass.Shuffle && !p.inOrder
			n := 0
			for b, err := range rows(pass) {
				if err == nil && pass.Augment && p.augment != nil {
					b = p.augment(train.DeriveN(train.DeriveN(pass.Seed, "augment", pass.Epoch), "batch", n), b)
				}
				if err == nil && p.spoil != nil {
					b = p.spoil(pass, b)
				}
				if n++; !yield(b, err) {
					return
				}
			}
		}
	}
	d.Sizes = map[string]int{train.Training: p.training.Len()}
	if p.validation.Len() > 0 {
		d.Validation = traintest.Rows(p.validation)
		d.Sizes[train.Validation] = p.validation.Len()
	}
	return d
}

// outcome is what a recipe recorded.
type outcome struct{ record.Run }

// verdicts are those of a mark, with their names as "step/check".
func (o *outcome) verdicts(mark record.Mark) (names []string, all []record.Verdict) {
	for _, s := range o.Steps {
		for _, v := range s.Verdicts {
			if v.Mark == mark {
				names, all = append(names, s.Name+"/"+v.Check), append(all, v)
			}
		}
		if s.Outcome == record.Broken && mark == record.Fail {
			names, all = append(names, s.Name+"/error"), append(all, record.Verdict{Trouble: s.Reason})
		}
	}
	return names, all
}

// shorten keeps what verdicts needs: the curves of a thousand runs fill the memory.
func (o *outcome) shorten() {
	kept := record.Run{Outcome: o.Outcome}
	for _, s := range o.Steps {
		kept.Steps = append(kept.Steps, &record.StepRun{Name: s.Name, Outcome: s.Outcome, Reason: s.Reason, Verdicts: s.Verdicts})
	}
	o.Run = kept
}

// words is all that verdicts say about the trouble, in lower case.
func words(all []record.Verdict) string {
	var b strings.Builder
	for _, v := range all {
		lines := slices.Concat([]string{v.Trouble}, v.Evidence, v.Likely)
		fmt.Fprintln(&b, strings.Join(lines, "\n"))
	}
	return strings.ToLower(b.String())
}

// recipe runs the steps.
func (s specimen) recipe(t *testing.T, seed uint64, sink record.Sink) {
	r := arttest.New(t, arttest.Recipe{
		Name: s.name, Data: s.problem(seed).data(s.name), Metrics: []train.Metric{s.metric}, Seed: seed, Loggers: []record.Sink{sink},
	})
	once := arttest.Options{Fresh: true} // no fingerprints
	arttest.Step(r, steps.ExploreData{Options: once})
	arttest.Step(r, steps.EvaluateBaseline{Models: s.baselines, Options: once})
	arttest.Step(r, steps.CheckLossOnInit{Model: s.model, Options: once})
	arttest.Step(r, steps.OverfitOneBatch{Model: s.model, Options: once})
	arttest.Step(r, steps.Overfit{Model: s.model, Epochs: s.epochs, Options: once}, s.check(train.Training, s.target))
	if s.transfer != nil {
		l := *s.transfer
		l.Model, l.Options = s.model, once
		if l.Weights == nil {
			l.Source = s.source(seed).data(s.name + " source")
		}
		arttest.Step(r, l, s.check(train.Validation, s.goal))
		return
	}
	g := s.regularize
	g.Model, g.Epochs, g.Options = s.model, s.epochs, once
	arttest.Step(r, g, s.check(train.Validation, s.goal))
}

func (s specimen) check(stage string, value float64) checks.Check {
	if s.metric.LowerIsBetter {
		return checks.AtMost(s.metric.Name, stage, value)
	}
	return checks.AtLeast(s.metric.Name, stage, value)
}

// experiment is a recipe to run with a seed, and what came of it.
type experiment struct {
	specimen
	seed uint64
	outcome
}

// runAll runs recipes in parallel, as tests of their own whose failures are not
// those of t.
func runAll(t *testing.T, all []*experiment) {
	t.Helper()
	var tests []testing.InternalTest
	for i, e := range all {
		tests = append(tests, testing.InternalTest{Name: fmt.Sprint("zoo", i), F: func(t *testing.T) {
			t.Parallel()
			t.Cleanup(e.shorten)
			e.recipe(t, e.seed, &e.outcome.Run)
		}})
	}
	apart(t, tests)
}

// apart runs tests inside of t, with their output hidden from whoever reads that
// of t, and judging what they measure even under -short.
func apart(t *testing.T, tests []testing.InternalTest) {
	t.Helper()
	for name, value := range map[string]string{"test.short": "false", "art.dir": t.TempDir(), "art.quiet": "true", "art.fresh": "true", "test.skip": "", "test.count": "1", "test.failfast": "false"} {
		defer set(t, name, value)()
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	require.NoError(t, err)
	defer null.Close()
	stdout := os.Stdout
	os.Stdout = null
	defer func() { os.Stdout = stdout }()
	testing.RunTests(func(string, string) (bool, error) { return true, nil }, tests)
}

// set sets a flag and returns what puts it back.
func set(t *testing.T, name, value string) (restore func()) {
	f := flag.Lookup(name)
	old := f.Value.String()
	require.NoError(t, f.Value.Set(value))
	return func() { require.NoError(t, f.Value.Set(old)) }
}
