package traintest

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// MLP is a small network in plain Go: inputs, a layer of hidden units with tanh,
// and an output layer. It classifies (cross-entropy) when the data has classes,
// else it regresses (mean squared error). It knows SGD with momentum and weight
// decay, implements all optional interfaces of train, and computes in float64,
// for tests in which an engine would be out of place. Parameters are "fc1/weight"
// [inputs, hidden], "fc1/bias", "fc2/weight" [hidden, outputs] and "fc2/bias";
// tensors are "input", "hidden" and "output".
func MLP(hidden int) train.Model {
	return train.Model{
		Name:      "mlp",
		Loss:      train.Loss{Kind: train.CrossEntropy},
		Optimizer: train.SGD(0.1, 0.9),
		New:       func(init train.Init) (train.Learner, error) { return newMLP(hidden, init) },
	}
}

type mlp struct {
	init                    train.Init
	inputs, hidden, outputs int
	layers                  [2]*layer
	input, h, out           train.Tensor // of the last call
}

type layer struct {
	name             string
	in, out          int
	weight, bias     []float32
	dWeight, dBias   []float32
	vWeight, vBias   []float32 // moments
	frozenW, frozenB bool
}

func newMLP(hidden int, init train.Init) (train.Learner, error) {
	if m := init.Optimizer.WithDefaults().Method; m != train.MethodSGD {
		return nil, fmt.Errorf("traintest.MLP knows %s alone, not %s", train.MethodSGD, m)
	}
	m := &mlp{init: init, inputs: init.Example.Inputs.RowSize(), hidden: hidden, outputs: init.Classes}
	if init.Classes == 0 {
		m.outputs = init.Example.Targets.RowSize()
	}
	m.layers[0] = newLayer("fc1", m.inputs, hidden, init.Seed)
	m.layers[1] = newLayer("fc2", hidden, m.outputs, init.Seed)
	return m, nil
}

func newLayer(name string, in, out int, seed uint64) *layer {
	zeros := func(n int) []float32 { return make([]float32, n) }
	l := &layer{
		name: name, in: in, out: out, weight: zeros(in * out), bias: zeros(out),
		dWeight: zeros(in * out), dBias: zeros(out), vWeight: zeros(in * out), vBias: zeros(out),
	}
	r := train.Rand(seed, name)
	for i := range l.weight {
		l.weight[i] = float32((2*r.Float64() - 1) / math.Sqrt(float64(in)))
	}
	return l
}

// apply computes x·W + b for one row.
func (l *layer) apply(x, y []float32, squash bool) {
	for j := range y {
		sum := float64(l.bias[j])
		for i, v := range x {
			sum += float64(v) * float64(l.weight[i*l.out+j])
		}
		if squash {
			sum = math.Tanh(sum)
		}
		y[j] = float32(sum)
	}
}

// back returns dy·Wᵀ for one row.
func (l *layer) back(dy []float64) []float64 {
	dx := make([]float64, l.in)
	for i := range dx {
		for j, d := range dy {
			dx[i] += d * float64(l.weight[i*l.out+j])
		}
	}
	return dx
}

func (m *mlp) run(b train.Batch) error {
	if err := accept(m.init, b); err != nil {
		return err
	}
	m.input = b.Inputs
	m.h = train.NewTensor(b.Len(), m.hidden)
	m.out = train.NewTensor(b.Len(), m.outputs)
	for i := range b.Len() {
		m.layers[0].apply(b.Inputs.Row(i), m.h.Row(i), true)
		m.layers[1].apply(m.h.Row(i), m.out.Row(i), false)
	}
	return nil
}

// loss returns the mean loss, its weight, the gradient by outputs and the probabilities.
func (m *mlp) loss(b train.Batch) (loss, weight float64, dout [][]float64, prob train.Tensor) {
	if m.init.Classes > 0 {
		prob = train.NewTensor(m.out.Shape...)
	}
	for i := range b.Len() {
		d := make([]float64, m.outputs)
		dout = append(dout, d)
		if m.init.Classes == 0 {
			for j, y := range b.Targets.Row(i) {
				e := float64(m.out.Row(i)[j]) - float64(y)
				loss += e * e / float64(m.outputs)
				d[j] = 2 * e / float64(m.outputs)
			}
			weight++
			continue
		}
		p := softmax(m.out.Row(i))
		for j, v := range p {
			prob.Row(i)[j] = float32(v)
		}
		if class := int(b.Targets.Data[i]); class >= 0 {
			copy(d, p)
			d[class]--
			loss -= math.Log(p[class])
			weight++
		}
	}
	for _, d := range dout {
		for j := range d {
			d[j] /= max(weight, 1)
		}
	}
	return loss / max(weight, 1), weight, dout, prob
}

func softmax(z []float32) []float64 {
	p := make([]float64, len(z))
	largest, sum := float64(slices.Max(z)), 0.
	for i, v := range z {
		p[i] = math.Exp(float64(v) - largest)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

func (m *mlp) Forward(b train.Batch, _ int) (float64, error) {
	if err := m.run(b); err != nil {
		return 0, err
	}
	loss, _, dout, _ := m.loss(b)
	sums := [2][]float64{make([]float64, m.inputs*m.hidden+m.hidden), make([]float64, m.hidden*m.outputs+m.outputs)}
	for row, d := range dout {
		outer(sums[1], m.h.Row(row), d)
		outer(sums[0], b.Inputs.Row(row), m.hiddenGradient(row, d))
	}
	for k, l := range m.layers {
		for i := range l.dWeight {
			l.dWeight[i] = float32(sums[k][i])
		}
		for j := range l.dBias {
			l.dBias[j] = float32(sums[k][l.in*l.out+j])
		}
	}
	return loss, nil
}

// hiddenGradient takes a gradient by outputs to one by what enters tanh.
func (m *mlp) hiddenGradient(row int, dout []float64) []float64 {
	dh := m.layers[1].back(dout)
	for i, h := range m.h.Row(row) {
		dh[i] *= 1 - float64(h)*float64(h)
	}
	return dh
}

// outer adds xᵀ·dy to the weights, then dy to the biases behind them.
func outer(sum []float64, x []float32, dy []float64) {
	for i, v := range x {
		for j, d := range dy {
			sum[i*len(dy)+j] += float64(v) * d
		}
	}
	for j, d := range dy {
		sum[len(x)*len(dy)+j] += d
	}
}

func (m *mlp) Update(learningRate float64) error {
	decay := m.init.Optimizer.WeightDecay
	for _, p := range m.arrays() {
		if p.Frozen {
			continue
		}
		for i, g := range p.Grad {
			if p.Decays {
				g += float32(decay) * p.Value[i]
			}
			p.moment[i] = float32(m.init.Optimizer.Momentum)*p.moment[i] + g
			p.Value[i] -= float32(learningRate) * p.moment[i]
		}
	}
	return nil
}

func (m *mlp) Predict(b train.Batch) (train.Prediction, error) {
	if err := m.run(b); err != nil {
		return train.Prediction{}, err
	}
	loss, weight, _, prob := m.loss(b)
	return train.Prediction{Outputs: m.out, Probabilities: prob, Loss: loss, Weight: weight}, nil
}
