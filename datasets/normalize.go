package datasets

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// Scaler brings inputs to mean 0 and standard deviation 1, with the means and
// deviations of the set it was fitted on: the training data. Every stage must
// go through the same one.
type Scaler struct {
	// Shape of the examples it was fitted on.
	Shape []int
	// Mean and Std (of the population, 1/n) of each feature, or of each channel
	// for pictures [channels, height, width]. Std is 1 where the training data is
	// constant: such a feature becomes 0 in training, and its distance from that
	// constant elsewhere.
	Mean, Std []float64
}

// Fit reads a set once and returns its scaler. Give it training data only: what
// it knows of other rows leaks into training.
func Fit(training Set) (Scaler, error) {
	groups, span := channels(training.Shape)
	mean, squares := make([]float64, groups), make([]float64, groups)
	count := 0.
	err := training.walk(func(row int, inputs, _ []float32) error {
		for j := range span {
			count++
			for g := range groups { // Welford 1962: exactly 0 for a constant
				x := float64(inputs[g*span+j])
				d := x - mean[g]
				mean[g] += d / count
				squares[g] += float64(d * (x - mean[g]))
			}
		}
		for j, v := range inputs {
			if !finite(v) {
				return fmt.Errorf("%s: row %d: input %d is %v: it cannot be normalised", training.name(), row, j, v)
			}
		}
		return nil
	})
	if err != nil {
		return Scaler{}, err
	}
	std := squares
	for g := range std {
		if std[g] = math.Sqrt(squares[g] / count); std[g] == 0 {
			std[g] = 1
		}
	}
	return Scaler{Shape: slices.Clone(training.Shape), Mean: mean, Std: std}, nil
}

// Apply normalises the inputs of a set as they are read. It panics on a set of
// other shape than the one it was fitted on.
func (c Scaler) Apply(s Set) Set {
	if !slices.Equal(c.Shape, s.Shape) {
		panic(fmt.Sprintf("datasets.Scaler.Apply: fitted on examples of shape %v, %s has %v", c.Shape, s.name(), s.Shape))
	}
	_, span := channels(c.Shape)
	return Map(s, func(_ int, inputs, _ []float32) error {
		for g, mean := range c.Mean {
			part, std := inputs[g*span:(g+1)*span], c.Std[g]
			for i, v := range part {
				part[i] = float32((float64(v) - mean) / std)
			}
		}
		return nil
	})
}

// Normalize fits a scaler on the training set and applies it to both.
func Normalize(training, validation Set) (Set, Set, error) {
	c, err := Fit(training)
	if err != nil {
		return Set{}, Set{}, err
	}
	return c.Apply(training), c.Apply(validation), nil
}

// channels says how a row falls into parts that share mean and deviation: the
// channels of a picture, else every element by itself.
func channels(shape []int) (groups, span int) {
	if len(shape) == 3 {
		return shape[0], shape[1] * shape[2]
	}
	return train.Size(shape), 1
}
