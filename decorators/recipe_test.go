package decorators_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/decorators"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// What decorators of a recipe, a step and a model see is part of the run: checks,
// loggers and the dashboard have it.
func TestDecoratorsReachTheRecord(t *testing.T) {
	t.Setenv("ART_DIR", t.TempDir())
	r := arttest.New(t, arttest.Recipe{
		Data:       traintest.Blobs(1, 90, 3),
		Decorators: []train.Decorator{decorators.GradientStats{Every: 1}.Decorate},
	})
	model := traintest.MLP(16)
	model.Decorators = []train.Decorator{decorators.WeightStats{Every: 1}.Decorate}
	arttest.Step(r, steps.OverfitOneBatch{Model: model, Options: arttest.Options{
		Decorators: []train.Decorator{decorators.BatchSaver{}.Decorate},
	}}, checks.Assert("decorators-are-there", func(t checks.T, s *record.StepRun) {
		iterations := len(s.Curve(train.LossName).Values())
		assert.NotZero(t, iterations)
		assert.Len(t, s.Curve("gradient-norm").Values(), iterations)
		assert.Len(t, s.Curve("weight-norm/fc1/weight").Values(), iterations)
		var names []string
		for _, a := range s.Artifacts {
			names = append(names, a.Name)
		}
		assert.Subset(t, names, []string{"batches/000000/inputs.npy", "gradients.svg", "weights-update.png"})
	}))
}
