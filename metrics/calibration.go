package metrics

import (
	"math"

	"github.com/actually-robust-training/art/train"
)

// bins of ECE, as in Guo et al. 2017.
const bins = 15

// ECE is the expected calibration error (Naeini et al. 2015): positions are put
// into 15 bins (lo, hi] of equal width by the largest probability, and the
// difference between accuracy and mean probability of a bin is averaged over
// the positions. 0 is perfect.
var ECE = ofClasses("ece", true, nil, func(t tally) train.Accumulator { return &calibration{tally: t} })

type calibration struct {
	tally
	hits       [bins]float64
	confidence [bins]sum
}

func (c *calibration) Add(b train.Batch, p train.Prediction) error {
	return c.walk(b, p, func(_, class int, probabilities []float32) {
		best := argmax(probabilities)
		confidence := float64(probabilities[best])
		bin := min(max(int(math.Ceil(confidence*bins))-1, 0), bins-1)
		c.confidence[bin].add(confidence)
		if best == class {
			c.hits[bin]++
		}
	})
}

func (c *calibration) Score() train.Score {
	var total sum
	for i, s := range c.confidence {
		total.add(math.Abs(c.hits[i] - s.value()))
	}
	return c.score(total.value() / float64(c.rows))
}
