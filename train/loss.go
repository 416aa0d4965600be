package train

import (
	"fmt"
	"slices"
)

// LossKind names a loss function.
type LossKind string

// The losses every engine knows. Sums run over the elements of a row, means
// over rows (or positions); z are outputs, y targets.
const (
	// CrossEntropy of logits against class ids: log Σ exp z − z[y].
	CrossEntropy LossKind = "cross-entropy"
	// BinaryCrossEntropy of logits against 0 and 1: log(1+exp z) − y·z, the mean over outputs.
	BinaryCrossEntropy LossKind = "binary-cross-entropy"
	// MSE is the mean of (z−y)².
	MSE LossKind = "mse"
	// MAE is the mean of |z−y|.
	MAE LossKind = "mae"
	// Huber is the mean of ½d² for |d| ≤ δ, δ(|d|−½δ) beyond (Huber 1964), d = z−y.
	Huber LossKind = "huber"
)

// Loss is a loss function with its settings. A loss of the user's own has a
// Kind of its own, and an engine that knows what it means.
type Loss struct {
	Kind LossKind
	// ClassWeights multiplies the loss of each class, for CrossEntropy; the mean
	// is taken over the sum of weights. Nil for 1.
	ClassWeights []float64
	// Smoothing is the share of the target given to all classes alike, in
	// [0, 1), for CrossEntropy (Szegedy et al. 2016).
	Smoothing float64
	// Delta is where Huber turns from square to linear. Default 1.
	Delta float64
}

// Classifies reports whether the targets are class ids.
func (l Loss) Classifies() bool { return l.Kind == CrossEntropy || l.Kind == BinaryCrossEntropy }

// Check reports settings out of range.
func (l Loss) Check() error {
	switch {
	case !(l.Smoothing >= 0 && l.Smoothing < 1):
		return fmt.Errorf("loss %s: smoothing %v is outside [0, 1)", l.Kind, l.Smoothing)
	case !notNegative(l.Delta):
		return fmt.Errorf("loss %s: delta %v is not a number of 0 or more", l.Kind, l.Delta)
	case (l.Smoothing != 0 || l.ClassWeights != nil) && l.Kind != CrossEntropy:
		return fmt.Errorf("loss %s takes neither smoothing nor class weights: use %s", l.Kind, CrossEntropy)
	}
	if l.Delta != 0 && l.Kind != Huber {
		return fmt.Errorf("loss %s takes no delta, got %v: leave it out, or use %s", l.Kind, l.Delta, Huber)
	}
	if len(l.ClassWeights) > 0 && slices.Max(l.ClassWeights) == 0 {
		return fmt.Errorf("loss %s: all %d class weights are 0, so that no row counts: leave them out, or give each class a weight", l.Kind, len(l.ClassWeights))
	}
	for i, w := range l.ClassWeights {
		if !notNegative(w) {
			return fmt.Errorf("loss %s: weight %v of class %d is not a number of 0 or more", l.Kind, w, i)
		}
	}
	return nil
}
