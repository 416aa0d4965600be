package steps_test

import (
	"math"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// full is all that a learner can be; those of nn and traintest are.
type full interface {
	train.Learner
	train.Inspector
	train.Differentiator
	train.Freezer
	train.Stater
}

// wrapped is a learner with some of its methods replaced.
type wrapped struct {
	full
	init    train.Init
	forward func(b train.Batch, iteration int) (float64, error)
	update  func(learningRate float64) error
	predict func(b train.Batch) (train.Prediction, error)
	params  func() []train.Param
	freeze  func(frozen func(string) bool) error
}

func (w *wrapped) Forward(b train.Batch, i int) (float64, error)   { return w.forward(b, i) }
func (w *wrapped) Update(rate float64) error                       { return w.update(rate) }
func (w *wrapped) Predict(b train.Batch) (train.Prediction, error) { return w.predict(b) }
func (w *wrapped) Params() []train.Param                           { return w.params() }
func (w *wrapped) Freeze(frozen func(string) bool) error           { return w.freeze(frozen) }

// wrap is a model whose learners are planted with a bug. It keeps its name.
func wrap(m train.Model, plant func(w *wrapped)) train.Model {
	build := m.New
	m.New = func(init train.Init) (train.Learner, error) {
		l, err := build(init)
		if err != nil {
			return nil, err
		}
		f := l.(full)
		w := &wrapped{f, init, f.Forward, f.Update, f.Predict, f.Params, f.Freeze}
		plant(w)
		return w, nil
	}
	return m
}

// inLearner plants a bug in a learner. When fits is not nil, it says where.
func inLearner(name string, named []string, fits func(specimen) bool, plant func(w *wrapped)) bug {
	return bug{name, named, func(s specimen) (specimen, bool) {
		if fits != nil && !fits(s) {
			return s, false
		}
		s.model = wrap(s.model, plant)
		return s, true
	}}
}

func valuesOf(l train.Learner) [][]float32 {
	var kept [][]float32
	for _, p := range l.Params() {
		kept = append(kept, slices.Clone(p.Value))
	}
	return kept
}

// firstLayer is the layer of the first parameter that is trained.
func firstLayer(l train.Learner) string {
	name, _, _ := strings.Cut(l.Params()[0].Name, "/")
	return name
}

func scaleGradients(l train.Learner, factor float32) {
	for _, p := range l.Params() {
		for i := range p.Grad {
			p.Grad[i] *= factor
		}
	}
}

// initBugs are mistakes in the weights that training starts from.
func initBugs() []bug {
	relu := func(s specimen) bool {
		return slices.Contains([]string{"iris-mlp", "iris-zero-head", "blobs-tiny", "xor-one-logit", "rare-weighted", "rare-plain",
			"glyphs-smoothing", "glyphs-transfer", "friedman", "friedman-huber", "plane"}, s.name)
	}
	weights := func(change func(p train.Param)) func(w *wrapped) {
		return func(w *wrapped) {
			for _, p := range w.full.Params() {
				if p.Decays && p.Grad != nil {
					change(p)
				}
			}
		}
	}
	return []bug{
		inLearner("all weights start equal", []string{"symmetric", "same weights"}, nil, weights(func(p train.Param) {
			for i := range p.Value {
				p.Value[i] = 0.05
			}
		})),
		inLearner("weights start 30 times too large", []string{"too large"}, nil, weights(func(p train.Param) {
			for i := range p.Value {
				p.Value[i] *= 30
			}
		})),
		inLearner("all ReLUs dead", []string{"dead"}, relu, func(w *wrapped) {
			for _, p := range w.full.Params() {
				if strings.HasPrefix(p.Name, "hidden1/bias") {
					for i := range p.Value {
						p.Value[i] = -50
					}
				}
			}
		}),
		inLearner("last bias far off", []string{"bias"}, nil, func(w *wrapped) {
			params := w.full.Params()
			params[len(params)-1].Value[0] = 8
		}),
	}
}

// learnerBugs are mistakes in gradients and updates.
func learnerBugs() []bug {
	frozen := func(w *wrapped) {
		layer := firstLayer(w.full)
		if err := w.full.Freeze(func(p string) bool { return strings.HasPrefix(p, layer+"/") }); err != nil {
			panic(err)
		}
	}
	return []bug{
		inLearner("loss summed, not averaged", []string{"summed"}, nil, func(w *wrapped) {
			w.forward = func(b train.Batch, i int) (float64, error) {
				loss, err := w.full.Forward(b, i)
				scaleGradients(w.full, float32(b.Len()))
				return loss * float64(b.Len()), err
			}
		}),
		inLearner("gradient summed, loss averaged", []string{"summed"}, nil, func(w *wrapped) {
			w.forward = func(b train.Batch, i int) (float64, error) {
				loss, err := w.full.Forward(b, i)
				scaleGradients(w.full, float32(b.Len()))
				return loss, err
			}
		}),
		inLearner("loss a hundredth in training", []string{"scaled"}, nil, func(w *wrapped) {
			w.forward = func(b train.Batch, i int) (float64, error) {
				loss, err := w.full.Forward(b, i)
				scaleGradients(w.full, 0.01)
				return loss * 0.01, err
			}
		}),
		inLearner("gradient of the wrong sign", []string{"sign"}, nil, func(w *wrapped) {
			w.forward = func(b train.Batch, i int) (float64, error) {
				loss, err := w.full.Forward(b, i)
				scaleGradients(w.full, -1)
				return loss, err
			}
		}),
		inLearner("update of the wrong sign", []string{"sign"}, nil, func(w *wrapped) {
			w.update = func(rate float64) error { return w.full.Update(-rate) }
		}),
		inLearner("gradients not zeroed", []string{"accumulate", "zeroed"}, nil, func(w *wrapped) {
			var old [][]float32
			w.forward = func(b train.Batch, i int) (float64, error) {
				loss, err := w.full.Forward(b, i)
				for k, p := range w.full.Params() {
					if k == len(old) {
						old = append(old, make([]float32, len(p.Grad)))
					}
					for j := range p.Grad {
						p.Grad[j] += old[k][j]
						old[k][j] = p.Grad[j]
					}
				}
				return loss, err
			}
		}),
		inLearner("one layer frozen by accident", []string{"frozen"}, nil, frozen),
		inLearner("one layer does not learn", []string{"did not learn", "no update follows"}, nil, func(w *wrapped) {
			layer := firstLayer(w.full)
			w.update = func(rate float64) error {
				old := valuesOf(w.full)
				err := w.full.Update(rate)
				for i, p := range w.full.Params() {
					if strings.HasPrefix(p.Name, layer+"/") {
						copy(p.Value, old[i])
					}
				}
				return err
			}
		}),
		inLearner("one layer detached", []string{"detached"}, nil, func(w *wrapped) {
			layer := firstLayer(w.full)
			w.forward = func(b train.Batch, i int) (float64, error) {
				loss, err := w.full.Forward(b, i)
				for _, p := range w.full.Params() {
					if strings.HasPrefix(p.Name, layer+"/") {
						clear(p.Grad)
					}
				}
				return loss, err
			}
		}),
		inLearner("learning rate ignored", []string{"learning rate"}, nil, func(w *wrapped) {
			rate := w.init.Optimizer.WithDefaults().LearningRate
			w.update = func(float64) error { return w.full.Update(rate) }
		}),
		inLearner("parameters are copies", []string{"copies"}, nil, func(w *wrapped) {
			w.params = func() []train.Param {
				params := slices.Clone(w.full.Params())
				for i := range params {
					params[i].Value = slices.Clone(params[i].Value)
				}
				return params
			}
		}),
		inLearner("dropout masks from a counter", []string{"random"}, hasDropout, func(w *wrapped) {
			calls := 0
			w.forward = func(b train.Batch, _ int) (float64, error) {
				calls++
				return w.full.Forward(b, calls)
			}
		}),
	}
}

func hasDropout(s specimen) bool { return s.name == "glyphs-cnn" }

// modeBugs are mistakes in prediction.
func modeBugs() []bug {
	inTraining := func(iteration func() int) func(w *wrapped) {
		return func(w *wrapped) {
			w.predict = func(b train.Batch) (train.Prediction, error) {
				kept := valuesOf(w.full)
				_, err := w.full.Forward(b, iteration())
				if err != nil {
					return train.Prediction{}, err
				}
				for i, p := range w.full.Params() {
					copy(p.Value, kept[i]) // running statistics
				}
				out, err := w.full.Activation("output")
				return classified(out, b), err
			}
		}
	}
	batchNorm := hasDropout // the same recipe
	return []bug{
		inLearner("batch norm never in inference mode", []string{"batch norm"}, batchNorm, inTraining(func() int { return 0 })),
		inLearner("dropout active in prediction", []string{"dropout"}, hasDropout, func(w *wrapped) {
			calls := 0
			inTraining(func() int { calls++; return calls })(w)
		}),
		inLearner("running statistics never updated", []string{"batch norm", "statistics"}, batchNorm, func(w *wrapped) {
			w.forward = func(b train.Batch, i int) (float64, error) {
				kept := valuesOf(w.full)
				loss, err := w.full.Forward(b, i)
				for i, p := range w.full.Params() {
					if p.Grad == nil {
						copy(p.Value, kept[i])
					}
				}
				return loss, err
			}
		}),
		inLearner("predictions in the wrong order", []string{"row", "batch"}, nil, func(w *wrapped) {
			w.predict = func(b train.Batch) (train.Prediction, error) {
				p, err := w.full.Predict(b)
				if err != nil {
					return p, err
				}
				p.Outputs, p.Probabilities = turned(p.Outputs), turned(p.Probabilities)
				return p, nil
			}
		}),
		inLearner("the same prediction for all rows", []string{"same output", "same prediction"}, nil, func(w *wrapped) {
			w.predict = func(b train.Batch) (train.Prediction, error) {
				first := b.Clone()
				for i := range b.Len() {
					copy(first.Inputs.Row(i), b.Inputs.Row(0))
				}
				return w.full.Predict(first)
			}
		}),
		inLearner("prediction keeps an old first layer", []string{"inference", "training"}, nil, func(w *wrapped) {
			start := valuesOf(w.full)
			w.predict = func(b train.Batch) (train.Prediction, error) {
				now := valuesOf(w.full)
				layer := firstLayer(w.full)
				for i, p := range w.full.Params() {
					if strings.HasPrefix(p.Name, layer+"/") {
						copy(p.Value, start[i])
					}
				}
				prediction, err := w.full.Predict(b)
				for i, p := range w.full.Params() {
					copy(p.Value, now[i])
				}
				return prediction, err
			}
		}),
	}
}

// turned moves rows on by one.
func turned(t train.Tensor) train.Tensor {
	if len(t.Data) == 0 {
		return t
	}
	size := t.RowSize()
	u := t.Clone()
	copy(u.Data, slices.Concat(t.Data[size:], t.Data[:size]))
	return u
}

// classified makes a prediction of logits.
func classified(out train.Tensor, b train.Batch) train.Prediction {
	out = out.Clone()
	p := train.Prediction{Outputs: out, Probabilities: train.NewTensor(out.Shape...), Weight: float64(b.Len())}
	for i := range b.Len() {
		row, sum := out.Row(i), 0.
		largest := slices.Max(row)
		for j, z := range row {
			e := math.Exp(float64(z - largest))
			p.Probabilities.Row(i)[j] = float32(e)
			sum += e
		}
		for j := range row {
			p.Probabilities.Row(i)[j] /= float32(sum)
		}
		p.Loss -= math.Log(max(float64(p.Probabilities.Row(i)[int(b.Targets.Data[i])]), 1e-30)) / float64(b.Len())
	}
	return p
}
