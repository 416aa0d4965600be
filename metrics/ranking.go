package metrics

import (
	"cmp"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// ROCAUC is the area under the receiver operating characteristic: the chance
// that a position of a class has a higher probability of it than one of
// another class, equal ones counting half. With two classes it is that of the
// second; with more, the mean over the classes, each against the rest. Parts are
// the classes. A class that does not occur, or alone occurs, has no area: its part
// is NaN and it is left out of the mean (where scikit-learn refuses to answer).
// As probabilities of float32 reach 1, a very sure classifier has more equal ones
// than its logits have.
//
// The probabilities of all positions are kept until the score is known.
var ROCAUC = ranked("roc-auc", rocArea)

// AveragePrecision is Σ (Rₙ − Rₙ₋₁)·Pₙ over the thresholds of the
// precision-recall curve, equal probabilities being one threshold, without
// interpolation. Classes are treated as for ROCAUC: one that does not occur, or
// alone occurs, has the part NaN and is left out of the mean (scikit-learn: 0 and 1).
//
// The probabilities of all positions are kept until the score is known.
var AveragePrecision = ranked("average-precision", averagePrecision)

// step is one threshold: how many positions of a class, and of other classes,
// have this very probability.
type step struct{ hits, misses float64 }

// rocArea goes from high probability to low.
func rocArea(steps []step, hits, misses float64) float64 {
	var area sum
	above := 0. // hits of higher probability
	for _, s := range steps {
		area.add(s.misses * (above + s.hits/2))
		above += s.hits
	}
	return area.value() / (hits * misses) // 0/0 is NaN
}

func averagePrecision(steps []step, hits, misses float64) float64 {
	if misses == 0 {
		return math.NaN()
	}
	var total sum
	above, seen := 0., 0.
	for _, s := range steps {
		above += s.hits
		seen += s.hits + s.misses
		total.add(s.hits * above / seen)
	}
	return total.value() / hits
}

func ranked(name string, curve func(steps []step, hits, misses float64) float64) train.Metric {
	return ofClasses(name, false, nil, func(t tally) train.Accumulator {
		return &ranking{tally: t, curve: curve, probabilities: make([][]float32, len(t.classes))}
	})
}

type ranking struct {
	tally
	curve         func(steps []step, hits, misses float64) float64
	probabilities [][]float32 // by class, then position
	actual        []int
}

func (r *ranking) Add(b train.Batch, p train.Prediction) error {
	return r.walk(b, p, func(_, class int, probabilities []float32) {
		r.actual = append(r.actual, class)
		for c, v := range probabilities {
			r.probabilities[c] = append(r.probabilities[c], v)
		}
	})
}

func (r *ranking) Score() train.Score {
	values := make([]float64, len(r.classes))
	for c := range values {
		values[c] = r.curve(r.steps(c))
	}
	value := meanOfDefined(values)
	if len(values) == 2 {
		value = values[1]
	}
	s := r.score(value)
	s.Parts = r.parts(values)
	return s
}

// steps lists the thresholds of a class from high to low, with the totals.
func (r *ranking) steps(class int) (steps []step, hits, misses float64) {
	p := r.probabilities[class]
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[b], p[a]) })
	last := float32(math.NaN())
	for _, i := range order {
		if p[i] != last {
			steps = append(steps, step{})
			last = p[i]
		}
		s := &steps[len(steps)-1]
		if r.actual[i] == class {
			s.hits++
			hits++
		} else {
			s.misses++
			misses++
		}
	}
	return steps, hits, misses
}
