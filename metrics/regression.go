package metrics

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/train"
)

// MSE is the mean squared error over all values.
var MSE = ofValues("mse", true, func(e *errorsOf) float64 {
	return e.mean(func(v value) float64 { return v.squared.value() / e.n() })
})

// RMSE is the root of the mean squared error; with several values to a row, the
// mean of their roots.
var RMSE = ofValues("rmse", true, func(e *errorsOf) float64 {
	return e.mean(func(v value) float64 { return math.Sqrt(v.squared.value() / e.n()) })
})

// MAE is the mean absolute error over all values.
var MAE = ofValues("mae", true, func(e *errorsOf) float64 {
	return e.mean(func(v value) float64 { return v.absolute.value() / e.n() })
})

// R2 is the coefficient of determination, 1 − Σ(y−z)²/Σ(y−ȳ)²: 1 is perfect, 0
// as good as the mean of the targets, and it has no lower bound. With several
// values to a row it is the mean of theirs. Targets that are all equal give 1 when every
// prediction is right, else 0; fewer than two rows give NaN.
var R2 = ofValues("r2", false, func(e *errorsOf) float64 {
	if e.rows < 2 {
		return math.NaN()
	}
	return e.mean(func(v value) float64 {
		residual, spread := v.squared.value(), v.spread.value()
		switch {
		case spread != 0:
			return 1 - residual/spread
		case residual == 0:
			return 1
		case math.IsNaN(residual):
			return residual
		}
		return 0
	})
})

func ofValues(name string, lowerIsBetter bool, of func(*errorsOf) float64) train.Metric {
	return train.Metric{
		Name: name, LowerIsBetter: lowerIsBetter,
		New: func(classes []string) (train.Accumulator, error) {
			if len(classes) > 0 {
				return nil, fmt.Errorf("it compares values and the data has %d classes: use a metric of classes "+
					"such as metrics.Accuracy, or leave train.Data.Classes empty", len(classes))
			}
			return &errorsOf{of: of}, nil
		},
	}
}

// errorsOf sums the errors of each value of a row.
type errorsOf struct {
	of     func(*errorsOf) float64
	rows   int
	values []value
}

type value struct {
	squared, absolute sum
	mean              float64 // of the targets so far
	spread            sum     // Σ (target − mean of all)² (Welford 1962)
}

func (e *errorsOf) n() float64 { return float64(e.rows) }

// mean over the values of a row.
func (e *errorsOf) mean(f func(value) float64) float64 {
	var total sum
	for _, v := range e.values {
		total.add(f(v))
	}
	return total.value() / float64(len(e.values))
}

func (e *errorsOf) Add(b train.Batch, p train.Prediction) error {
	targets, outputs := b.Targets, p.Outputs
	if len(outputs.Data) != len(targets.Data) || outputs.Rows() != targets.Rows() {
		return fmt.Errorf("outputs have shape %v, targets %v", outputs.Shape, targets.Shape)
	}
	if e.values == nil {
		e.values = make([]value, targets.RowSize())
	}
	if len(e.values) != targets.RowSize() {
		return fmt.Errorf("targets have %d values a row, earlier batches had %d", targets.RowSize(), len(e.values))
	}
	for i := range targets.Rows() {
		e.rows++
		for j, y := range targets.Row(i) {
			e.values[j].add(float64(y), float64(outputs.Row(i)[j]), e.n())
		}
	}
	return nil
}

func (v *value) add(target, output, n float64) {
	d := output - target
	v.squared.add(d * d)
	v.absolute.add(math.Abs(d))
	off := target - v.mean
	v.mean += off / n
	v.spread.add(off * (target - v.mean))
}

func (e *errorsOf) Score() train.Score {
	if e.rows == 0 {
		return train.Score{Value: math.NaN()}
	}
	return train.Score{Value: e.of(e), Rows: e.rows}
}
