package metrics

import (
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// Accuracy is the share of positions whose class is predicted.
var Accuracy = fromCounts("accuracy", func(c counts) (float64, []float64) { return c.diagonal() / c.total, nil })

// BalancedAccuracy is the mean over the classes of their recall. Parts are the
// recalls. Classes that do not occur in the targets are left out of the mean; their part is NaN.
var BalancedAccuracy = fromCounts("balanced-accuracy", func(c counts) (float64, []float64) {
	recall := c.each(func(hit, actual, _ float64) float64 { return hit / actual }) // 0/0 is NaN
	return meanOfDefined(recall), recall
})

// Precision is the mean over the classes of hits/predictions of the class. Parts
// are the classes. A class that occurs but is never predicted counts as 0; one that neither
// occurs nor is predicted is left out of the mean, and its part is NaN.
var Precision = fromCounts("precision", func(c counts) (float64, []float64) {
	return c.macro(func(hit, _, predicted float64) float64 { return ratio(hit, predicted) })
})

// Recall is the mean over the classes of hits/occurrences of the class, with the
// rules of Precision: a class that is predicted but does not occur counts as 0.
var Recall = fromCounts("recall", func(c counts) (float64, []float64) {
	return c.macro(func(hit, actual, _ float64) float64 { return ratio(hit, actual) })
})

// F1 is the mean over the classes of the harmonic mean of precision and recall,
// 2·hits/(occurrences + predictions), with the rules of Precision.
var F1 = fromCounts("f1", func(c counts) (float64, []float64) {
	return c.macro(func(hit, actual, predicted float64) float64 { return ratio(2*hit, actual+predicted) })
})

// The micro averages count all classes together. With one class for a position,
// all three are equal to Accuracy.
var (
	PrecisionMicro = fromCounts("precision-micro", micro)
	RecallMicro    = fromCounts("recall-micro", micro)
	F1Micro        = fromCounts("f1-micro", micro)
)

// ConfusionMatrix counts positions by actual and predicted class, in
// Score.Matrix. Its value is the share on the diagonal, which is the accuracy.
var ConfusionMatrix = ofClasses("confusion-matrix", false, nil, func(t tally) train.Accumulator {
	return &confusion{tally: t, matrix: square(len(t.classes)), keep: true, of: micro}
})

// MCC is the correlation coefficient of Matthews for any number of classes
// (Gorodkin 2004), in [-1, 1]; 0 for guesses, and where all positions are of one
// class or predicted as one.
var MCC = fromCounts("mcc", func(c counts) (float64, []float64) {
	both, actual, predicted := c.squares()
	n := c.total * c.total
	return ratio(c.diagonal()*c.total-both, math.Sqrt((n-predicted)*(n-actual))), nil
})

// Kappa is Cohen's: the agreement beyond that of chance, in [-1, 1]. It is NaN
// where chance alone agrees always, as when there is one class.
var Kappa = fromCounts("kappa", func(c counts) (float64, []float64) {
	both, _, _ := c.squares()
	chance := both / (c.total * c.total)
	return (c.diagonal()/c.total - chance) / (1 - chance), nil
})

func micro(c counts) (float64, []float64) { return c.diagonal() / c.total, nil }

// counts is a finished confusion matrix.
type counts struct {
	matrix            [][]float64
	actual, predicted []float64
	total             float64
}

func (c counts) diagonal() float64 {
	hits := 0.
	for i := range c.matrix {
		hits += c.matrix[i][i]
	}
	return hits
}

// each computes a value for every class.
func (c counts) each(f func(hit, actual, predicted float64) float64) []float64 {
	values := make([]float64, len(c.matrix))
	for i := range values {
		values[i] = f(c.matrix[i][i], c.actual[i], c.predicted[i])
	}
	return values
}

// macro is the mean of the values of classes that occur or are predicted.
func (c counts) macro(f func(hit, actual, predicted float64) float64) (float64, []float64) {
	values := c.each(func(hit, actual, predicted float64) float64 {
		if actual+predicted == 0 {
			return math.NaN()
		}
		return f(hit, actual, predicted)
	})
	return meanOfDefined(values), values
}

// squares returns Σ actual·predicted, Σ actual² and Σ predicted².
func (c counts) squares() (both, actual, predicted float64) {
	for i := range c.matrix {
		both += c.actual[i] * c.predicted[i]
		actual += c.actual[i] * c.actual[i]
		predicted += c.predicted[i] * c.predicted[i]
	}
	return both, actual, predicted
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// meanOfDefined is the mean without NaN, NaN if there is nothing else.
func meanOfDefined(values []float64) float64 {
	var total sum
	n := 0.
	for _, v := range values {
		if !math.IsNaN(v) {
			total.add(v)
			n++
		}
	}
	return total.value() / n
}

// fromCounts makes a metric of the confusion matrix.
func fromCounts(name string, of func(counts) (value float64, classes []float64)) train.Metric {
	return ofClasses(name, false, nil, func(t tally) train.Accumulator {
		return &confusion{tally: t, matrix: square(len(t.classes)), of: of}
	})
}

type confusion struct {
	tally
	matrix [][]float64
	keep   bool // the matrix is part of the score
	of     func(counts) (float64, []float64)
}

func square(n int) [][]float64 {
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, n)
	}
	return m
}

func (c *confusion) Add(b train.Batch, p train.Prediction) error {
	return c.walk(b, p, func(_, class int, probabilities []float32) {
		c.matrix[class][argmax(probabilities)]++
	})
}

func (c *confusion) Score() train.Score {
	n := counts{matrix: c.matrix, actual: make([]float64, len(c.matrix)), predicted: make([]float64, len(c.matrix))}
	for i, row := range c.matrix {
		for j, v := range row {
			n.actual[i] += v
			n.predicted[j] += v
			n.total += v
		}
	}
	value, classes := c.of(n)
	s := c.score(value)
	s.Parts = c.parts(classes)
	if c.keep {
		for _, row := range c.matrix {
			s.Matrix = append(s.Matrix, slices.Clone(row))
		}
	}
	return s
}
