package steps_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// runSteps runs steps on data as a recipe of its own, dry if asked.
func runSteps(t *testing.T, d train.Data, dry bool, all ...arttest.Stepper) *record.Run {
	t.Helper()
	run := &record.Run{}
	apart(t, []testing.InternalTest{{Name: "recipe", F: func(t *testing.T) {
		if dry {
			defer set(t, "test.short", "true")()
		}
		r := arttest.New(t, arttest.Recipe{Name: "recipe", Data: d, Metrics: []train.Metric{metrics.Accuracy}, Loggers: []record.Sink{run}})
		for _, s := range all {
			arttest.Step(r, s)
		}
	}}})
	return run
}

// step runs one step and returns what it recorded.
func step(t *testing.T, d train.Data, s arttest.Stepper) *record.StepRun {
	t.Helper()
	run := runSteps(t, d, false, s)
	require.NotEmpty(t, run.Steps)
	return run.Steps[len(run.Steps)-1]
}

// verdict is that of a check.
func verdict(t *testing.T, s *record.StepRun, check string) record.Verdict {
	t.Helper()
	i := slices.IndexFunc(s.Verdicts, func(v record.Verdict) bool { return v.Check == check })
	require.GreaterOrEqual(t, i, 0, "no verdict of %s in %v (%s)", check, s.Verdicts, s.Reason)
	return s.Verdicts[i]
}

func everyStep(model train.Model, source train.Data) []arttest.Stepper {
	return []arttest.Stepper{
		steps.EvaluateBaseline{Model: baselines.Majority},
		steps.CheckLossOnInit{Model: model},
		steps.OverfitOneBatch{Model: model},
		steps.Overfit{Model: model, Epochs: 6},
		steps.Regularize{Model: model, Epochs: 6, WeightDecay: 1e-4, Patience: 3},
		steps.TransferLearning{Model: model, Source: source, SourceEpochs: 4, Epochs: 4, FineTuneEpochs: 3},
	}
}

// Everything that is recorded is the same when a recipe runs again.
func TestRecipeRepeatsBitForBit(t *testing.T) {
	d, source := traintest.Blobs(1, 60, 3), traintest.Blobs(2, 60, 3)
	first := runSteps(t, d, false, everyStep(traintest.MLP(8), source)...)
	second := runSteps(t, d, false, everyStep(traintest.MLP(8), source)...)
	require.Len(t, first.Steps, 6)
	for i, a := range first.Steps {
		b := second.Steps[i]
		assert.Equal(t, record.Passed, a.Outcome, "%s: %s", a.Name, a.Reason)
		bits := cmp.Comparer(func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
		assert.Empty(t, cmp.Diff(a.Series, b.Series, bits), a.Name)
		assert.Empty(t, cmp.Diff(a.Verdicts, b.Verdicts), a.Name)
		assert.Empty(t, cmp.Diff(a.Findings, b.Findings), a.Name)
		assert.Empty(t, cmp.Diff(a.Artifacts, b.Artifacts, cmpopts.IgnoreFields(record.Artifact{}, "Path")), a.Name)
	}
}

// A dry run trains for one iteration, scores one batch, and judges nothing.
func TestDryRun(t *testing.T) {
	run := runSteps(t, traintest.Blobs(1, 200, 3), true, everyStep(traintest.MLP(8), traintest.Blobs(2, 60, 3))...)
	require.Len(t, run.Steps, 6)
	for _, s := range run.Steps {
		assert.Equal(t, record.Passed, s.Outcome, "%s: %s", s.Name, s.Reason)
		assert.Empty(t, s.Verdicts, s.Name)
		for _, c := range s.Series {
			if !c.Whole && c.Name == train.LossName {
				assert.Len(t, c.Points, 1, "%s: iterations of trial %q", s.Name, c.Trial)
			}
			if p, _ := c.Last(); c.Whole && c.Name == "accuracy" {
				assert.LessOrEqual(t, p.Rows, 32, "%s: rows scored in trial %q", s.Name, c.Trial)
			}
		}
	}
}

// A step that cannot be carried out says what is missing and what to do.
func TestErrors(t *testing.T) {
	blobs, mlp := traintest.Blobs(1, 40, 2), traintest.MLP(4)
	alone := blobs
	alone.Validation = nil
	source := traintest.Blobs(2, 40, 2)
	named := func(n ...train.Named) func() ([]train.Named, error) {
		return func() ([]train.Named, error) { return n, nil }
	}
	weight := train.Named{Name: "fc1/weight", Tensor: train.NewTensor(3, 4)}
	for _, c := range []struct {
		name string
		data train.Data
		step arttest.Stepper
		want []string
	}{
		{"no validation", alone, steps.Regularize{Model: mlp}, []string{"no validation data", "train.Data"}},
		{"no model", blobs, steps.Overfit{}, []string{"no model", "Model"}},
		{"optimizer", blobs, steps.Overfit{Model: with(mlp, train.Adam(0.1))}, []string{"mlp", "adam"}},
		{"variants of one name", blobs, steps.Regularize{Model: mlp, Epochs: 1, Gap: -1, Variants: []steps.Variant{{Name: "a"}, {Name: "a"}}},
			[]string{`"a"`, "Variant.Name"}},
		{"baselines of one name", blobs, steps.EvaluateBaseline{Models: []train.Model{baselines.Majority, baselines.Majority}},
			[]string{`"majority"`, "Model.Name"}},
		{"nothing to transfer", blobs, steps.TransferLearning{Model: mlp}, []string{"Source", "Weights"}},
		{"rate", blobs, steps.TransferLearning{Model: mlp, Source: source, Rate: 1.5}, []string{"1.5", "(0, 1)"}},
		{"weights lack one", blobs, steps.TransferLearning{Model: mlp, Weights: named()}, []string{`"fc1/weight"`, "Head"}},
		{"weights of another shape", blobs, steps.TransferLearning{Model: mlp, Weights: named(weight)}, []string{"[3 4]", "[2 4]", "Head"}},
		{"all is head", blobs, steps.TransferLearning{Model: mlp, Source: source, SourceEpochs: 1, Head: []string{"fc1", "fc2"}}, []string{"head", "Head"}},
		{"cannot be frozen", blobs, steps.TransferLearning{Model: traintest.Uphill(mlp), Source: source, SourceEpochs: 1}, []string{"cannot be frozen", "Freezer"}},
		{"weights cannot be read", blobs, steps.TransferLearning{Model: mlp, Weights: func() ([]train.Named, error) { return nil, errors.New("no such file") }},
			[]string{"no such file"}},
		{"learner breaks", blobs, steps.Overfit{Model: traintest.ErrorAt(mlp, 2, errors.New("out of memory"))}, []string{"iteration 2", "out of memory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := step(t, c.data, c.step)
			assert.Equal(t, record.Broken, s.Outcome)
			for _, w := range c.want {
				assert.Contains(t, s.Reason, w)
			}
		})
	}
}

// Without validation data, the steps that can do without it do.
func TestWithoutValidation(t *testing.T) {
	d := traintest.Blobs(1, 60, 3)
	d.Validation = nil
	run := runSteps(t, d, false, everyStep(traintest.MLP(8), traintest.Blobs(2, 60, 3))[:4]...)
	require.Len(t, run.Steps, 4)
	for _, s := range run.Steps {
		assert.Equal(t, record.Passed, s.Outcome, "%s: %v", s.Name, s.Reason)
	}
}

// The planted bugs of package traintest are caught and named without an engine.
func TestBugsOfTraintest(t *testing.T) {
	d := traintest.Blobs(1, 60, 3)
	one := func(m train.Model) arttest.Stepper { return steps.OverfitOneBatch{Model: m} }
	fresh := func(m train.Model) arttest.Stepper { return steps.CheckLossOnInit{Model: m} }
	for _, c := range []struct {
		step  arttest.Stepper
		check string
		says  string
	}{
		{one(traintest.Stuck(traintest.MLP(8), func(p string) bool { return p == "fc1/weight" })), "every-layer-learns", "fc1/weight"},
		{one(traintest.NaNAt(traintest.MLP(8), 3)), "loss-stays-finite", "iteration 3"},
		{fresh(traintest.Uphill(traintest.MLP(8))), "update-goes-downhill", "sign"},
		{one(traintest.Uphill(traintest.MLP(8))), "loss-does-not-jump", "jumped"},
		{steps.CheckLossOnInit{Model: traintest.MLP(8), Want: 5}, "loss-as-expected", "near 5"},
	} {
		v := verdict(t, step(t, d, c.step), c.check)
		assert.Equal(t, record.Fail, v.Mark, c.check)
		assert.Contains(t, words([]record.Verdict{v}), c.says)
	}
}

// Every default check can be left out, and has words for people.
func TestDefaultChecks(t *testing.T) {
	for _, s := range append(everyStep(traintest.MLP(4), traintest.Blobs(1, 9, 3)), steps.ExploreData{}) {
		p := s.Plan()
		seen := map[string]bool{}
		for _, c := range p.Checks {
			require.NoError(t, c.Err())
			assert.NotEmpty(t, c.Claim, c.Name)
			assert.False(t, seen[c.Name], "%s has two checks %s", p.Name, c.Name)
			seen[c.Name] = true
		}
		assert.NotEmpty(t, seen, p.Name)
	}
	options := arttest.Options{WithoutChecks: []string{"loss-reaches-zero", "rows-are-learned"}}
	s := step(t, traintest.Blobs(1, 60, 3), steps.OverfitOneBatch{Model: traintest.MLP(8), Options: options})
	assert.Equal(t, record.Passed, s.Outcome)
	for _, v := range s.Verdicts {
		assert.NotContains(t, options.WithoutChecks, v.Check)
	}
}

// What a recipe says of no trouble at all is short: no evidence, no causes.
func TestPassingVerdictsAreBare(t *testing.T) {
	for _, s := range runSteps(t, traintest.Blobs(1, 60, 3), false, everyStep(traintest.MLP(8), traintest.Blobs(2, 60, 3))...).Steps {
		for _, v := range s.Verdicts {
			assert.Equal(t, record.Pass, v.Mark, "%s/%s: %s", s.Name, v.Check, v.Trouble)
			assert.Empty(t, slices.Concat(v.Evidence, v.Likely, v.Try), v.Check)
		}
	}
}
