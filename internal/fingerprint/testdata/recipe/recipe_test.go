package recipe

import (
	"context"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/recipe/models"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

func TestRecipe(t *testing.T) {
	r := arttest.New(t, arttest.Recipe{Data: data(), Seed: 1, Decorators: []train.Decorator{clip(0.5)}})
	mlp := nn.Classifier("mlp", models.Build)
	mlp.Optimizer = train.Adam(0.01)

	rate := 0.1
	factor := pick(3)
	wide := models.Wide(32, 0.75)
	change := func(m train.Model) train.Model {
		m.Dropout = rate * factor
		return m
	}

	arttest.Step(r, steps.Explore{})
	arttest.Step(r, steps.Overfit{Model: mlp, Epochs: 60}, checks.AtLeast("accuracy", 0.9))
	arttest.Step(r, steps.Regularize{Model: wide, Change: change}, checks.AtLeast("accuracy", 0.8))
}

func pick(n int) float64 {
	return float64(n) / 2
}

// clip captures the limit.
func clip(limit float64) train.Decorator {
	return func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			s.LearningRate = min(s.LearningRate, limit)
			return next(ctx, s)
		}
	}
}
