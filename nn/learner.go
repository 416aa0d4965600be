package nn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// Learner is a built network with its weights and its optimizer. Besides
// [train.Learner] it implements [train.Inspector], [train.Differentiator],
// [train.Freezer] and [train.Stater]. It is used by one goroutine at a time.
type Learner struct {
	net       *network[float32]
	optimizer *optimizer
	params    []train.Param
	// shapes of what the last call returned
	outputs, probabilities []int
}

func newLearner(n *network[float32], o train.Optimizer) *Learner {
	l := &Learner{net: n}
	for i, layer := range n.layers {
		for k, spec := range layer.params {
			p := train.Param{
				Name: joinName(layer.name, spec.suffix), Shape: slices.Clone(spec.shape),
				Value: n.program.params[i][k].data, Decays: spec.decays,
			}
			if g := n.program.grads[i][k]; g != nil {
				p.Grad = g.data
			}
			l.params = append(l.params, p)
		}
	}
	l.optimizer = newOptimizer(o, l.params)
	return l
}

// Forward implements train.Learner. A batch whose targets are all left out has
// the loss NaN.
func (l *Learner) Forward(b train.Batch, iteration int) (loss float64, err error) {
	if err := l.net.check(b); err != nil {
		return 0, err
	}
	err = l.net.guard(func() error {
		loss, err = l.net.forward(b, iteration)
		return err
	})
	return loss, err
}

// Update implements train.Learner. A learning rate that is no finite number is
// refused, and the weights stay as they are.
func (l *Learner) Update(learningRate float64) error {
	if !finite(learningRate) {
		return fmt.Errorf("the learning rate is %v, it must be a finite number", learningRate)
	}
	l.optimizer.update(l.params, learningRate)
	return nil
}

// Predict implements train.Learner.
func (l *Learner) Predict(b train.Batch) (p train.Prediction, err error) {
	if err := l.net.check(b); err != nil {
		return p, err
	}
	err = l.net.guard(func() error {
		o := l.net.objective
		if err := o.read(b.Targets); err != nil {
			return err
		}
		out := l.net.predict(b, false)
		p.Loss, p.Weight = o.measure(out, b.Targets, nil, true)
		l.outputs = rowsOf(l.outputs, b.Len(), l.net.output)
		p.Outputs = train.Tensor{Shape: l.outputs, Data: out}
		if o.loss.Classifies() {
			l.probabilities = rowsOf(l.probabilities, b.Len(), l.net.output)
			if k := len(l.probabilities) - 1; k > 0 && o.loss.Kind == train.BinaryCrossEntropy && l.probabilities[k] == 1 {
				l.probabilities[k] = 2
			}
			p.Probabilities = train.Tensor{Shape: l.probabilities, Data: o.probs}
		}
		return nil
	})
	return p, err
}

// rowsOf puts the number of rows before the shape of one, in dst.
func rowsOf(dst []int, rows int, shape []int) []int {
	return append(append(dst[:0], rows), shape...)
}

// Params implements train.Learner. The result is the learner's own.
func (l *Learner) Params() []train.Param { return l.params }

// Freeze implements train.Freezer. Statistics of a batch norm are frozen with
// its other parameters; a batch norm with frozen statistics normalises by them in
// training too.
func (l *Learner) Freeze(frozen func(param string) bool) error {
	if frozen == nil {
		return errors.New("freeze: the function is nil: hand one that is true for the names to freeze")
	}
	next := 0
	for i, layer := range l.net.layers {
		first := next
		free := false // a parameter that is trained
		for _, spec := range layer.params {
			p := &l.params[next]
			p.Frozen = frozen(p.Name)
			free = free || !p.Frozen && !spec.statistic
			next++
		}
		for k, spec := range layer.params {
			p := &l.params[first+k]
			p.Frozen = p.Frozen || spec.statistic && !free && hasTrained(layer)
			l.net.program.params[i][k].frozen = p.Frozen
			if p.Frozen {
				clear(p.Grad) // it is not computed any more
			}
		}
	}
	l.net.program.freeze()
	return nil
}

func hasTrained(l *layer) bool {
	return slices.ContainsFunc(l.params, func(s paramSpec) bool { return !s.statistic })
}

// Tensors implements train.Inspector.
func (l *Learner) Tensors() []string {
	var names []string
	for _, layer := range l.net.layers {
		names = append(names, layer.tensors...)
	}
	return names
}

// Activation implements train.Inspector.
func (l *Learner) Activation(name string) (train.Tensor, error) {
	i, err := l.find(name)
	if err != nil {
		return train.Tensor{}, err
	}
	rows := l.net.program.pass.rows
	if rows == 0 {
		return train.Tensor{}, fmt.Errorf("tensor %q has no value before the first Forward or Predict, or after one that failed", name)
	}
	return train.Tensor{Shape: rowsOf(nil, rows, l.net.layers[i].shape), Data: l.net.program.outputs[i].data}, nil
}

func (l *Learner) find(tensor string) (int, error) {
	for i, layer := range l.net.layers {
		if slices.Contains(layer.tensors, tensor) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("there is no tensor %q: tensors are %q", tensor, l.Tensors())
}

var (
	_ train.Learner        = (*Learner)(nil)
	_ train.Inspector      = (*Learner)(nil)
	_ train.Differentiator = (*Learner)(nil)
	_ train.Freezer        = (*Learner)(nil)
	_ train.Stater         = (*Learner)(nil)
)
