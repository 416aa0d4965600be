package traintest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// Parabola is a model whose loss is ½‖w−minimum‖² whatever the data, trained by
// plain gradient descent from w = 0. Its answer is known at every iteration: at
// learning rate r, w after n updates is minimum·(1−(1−r)ⁿ). It predicts w for
// every row, which only fits regressions with as many values as minimum has;
// data with classes get no probabilities. Its only parameter is "w".
func Parabola(minimum ...float32) train.Model {
	return train.Model{
		Name:      "parabola",
		Loss:      train.Loss{Kind: "parabola"},
		Optimizer: train.SGD(0.1, 0),
		New: func(init train.Init) (train.Learner, error) {
			if len(minimum) == 0 {
				return nil, errors.New("the parabola needs a minimum")
			}
			return &parabola{
				init: init, minimum: slices.Clone(minimum),
				w: make([]float32, len(minimum)), grad: make([]float32, len(minimum)),
			}, nil
		},
	}
}

type parabola struct {
	init             train.Init
	minimum, w, grad []float32
	frozen           bool
}

func (p *parabola) loss() float64 {
	sum := 0.
	for i, w := range p.w {
		d := float64(w) - float64(p.minimum[i])
		sum += d * d / 2
	}
	return sum
}

func (p *parabola) Forward(b train.Batch, _ int) (float64, error) {
	if err := accept(p.init, b); err != nil {
		return 0, err
	}
	for i, w := range p.w {
		p.grad[i] = w - p.minimum[i]
	}
	return p.loss(), nil
}

func (p *parabola) Update(learningRate float64) error {
	if p.frozen {
		return nil
	}
	for i, g := range p.grad {
		p.w[i] -= float32(learningRate) * g
	}
	return nil
}

func (p *parabola) Predict(b train.Batch) (train.Prediction, error) {
	if err := accept(p.init, b); err != nil {
		return train.Prediction{}, err
	}
	out := train.NewTensor(b.Len(), len(p.w))
	for i := range b.Len() {
		copy(out.Row(i), p.w)
	}
	return train.Prediction{Outputs: out, Loss: p.loss(), Weight: float64(b.Len())}, nil
}

func (p *parabola) Params() []train.Param {
	return []train.Param{{Name: "w", Shape: []int{len(p.w)}, Value: p.w, Grad: p.grad, Frozen: p.frozen, Decays: true}}
}

func (p *parabola) Freeze(frozen func(string) bool) error { p.frozen = frozen("w"); return nil }

// State is empty: gradient descent without momentum has none beyond w.
func (p *parabola) State() []train.Named { return nil }

func (p *parabola) SetState(state []train.Named) error {
	if len(state) > 0 {
		return fmt.Errorf("the parabola has no state, least of all %q", state[0].Name)
	}
	return nil
}
