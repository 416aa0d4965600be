package baselines_test

import (
	"context"
	"fmt"

	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// What a step does with a baseline: one epoch, then an evaluation.
func Example() {
	ctx, d := context.Background(), traintest.Blobs(1, 90, 3)
	for _, m := range []train.Model{baselines.Majority, baselines.Prior, baselines.Logistic, baselines.KNN(5)} {
		l, err := m.Build(d, d.Training, 1)
		if err != nil {
			fmt.Println(err)
			return
		}
		loop := train.Loop{Learner: l, Source: d.Training, Optimizer: m.Optimizer, Epochs: 1}
		if _, err := loop.Run(ctx); err != nil {
			fmt.Println(err)
			return
		}
		scores, err := train.Evaluate(ctx, l, d.Validation, train.Pass{}, d.Classes)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%-8s loss %.2f\n", m.Name, scores[0].Value)
	}
	// Output:
	// majority loss 1.10
	// prior    loss 1.10
	// logistic loss 0.01
	// knn-5    loss 0.12
}
