package metrics_test

import (
	"errors"
	"fmt"
	"math"

	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/train"
)

func ExampleSet_Lookup() {
	set := metrics.Set{metrics.CrossEntropy, metrics.Accuracy, metrics.TopK(5)}
	_, err := set.Lookup("acuracy")
	fmt.Println(err)
	// Output: there is no metric "acuracy": did you mean "accuracy"?
}

// A metric of one's own is a name and an accumulator.
func Example_own() {
	worst := train.Metric{
		Name: "worst-error", LowerIsBetter: true,
		New: func(classes []string) (train.Accumulator, error) {
			if len(classes) > 0 {
				return nil, errors.New("it compares values and the data has classes")
			}
			return &worstError{}, nil
		},
	}
	a, _ := worst.New(nil)
	for _, z := range []float32{0.5, 3, 1} { // one batch each
		target := train.Tensor{Shape: []int{1, 1}, Data: []float32{1}}
		output := train.Tensor{Shape: []int{1, 1}, Data: []float32{z}}
		if err := a.Add(train.Batch{Inputs: target, Targets: target}, train.Prediction{Outputs: output}); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(a.Score().Value)
	// Output: 2
}

type worstError struct{ score train.Score }

func (w *worstError) Add(b train.Batch, p train.Prediction) error {
	for i, y := range b.Targets.Data {
		w.score.Value = max(w.score.Value, math.Abs(float64(p.Outputs.Data[i]-y))) // max keeps NaN
	}
	w.score.Rows += b.Len()
	return nil
}

func (w *worstError) Score() train.Score { return w.score }
