package metrics

import (
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// CrossEntropy is the mean of −log p of the actual class, in nats, without class
// weights or smoothing, so that models trained with different losses can be
// compared. It is computed from the logits where the prediction has them, which
// keeps it exact where a probability of float32 is 0.
var CrossEntropy = ofClasses("cross-entropy", true, nil, func(t tally) train.Accumulator {
	return &entropy{tally: t}
})

type entropy struct {
	tally
	total sum
}

func (e *entropy) Add(b train.Batch, p train.Prediction) error {
	logits, k, positions := p.Outputs.Data, len(e.classes), len(b.Targets.Data)
	return e.walk(b, p, func(i, class int, probabilities []float32) {
		switch {
		case len(logits) == positions*k && k > 1:
			e.total.add(surprise(logits[i*k:(i+1)*k], class))
		case len(logits) == positions && k == 2: // one logit, of class 1
			e.total.add(surprise([]float32{0, logits[i]}, class))
		default:
			e.total.add(-math.Log(float64(probabilities[class])))
		}
	})
}

// surprise is log Σ exp z − z[class].
func surprise(z []float32, class int) float64 {
	largest, total := float64(slices.Max(z)), 0.
	for _, v := range z {
		total += math.Exp(float64(v) - largest)
	}
	return math.Log(total) + largest - float64(z[class])
}

func (e *entropy) Score() train.Score { return e.score(e.total.value() / float64(e.rows)) }
