package decorators_test

import (
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/decorators"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// Decorators of a recipe wrap the updates of all its steps.
func Example() {
	recipe := func(t *testing.T) {
		arttest.New(t, arttest.Recipe{
			Data: traintest.Blobs(1, 300, 3),
			Decorators: []train.Decorator{
				decorators.BatchSaver{}.Decorate,
				decorators.GradientStats{Every: 5}.Decorate,
				decorators.Every(100, decorators.ActivationStats{Every: 1}.Decorate),
			},
		})
	}
	_ = recipe
}

func ExampleWeightStats() {
	data := traintest.Plane(1, 64, 0, 0, 1, 1)
	model := traintest.Parabola(3, 4)
	learner, err := model.Build(data, data.Training, 1)
	if err != nil {
		panic(err)
	}
	loop := train.Loop{
		Learner: learner, Source: data.Training, Optimizer: model.Optimizer, Iterations: 3,
		Decorators: []train.Decorator{decorators.WeightStats{Every: 1}.Decorate},
		Log: func(s *train.State, name string, value float64) {
			if name == "update-ratio/w" {
				fmt.Printf("iteration %d: %s %.3f\n", s.Iteration, name, value)
			}
		},
		Save: func(name string, write func(io.Writer) error) error { return nil },
	}
	if _, err := loop.Run(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// iteration 1: update-ratio/w -0.046
	// iteration 2: update-ratio/w -0.370
}
