package steps_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// trials are the trials that a step recorded, in order.
func trials(s *record.StepRun) []string {
	var names []string
	for _, c := range s.Series {
		if !slices.Contains(names, c.Trial) {
			names = append(names, c.Trial)
		}
	}
	return names
}

// Variants are tried in order until one passes. What was tried is recorded, and
// the verdicts are those of the one that passed.
func TestRegularizeStopsAtTheFirstThatPasses(t *testing.T) {
	idle := func(m train.Model) train.Model { // learns nothing
		m.Optimizer = train.SGD(1e-9, 0)
		return m
	}
	s := step(t, traintest.Blobs(1, 90, 3), steps.Regularize{Model: traintest.MLP(8), Epochs: 10, Variants: []steps.Variant{
		{Name: "idle", Change: idle}, {WeightDecay: 1e-4}, {WeightDecay: 1e-3},
	}})
	assert.Equal(t, record.Passed, s.Outcome, s.Reason)
	assert.Equal(t, []string{"idle", "weight decay 0.0001"}, trials(s))
	assert.Equal(t, "weight decay 0.001", s.Settings["variant-3"], "what was not needed is among the settings")
	assert.Contains(t, s.Texts, record.Line{Name: "log", Text: "variant 2 of 3: weight decay 0.0001"})
	for _, v := range s.Verdicts {
		assert.Equal(t, record.Pass, v.Mark, "%s: %s", v.Check, v.Trouble)
	}
}

func TestRegularizeFailsWhenNonePasses(t *testing.T) {
	idle := func(m train.Model) train.Model {
		m.Optimizer = train.SGD(1e-9, 0)
		return m
	}
	s := step(t, traintest.Blobs(1, 90, 3), steps.Regularize{Model: traintest.MLP(8), Epochs: 10, Variants: []steps.Variant{
		{Name: "idle", Change: idle}, {Name: "idle too", Change: idle},
	}})
	assert.Equal(t, record.Failed, s.Outcome)
	assert.Equal(t, []string{"idle", "idle too"}, trials(s))
}

// Early stopping ends with the weights of the best epoch.
func TestPatiencePutsTheBestWeightsBack(t *testing.T) {
	d := traintest.Blobs(4, 24, 6) // few rows: the validation loss turns up again
	m := traintest.MLP(32)
	m.Optimizer = train.SGD(1, 0.9)
	s := step(t, d, steps.Regularize{Model: m, Epochs: 200, Patience: 3})
	curve := s.Scores(train.LossName, train.Validation).Values()
	require.Greater(t, len(curve), 4)
	require.Less(t, len(curve), 200, "it never stopped")
	epochs := curve[:len(curve)-1]
	assert.Equal(t, slices.Min(epochs), curve[len(curve)-1], "the score at the end is that of the best epoch")
	assert.Greater(t, epochs[len(epochs)-1], slices.Min(epochs), "the last epoch was not the best")
}

func TestOneBatchKnowsWhatCannotBeLearned(t *testing.T) {
	b := train.Batch{
		Inputs:  train.Tensor{Shape: []int{4, 2}, Data: []float32{1, 1, 1, 1, -1, 0, 0, -1}},
		Targets: train.Tensor{Shape: []int{4}, Data: []float32{0, 1, 0, 1}}, // the first two contradict each other
	}
	d := train.Data{Name: "contradiction", Classes: []string{"a", "b"}, Training: traintest.Rows(b)}
	s := step(t, d, steps.OverfitOneBatch{Model: traintest.MLP(8)})
	assert.Equal(t, record.Pass, verdict(t, s, "loss-reaches-zero").Mark)
	assert.Equal(t, record.Pass, verdict(t, s, "rows-are-learned").Mark)
}

// A message is about the variant that was tried last.
func TestVerdictsQuoteTheLastVariant(t *testing.T) {
	idle := func(m train.Model) train.Model {
		m.Optimizer = train.SGD(1e-9, 0)
		return m
	}
	s := step(t, traintest.Blobs(1, 90, 3), steps.Regularize{Model: traintest.MLP(8), Epochs: 20, Variants: []steps.Variant{
		{Name: "idle", Change: idle}, {Name: "idle too", Change: idle},
	}})
	target := checks.AtLeast("accuracy", train.Validation, 0.9)
	s.Verdicts = append(s.Verdicts, target.Run(s))
	for _, name := range []string{"loss-falls", "accuracy-validation-at-least-0.9"} {
		v := verdict(t, s, name)
		require.Equal(t, record.Fail, v.Mark, name)
		require.NotEmpty(t, v.Likely, name)
		for i, line := range v.Evidence {
			assert.NotContains(t, v.Evidence[:i], line, "%s says everything once", name)
		}
	}
	assert.Contains(t, verdict(t, s, "accuracy-validation-at-least-0.9").Evidence[1], "levelled off")
	assert.Contains(t, verdict(t, s, "loss-falls").Try, "read docs/checks.md#loss-falls")
}
