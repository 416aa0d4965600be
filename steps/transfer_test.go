package steps_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

func curve(t *testing.T, s *record.StepRun, trial, name string) []float64 {
	t.Helper()
	for _, c := range s.Series {
		if c.Trial == trial && c.Name == name && !c.Whole {
			return c.Values()
		}
	}
	t.Fatalf("no curve %s of trial %q", name, trial)
	return nil
}

// Phase two goes on where phase one ended, at a lower rate, and moves what was
// frozen. (Version 0.2 of the Python ART threw the weights of phase one away and
// never set the lower rate.)
func TestTransferKeepsWeightsAndLowersTheRate(t *testing.T) {
	s := step(t, traintest.Blobs(1, 60, 3), steps.TransferLearning{
		Model: traintest.MLP(8), Source: traintest.Blobs(2, 90, 3), SourceEpochs: 5, Epochs: 5, FineTuneEpochs: 5, Rate: 0.2,
	})
	require.Equal(t, record.Passed, s.Outcome, s.Reason)
	frozen, tuned := curve(t, s, "frozen", train.LossName), curve(t, s, "fine-tuned", train.LossName)
	assert.Less(t, tuned[0], 2*frozen[len(frozen)-1]+0.05, "phase two begins about where phase one ended")
	assert.Less(t, tuned[0], frozen[0]/2, "and not with a fresh network")
	assert.Equal(t, []float64{0.1}, curve(t, s, "frozen", "learning-rate"))
	assert.InDelta(t, 0.02, curve(t, s, "fine-tuned", "learning-rate")[0], 1e-12)
	for name, want := range map[string]float64{"frozen-parameters-moved": 0, "weights-lost": 0, "backbone-moved": 2} {
		p, ok := s.Score(name, "")
		require.True(t, ok, name)
		assert.Equal(t, want, p.Value, name)
	}
}

// Weights can come from anywhere, by name; those of the head are left out.
func TestTransferOfGivenWeights(t *testing.T) {
	source := traintest.Blobs(2, 90, 5) // another number of classes
	l, err := traintest.MLP(8).Build(source, source.Training, 1)
	require.NoError(t, err)
	loop := train.Loop{Learner: l, Source: source.Training, Pass: train.Pass{BatchSize: 16}, Optimizer: train.SGD(0.1, 0.9), Epochs: 5}
	_, err = loop.Run(t.Context())
	require.NoError(t, err)
	weights := func() (named []train.Named, _ error) {
		for _, p := range l.Params() {
			named = append(named, train.Named{Name: p.Name, Tensor: train.Tensor{Shape: p.Shape, Data: p.Value}.Clone()})
		}
		return named, nil
	}
	s := step(t, traintest.Blobs(1, 60, 3), steps.TransferLearning{Model: traintest.MLP(8), Weights: weights, Epochs: 5, FineTuneEpochs: 3})
	assert.Equal(t, record.Passed, s.Outcome, s.Reason)
	s = step(t, traintest.Blobs(1, 60, 3), steps.TransferLearning{Model: traintest.MLP(8), Weights: weights, Head: []string{"fc"}})
	assert.Contains(t, s.Reason, `"fc2/weight" has shape [8 5]`, "fc is no layer: nothing is left out")
}
