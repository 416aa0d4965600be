package metrics

import (
	"fmt"

	"github.com/actually-robust-training/art/train"
)

// TopK is the share of positions whose class is among the k of largest
// probability, the lower id first among equals (scikit-learn: the higher). It
// fits data of more than k classes; with k of them it would always be 1.
func TopK(k int) train.Metric {
	fits := func(classes int) error {
		if k < 1 || k >= classes {
			return fmt.Errorf("the first %d of %d classes say nothing: k must be between 1 and %d", k, classes, classes-1)
		}
		return nil
	}
	return ofClasses(fmt.Sprintf("top-%d", k), false, fits, func(t tally) train.Accumulator {
		return &topK{tally: t, k: k}
	})
}

type topK struct {
	tally
	k, hits int
}

func (a *topK) Add(b train.Batch, p train.Prediction) error {
	return a.walk(b, p, func(_, class int, probabilities []float32) {
		before := 0
		for c, v := range probabilities {
			if v > probabilities[class] || v == probabilities[class] && c < class {
				before++
			}
		}
		if before < a.k {
			a.hits++
		}
	})
}

func (a *topK) Score() train.Score { return a.score(float64(a.hits) / float64(a.rows)) }
