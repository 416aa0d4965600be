// Package baselines holds models that any network has to beat: the majority
// class, the class priors, the mean and the median, linear and logistic
// regression, nearest neighbours, and the score that a person reached. They are
// train.Model values like those of nn, so every step and metric takes them, but
// need no engine and no settings.
//
// # Training
//
// A baseline is fitted to all rows it has been given, exactly, not by steps of a
// learning rate, so one epoch of train.Loop trains it. Forward takes note of a
// batch and Update, whatever its learning rate, adds it to the rows; the fit is
// made when it is needed, by Predict or Params. The loss that Forward
// returns is that of the baseline as it was when its rows last doubled in number:
// a report of progress. What the training was worth is the loss of an evaluation.
//
// More epochs change nothing, as long as the batches name their rows
// (train.Batch.Rows): a row that is known is not taken in again. Without names,
// rows seen twice count twice, which matters to nearest neighbours. The result
// depends on the rows and hardly on their order or the sizes of batches: sums are
// taken in order of arrival, so another order may change the last bits.
//
// The rows are kept in memory, without inputs where a baseline does not look at
// them.
package baselines

import (
	"errors"
	"fmt"

	"github.com/actually-robust-training/art/train"
)

// Majority predicts the most frequent class of the training data, the one with
// the lowest id among equals. Its share is the probability; the other classes
// have equal parts of the rest, so that the loss is finite. It takes a class at
// every position as well ([rows, positions]).
var Majority = classifier("majority", func(init train.Init) (method, error) {
	return &constant{name: "logits", shape: []int{init.Classes}, fitTo: majority}, nil
})

// Prior predicts the share that each class has in the training data, which is
// the best that can be done without looking at the inputs: its loss is the entropy
// of the classes. A class that never occurs counts as half a row, so that
// the loss is finite. It takes a class at every position as well.
var Prior = classifier("prior", func(init train.Init) (method, error) {
	return &constant{name: "logits", shape: []int{init.Classes}, fitTo: prior}, nil
})

// Mean predicts the mean of the training targets, which has the least squared
// error of all constants.
var Mean = regressor("mean", train.MSE, func(init train.Init) (method, error) {
	return &constant{name: "mean", shape: init.Example.Targets.Shape[1:], fitTo: mean}, nil
})

// Median predicts the median of the training targets, which has the least
// absolute error of all constants; between two middle values, their mean.
var Median = regressor("median", train.MAE, func(init train.Init) (method, error) {
	return &constant{name: "median", shape: init.Example.Targets.Shape[1:], fitTo: median}, nil
})

// Linear is linear regression by least squares. Inputs of any shape are taken as
// one row of numbers. Features that are constant or sums of others do no harm.
// Model.Optimizer.WeightDecay is the penalty of [Ridge], 0 for none.
var Linear = regressor("linear", train.MSE, newLinear)

// Ridge is linear regression that makes
//
//	1/rows·Σ‖y − prediction‖² + penalty·‖weights‖²
//
// small, with weights of features brought to mean 0 and deviation 1, and no
// penalty on the bias. With S = sklearn's StandardScaler, it is
// Ridge(alpha = penalty·rows) after S.
func Ridge(penalty float64) train.Model {
	m := Linear
	m.Name = "ridge"
	m.Optimizer.WeightDecay = penalty
	return m
}

// Logistic is multinomial logistic regression. It makes
//
//	1/rows·Σ cross-entropy + ½·penalty·‖weights‖²
//
// small, with weights of features brought to mean 0 and deviation 1, and no
// penalty on the biases. The penalty is Model.Optimizer.WeightDecay, 1e-3 unless
// changed; with none, classes that a plane separates have no finite answer.
// L-BFGS runs until the largest element of the gradient is below 1e-7 (for large
// data below 1e-12·rows·weights, 1e-4 at most), or rounding to float32 lets it go no
// further, at most 1000 iterations. Inputs of any shape are taken as one row of numbers.
var Logistic = func() train.Model {
	m := classifier("logistic", newLogistic)
	m.Optimizer.WeightDecay = 1e-3
	return m
}()

// KNN predicts from the k training rows nearest to an input in Euclidean
// distance, the earlier row among equals: the mean of their targets, or for
// classes the share of each, with one more neighbour that is a little of
// every class, so that the loss is finite. Inputs are taken as they are: a
// feature of large numbers outweighs the rest, so data should be normalised. With
// fewer than k rows, all are neighbours. It has no parameters: its state is the
// rows. Each prediction looks at all rows; give a large data set in part.
func KNN(k int) train.Model {
	return train.Model{
		Name: fmt.Sprintf("knn-%d", k),
		New: func(init train.Init) (train.Learner, error) {
			if k < 1 {
				return nil, fmt.Errorf("%d neighbours are none: ask baselines.KNN for 1 or more", k)
			}
			if init.Classes > 0 {
				if err := onePosition(init); err != nil {
					return nil, err
				}
			}
			return newLearner(init, &nearest{k: k, classes: init.Classes})
		},
	}
}

func classifier(name string, build func(train.Init) (method, error)) train.Model {
	return train.Model{
		Name: name,
		Loss: train.Loss{Kind: train.CrossEntropy},
		New: func(init train.Init) (train.Learner, error) {
			if init.Classes == 0 {
				return nil, errors.New("it predicts classes and the data has none: name them in train.Data.Classes, " +
					"or use baselines.Mean or baselines.Linear to predict values")
			}
			m, err := build(init)
			if err != nil {
				return nil, err
			}
			return newLearner(init, m)
		},
	}
}

func regressor(name string, loss train.LossKind, build func(train.Init) (method, error)) train.Model {
	return train.Model{
		Name: name,
		Loss: train.Loss{Kind: loss},
		New: func(init train.Init) (train.Learner, error) {
			if init.Classes > 0 {
				return nil, fmt.Errorf("it predicts values and the data has %d classes: "+
					"use baselines.Prior or baselines.Logistic, or leave train.Data.Classes empty", init.Classes)
			}
			m, err := build(init)
			if err != nil {
				return nil, err
			}
			return newLearner(init, m)
		},
	}
}

// onePosition refuses targets with a class at each of several positions.
func onePosition(init train.Init) error {
	if n := init.Example.Targets.RowSize(); n != 1 {
		return fmt.Errorf("it predicts one class a row and the targets have %d, shape %v: "+
			"use baselines.Prior or baselines.Majority, which take any number", n, init.Example.Targets.Shape)
	}
	return nil
}
