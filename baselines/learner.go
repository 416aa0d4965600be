package baselines

import (
	"slices"

	"github.com/actually-robust-training/art/train"
)

// method is what distinguishes one baseline from another. It holds settings
// alone: values and rows belong to the learner.
type method interface {
	// params are the parameters before any fit.
	params() []train.Param
	// looksAtInputs says that inputs must be kept and be finite.
	looksAtInputs() bool
	// fit computes the values of the parameters from the rows, of which there is one at least.
	fit(values [][]float32, r *rows)
	// outputs computes logits or values for inputs. They are zero when it is called.
	outputs(out train.Tensor, values [][]float32, r *rows, inputs train.Tensor)
}

type learner struct {
	init   train.Init
	method method
	loss   lossFunc
	names  []train.Param // with values: those of the fit to all rows, unless stale
	stale  bool          // rows have come in since the fit
	rows   rows
	// noted is the batch of the last Forward, which Update adds to the rows. It
	// need not be a copy: a batch stays as it is until the next one comes.
	noted train.Batch
	// early holds the values of the last fit by Update, to earlyRows rows; Forward
	// uses them. They are apart from those of Params, because whether somebody
	// looked at the parameters must not change the losses that follow.
	early     [][]float32
	earlyRows int
}

func newLearner(init train.Init, m method) (train.Learner, error) {
	loss, err := newLoss(init)
	if err != nil {
		return nil, err
	}
	if err := init.Optimizer.Check(); err != nil { // its weight decay may be a penalty
		return nil, err
	}
	if err := accept(init, init.Example, m.looksAtInputs()); err != nil {
		return nil, err
	}
	l := &learner{init: init, method: m, loss: loss, names: m.params(), rows: newRows(init, m.looksAtInputs())}
	l.early = cloneAll(l.values())
	return l, nil
}

func (l *learner) values() [][]float32 {
	var v [][]float32
	for _, p := range l.names {
		v = append(v, p.Value)
	}
	return v
}

func cloneAll(values [][]float32) [][]float32 {
	var c [][]float32
	for _, v := range values {
		c = append(c, slices.Clone(v))
	}
	return c
}

// Forward implements train.Learner: see the package comment.
func (l *learner) Forward(b train.Batch, _ int) (float64, error) {
	if err := accept(l.init, b, l.method.looksAtInputs()); err != nil {
		return 0, err
	}
	values := l.early
	if l.rows.n == 0 {
		values = l.values() // which may have been read from a file
	}
	l.noted = b
	return l.predict(values, b).Loss, nil
}

// Update implements train.Learner: see the package comment.
func (l *learner) Update(float64) error {
	if l.noted.Len() == 0 {
		return nil
	}
	if l.rows.add(l.noted) {
		l.stale = true
	}
	l.noted = train.Batch{}
	if l.rows.n > 0 && l.rows.n >= 2*l.earlyRows {
		l.method.fit(l.early, &l.rows)
		l.earlyRows = l.rows.n
	}
	return nil
}

// Predict implements train.Learner.
func (l *learner) Predict(b train.Batch) (train.Prediction, error) {
	if err := accept(l.init, b, false); err != nil {
		return train.Prediction{}, err
	}
	l.settle()
	return l.predict(l.values(), b), nil
}

// Params implements train.Learner.
func (l *learner) Params() []train.Param {
	l.settle()
	return slices.Clone(l.names)
}

// settle makes the fit to all rows, if it is not there.
func (l *learner) settle() {
	if !l.stale {
		return
	}
	if l.earlyRows == l.rows.n {
		for i, v := range l.values() {
			copy(v, l.early[i])
		}
	} else {
		l.method.fit(l.values(), &l.rows)
	}
	l.stale = false
}

func (l *learner) predict(values [][]float32, b train.Batch) train.Prediction {
	shape := slices.Clone(b.Targets.Shape)
	if l.init.Classes > 0 {
		shape = append(shape, l.init.Classes)
	}
	p := train.Prediction{Outputs: train.NewTensor(shape...)}
	l.method.outputs(p.Outputs, values, &l.rows, b.Inputs)
	if l.init.Classes > 0 {
		p.Probabilities = softmax(p.Outputs, l.init.Classes)
	}
	p.Loss, p.Weight = l.loss(p.Outputs, b.Targets)
	return p
}
