// Package metrics scores predictions over a whole data set: train.Metric values
// such as [Accuracy] and [MSE], which a recipe lists once and train.Evaluate
// computes in every step and stage.
//
// Scores are exact over the set, whatever the sizes of the batches: nothing is an
// average of averages. Sums are in float64 with compensation. Metrics of classes
// count positions: every element of the targets that is a class id, [rows] or
// [rows, positions]; negative ids are left out. A classifier with one logit has
// two columns of probabilities and is scored like any other.
//
// The predicted class is the one of largest probability, the lowest id among
// equals. A prediction of NaN is no prediction: one alone makes the score NaN,
// and no check passes on NaN. So does a set without any position that
// counts. Where a score is undefined for a class that does not occur, its comment
// says what is done; values agree with scikit-learn (zero_division=0) unless
// it says otherwise.
package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/internal/suggest"
	"github.com/actually-robust-training/art/train"
)

// Set is the metrics of a recipe.
type Set []train.Metric

// Names lists the names in order.
func (s Set) Names() []string {
	var names []string
	for _, m := range s {
		names = append(names, m.Name)
	}
	return names
}

// Check reports metrics without a name or a constructor, two of one name, and
// one that takes the name of the loss.
func (s Set) Check() error {
	for i, m := range s {
		switch {
		case m.Name == "" || m.New == nil:
			return fmt.Errorf("metric %d (%q) lacks a name or New: take one of package metrics, or set both fields", i, m.Name)
		case m.Name == train.LossName:
			return fmt.Errorf("metric %d is named %q, as is the loss, which is always measured: choose another name", i, m.Name)
		case slices.Index(s.Names(), m.Name) < i:
			return fmt.Errorf("two metrics are named %q: remove one, or give it another Name", m.Name)
		}
	}
	return nil
}

// Lookup returns the metric of a name. The error names the one that was probably
// meant, or all that there are.
func (s Set) Lookup(name string) (train.Metric, error) {
	for _, m := range s {
		if m.Name == name {
			return m, nil
		}
	}
	return train.Metric{}, fmt.Errorf("there is no metric %q: %s", name, suggest.Hint(name, s.Names()))
}

// ofClasses makes a metric of predicted classes. More, if not nil, says why the
// metric does not fit a number of classes.
func ofClasses(name string, lowerIsBetter bool, more func(classes int) error, build func(tally) train.Accumulator) train.Metric {
	return train.Metric{
		Name: name, LowerIsBetter: lowerIsBetter,
		New: func(classes []string) (train.Accumulator, error) {
			if len(classes) == 0 {
				return nil, errors.New("it compares classes and the data has none: name them in train.Data.Classes, " +
					"or use a metric of values such as metrics.RMSE")
			}
			if more != nil {
				if err := more(len(classes)); err != nil {
					return nil, err
				}
			}
			return build(tally{classes: classes}), nil
		},
	}
}

// tally counts the positions of one walk, and knows whether all were predicted.
type tally struct {
	classes []string
	rows    int
	broken  bool // a prediction was not finite
}

// walk calls f with the number of every position that counts, its class and the
// probabilities.
func (t *tally) walk(b train.Batch, p train.Prediction, f func(i, class int, probabilities []float32)) error {
	k, y := len(t.classes), b.Targets.Data
	switch {
	case len(p.Probabilities.Data) == 0:
		return errors.New("the prediction has no probabilities: is the model a regression?")
	case len(p.Probabilities.Data) != len(y)*k:
		return fmt.Errorf("probabilities have shape %v, want %v and the %d classes of the data", p.Probabilities.Shape, b.Targets.Shape, k)
	}
	for i, v := range y {
		if v < 0 {
			continue
		}
		class := float64(v)
		if class != math.Trunc(class) || class >= float64(k) {
			return fmt.Errorf("target %d is %v, want a class id below %d", i, v, k)
		}
		t.rows++
		row := p.Probabilities.Data[i*k : (i+1)*k]
		if !finite(row) {
			t.broken = true
			continue
		}
		f(i, int(class), row)
	}
	return nil
}

// score is NaN when a prediction was missing or nothing counted.
func (t *tally) score(value float64) train.Score {
	if t.broken || t.rows == 0 {
		value = math.NaN()
	}
	return train.Score{Value: value, Rows: t.rows}
}

// parts names values of the classes.
func (t *tally) parts(values []float64) []train.Part {
	var parts []train.Part
	for c, v := range values {
		if t.broken {
			v = math.NaN()
		}
		parts = append(parts, train.Part{Name: t.classes[c], Value: v})
	}
	return parts
}

func finite(row []float32) bool {
	for _, v := range row {
		if v-v != 0 {
			return false
		}
	}
	return true
}

// argmax is the index of the largest element, the lowest among equals.
func argmax(row []float32) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}
