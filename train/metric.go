package train

import (
	"context"
	"fmt"
	"math"
)

// Metric is a score of predictions over a whole data set. Metrics of a recipe
// are computed in every step and stage.
type Metric struct {
	// Name is short, lower case, and what checks refer to: "accuracy".
	Name string
	// LowerIsBetter is true for errors, false for scores.
	LowerIsBetter bool
	// New makes an accumulator for one walk over the data. classes names the
	// classes in the order of their ids; it is empty for a regression. The error
	// says why the metric does not fit the data.
	New func(classes []string) (Accumulator, error)
}

// Accumulator takes in the batches of one walk over a data set.
type Accumulator interface {
	Add(Batch, Prediction) error
	// Score is exact for all rows added. It is NaN where the metric is undefined.
	Score() Score
}

// Score is the value of a metric over a whole set.
type Score struct {
	// Name of the metric.
	Name  string
	Value float64
	// Rows is the number of rows, or of positions that count, in Value. A share of
	// 30 rows moves in steps of 1/30.
	Rows int
	// Parts are values of the classes, where the metric has them.
	Parts []Part
	// Matrix holds counts [actual class][predicted class], where the metric has them.
	Matrix [][]float64
}

// Part is one class's share in a score.
type Part struct {
	Name  string
	Value float64
}

// LossName is the name under which the loss is always measured.
const LossName = "loss"

// Evaluate computes the loss and the metrics over all batches of one pass. The
// loss comes first in the result and is exact over the set, whatever the sizes
// of the batches.
func Evaluate(ctx context.Context, l Learner, src Source, p Pass, classes []string, metrics ...Metric) ([]Score, error) {
	accumulators := make([]Accumulator, len(metrics))
	for i, m := range metrics {
		a, err := m.New(classes)
		if err != nil {
			return nil, fmt.Errorf("metric %q: %w", m.Name, err)
		}
		accumulators[i] = a
	}
	var loss, weight float64
	batches, rows := 0, 0
	for b, err := range src(p) {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			err = b.Check()
		}
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", batches, err)
		}
		prediction, err := l.Predict(b)
		if err != nil {
			return nil, fmt.Errorf("batch %d: predict: %w", batches, err)
		}
		if prediction.Weight != 0 { // a weight of NaN must show
			loss += prediction.Loss * prediction.Weight
			weight += prediction.Weight
		}
		for i, a := range accumulators {
			if err := a.Add(b, prediction); err != nil {
				return nil, fmt.Errorf("batch %d: metric %q: %w", batches, metrics[i].Name, err)
			}
		}
		batches++
		rows += b.Len()
	}
	if batches == 0 {
		return nil, fmt.Errorf("there is nothing to evaluate: the source yields no batch")
	}
	mean := math.NaN()
	if weight != 0 {
		mean = loss / weight
	}
	scores := []Score{{Name: LossName, Value: mean, Rows: rows}}
	for i, a := range accumulators {
		s := a.Score()
		s.Name = metrics[i].Name
		scores = append(scores, s)
	}
	return scores, nil
}
