package traintest

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// The functions below plant a bug in a model. The learners they build show none
// of the optional interfaces (train.Freezer and its like).

// Stuck plants a layer that does not learn, though it is not frozen: the
// parameters for which stuck is true keep their first values.
func Stuck(m train.Model, stuck func(param string) bool) train.Model {
	return plant(m, "stuck", func(l train.Learner) train.Learner { return &stuckLearner{l, stuck} })
}

// PanicAt plants a panic in Forward at an iteration.
func PanicAt(m train.Model, iteration int) train.Model {
	return plant(m, "panics", func(l train.Learner) train.Learner {
		return &faultyLearner{l, iteration, func() (float64, error) { panic(fmt.Sprintf("planted at iteration %d", iteration)) }}
	})
}

// NaNAt plants a loss of NaN at an iteration.
func NaNAt(m train.Model, iteration int) train.Model {
	return plant(m, "NaN", func(l train.Learner) train.Learner {
		return &faultyLearner{l, iteration, func() (float64, error) { return math.NaN(), nil }}
	})
}

// ErrorAt plants an error of Forward at an iteration.
func ErrorAt(m train.Model, iteration int, err error) train.Model {
	return plant(m, "error", func(l train.Learner) train.Learner {
		return &faultyLearner{l, iteration, func() (float64, error) { return 0, err }}
	})
}

// Uphill plants updates of the wrong sign.
func Uphill(m train.Model) train.Model {
	return plant(m, "uphill", func(l train.Learner) train.Learner { return uphillLearner{l} })
}

func plant(m train.Model, name string, wrap func(train.Learner) train.Learner) train.Model {
	build := m.New
	m.Name += "-" + name
	m.New = func(init train.Init) (train.Learner, error) {
		l, err := build(init)
		if err != nil {
			return nil, err
		}
		return wrap(l), nil
	}
	return m
}

type stuckLearner struct {
	train.Learner
	stuck func(string) bool
}

func (l *stuckLearner) Update(learningRate float64) error {
	var keep [][]float32
	for _, p := range l.Params() {
		keep = append(keep, slices.Clone(p.Value))
	}
	err := l.Learner.Update(learningRate)
	for i, p := range l.Params() {
		if l.stuck(p.Name) {
			copy(p.Value, keep[i])
		}
	}
	return err
}

type faultyLearner struct {
	train.Learner
	iteration int
	fault     func() (float64, error)
}

func (l *faultyLearner) Forward(b train.Batch, iteration int) (float64, error) {
	if iteration == l.iteration {
		return l.fault()
	}
	return l.Learner.Forward(b, iteration)
}

type uphillLearner struct{ train.Learner }

func (l uphillLearner) Update(learningRate float64) error { return l.Learner.Update(-learningRate) }
