package nn

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

// objective computes a loss and its gradient with respect to the outputs.
type objective[F kernel.Float] struct {
	loss    train.Loss
	shape   []int // of a row of outputs
	targets []int // class ids of the batch
	weights []F   // of the classes
	losses  []F
	// probs of the last batch, if they were asked for
	probs []F
}

// newObjective checks that outputs of a shape fit the loss and the targets of
// the example.
func newObjective[F kernel.Float](init train.Init, shape []int) (*objective[F], error) {
	if err := init.Loss.Check(); err != nil {
		return nil, err
	}
	o := &objective[F]{loss: init.Loss, shape: shape}
	for _, w := range init.Loss.ClassWeights {
		o.weights = append(o.weights, F(w))
	}
	if o.loss.Delta == 0 {
		o.loss.Delta = 1
	}
	if init.Loss.Classifies() && len(shape) == 0 {
		return nil, fmt.Errorf("output: got rows of one number without an axis, want [classes] or [positions, classes]")
	}
	switch init.Loss.Kind {
	case train.CrossEntropy:
		if k := o.classes(); init.Classes > 0 && k != init.Classes {
			return nil, fmt.Errorf("output: got %d logits, want %d, one for each class: end with Dense(name, x.Classes())", k, init.Classes)
		}
		if o.weights != nil && len(o.weights) != o.classes() {
			return nil, fmt.Errorf("loss %s: got %d class weights, want %d, one for each class", o.loss.Kind, len(o.weights), o.classes())
		}
	case train.BinaryCrossEntropy, train.MSE, train.MAE, train.Huber:
	default:
		return nil, fmt.Errorf("there is no loss %q: use %s, %s, %s, %s or %s", o.loss.Kind,
			train.CrossEntropy, train.BinaryCrossEntropy, train.MSE, train.MAE, train.Huber)
	}
	return o, o.check(init.Example.Targets)
}

func (o *objective[F]) classes() int { return o.shape[len(o.shape)-1] }

// check reports targets whose shape does not fit the outputs.
func (o *objective[F]) check(t train.Tensor) error {
	want := o.shape
	if o.loss.Kind == train.CrossEntropy {
		want = want[:len(want)-1]
	}
	if len(t.Shape) > 0 && t.RowSize() == train.Size(want) {
		return nil
	}
	got := t.Shape
	if len(got) > 0 {
		got = got[1:]
	}
	if o.loss.Kind == train.CrossEntropy {
		each := "one class id"
		if len(want) > 0 {
			each = fmt.Sprintf("a class id for each of %v", want)
		}
		return fmt.Errorf("targets: got rows of shape %v, want %s, for outputs have rows of shape %v: use ids and not one-hot rows, or nn.Regressor for values", got, each, o.shape)
	}
	return fmt.Errorf("targets: got rows of shape %v, want %v, that of the outputs: end with Dense(name, x.Values())", got, want)
}

// read checks the targets of a batch, which measure then takes as they are.
func (o *objective[F]) read(targets train.Tensor) error {
	if err := o.check(targets); err != nil {
		return err
	}
	switch o.loss.Kind {
	case train.CrossEntropy:
		return o.readClasses(targets, o.classes())
	case train.BinaryCrossEntropy:
		return checkLabels(targets)
	}
	return nil
}

// measure computes the mean loss and what it was divided by, for targets that
// read has seen. It writes the gradient of the mean with respect to the outputs
// to grad unless that is nil, and the probabilities of the classes to o.probs if
// asked to.
func (o *objective[F]) measure(out []F, targets train.Tensor, grad []F, probs bool) (loss, weight float64) {
	switch o.loss.Kind {
	case train.CrossEntropy:
		return o.crossEntropy(out, grad, probs)
	case train.BinaryCrossEntropy:
		return o.binaryCrossEntropy(out, targets.Data, grad, probs)
	default:
		return o.elementwise(out, targets.Data, grad), float64(targets.Rows())
	}
}

func (o *objective[F]) crossEntropy(out, grad []F, probs bool) (loss, weight float64) {
	k, p := o.classes(), grad
	if probs {
		o.probs = grow(o.probs, len(out))
		p = o.probs
	}
	o.losses = grow(o.losses, len(o.targets))
	ce := kernel.CrossEntropy[F]{Rows: len(o.targets), Classes: k, Targets: o.targets, Weights: o.weights, Smoothing: F(o.loss.Smoothing)}
	weight = ce.Forward(o.losses, p, out)
	if grad != nil {
		ce.Backward(grad, p, F(1/weight))
	}
	return kernel.Sum(o.losses) / weight, weight
}

// readClasses checks class ids and turns them into whole numbers.
func (o *objective[F]) readClasses(targets train.Tensor, classes int) error {
	o.targets = grow(o.targets, len(targets.Data))
	positions := targets.RowSize()
	for i, t := range targets.Data {
		id := int(t)
		if id >= classes || float32(id) != t {
			return badClass(i, positions, t, classes)
		}
		o.targets[i] = id
	}
	return nil
}

func badClass(i, positions int, t float32, classes int) error {
	where := fmt.Sprintf("row %d", i/positions)
	if positions > 1 {
		where += fmt.Sprintf(", position %d", i%positions)
	}
	return fmt.Errorf("targets: %s has the class id %v, but there are %d classes: ids are 0 to %d, negative ids are left out", where, t, classes, classes-1)
}

// checkLabels reports labels of binary cross-entropy that are not in [0, 1];
// negative ones are left out.
func checkLabels(targets train.Tensor) error {
	for i, t := range targets.Data {
		if t > 1 || t != t {
			return badClass(i, targets.RowSize(), t, 2)
		}
	}
	return nil
}

func (o *objective[F]) binaryCrossEntropy(out []F, targets []float32, grad []F, probs bool) (loss, weight float64) {
	for _, t := range targets {
		if t >= 0 {
			weight++
		}
	}
	for i, y := range targets {
		z, y := float64(out[i]), float64(y)
		e := math.Exp(-math.Abs(z))
		s := 1 / (1 + e) // sigmoid(|z|)
		if z < 0 {
			s = e / (1 + e)
		}
		if y >= 0 {
			loss += max(z, 0) - y*z + math.Log1p(e)
		}
		if grad != nil && y >= 0 {
			grad[i] = F((s - y) / weight)
		} else if grad != nil {
			grad[i] = 0
		}
	}
	if probs {
		o.sigmoids(out)
	}
	return loss / weight, weight
}

// sigmoids writes the probabilities of independent logits; of a single logit,
// those of both classes.
func (o *objective[F]) sigmoids(out []F) {
	if o.classes() != 1 {
		o.probs = grow(o.probs, len(out))
		kernel.Sigmoid(o.probs, out)
		return
	}
	o.probs = grow(o.probs, 2*len(out))
	for i, z := range out {
		s := 1 / (1 + math.Exp(-float64(z)))
		o.probs[2*i], o.probs[2*i+1] = F(1-s), F(s)
	}
}

// elementwise is the mean over all elements of a function of d = out−target.
func (o *objective[F]) elementwise(out []F, targets []float32, grad []F) float64 {
	if same, ok := any(targets).([]F); ok && o.loss.Kind == train.MSE {
		return o.meanSquare(out, same, grad)
	}
	sum, scale := 0.0, 1/float64(len(out))
	for i, z := range out {
		d := float64(z) - float64(targets[i])
		value, slope := o.distance(d)
		sum += value
		if grad != nil {
			grad[i] = F(slope * scale)
		}
	}
	return sum * scale
}

// meanSquare is the mean of d² by kernels, for networks with many outputs.
func (o *objective[F]) meanSquare(out, targets, grad []F) float64 {
	d := grad
	if d == nil {
		o.losses = grow(o.losses, len(out))
		d = o.losses
	}
	n := float64(len(out))
	kernel.Sub(d, out, targets)
	sum := kernel.SumSquares(d)
	if grad != nil {
		kernel.Scale(d, F(2/n), d)
	}
	return sum / n
}

func (o *objective[F]) distance(d float64) (value, slope float64) {
	switch delta := o.loss.Delta; {
	case o.loss.Kind == train.MSE:
		return d * d, 2 * d
	case o.loss.Kind == train.Huber && math.Abs(d) <= delta:
		return d * d / 2, d
	case o.loss.Kind == train.Huber:
		return delta * (math.Abs(d) - delta/2), math.Copysign(delta, d)
	case d == 0:
		return 0, 0
	default:
		return math.Abs(d), math.Copysign(1, d)
	}
}
