package baselines

import (
	"math"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

type logistic struct {
	affine
	penalty float64
}

func newLogistic(init train.Init) (method, error) {
	if err := onePosition(init); err != nil {
		return nil, err
	}
	return &logistic{affine{init.Example.Inputs.RowSize(), init.Classes}, init.Optimizer.WeightDecay}, nil
}

func (l *logistic) fit(values [][]float32, r *rows) {
	problem := newLogisticProblem(r, l.inputs, l.outs, l.penalty)
	x := make([]float64, len(problem.weights))
	minimise(problem.value, x, problem.tolerance(), 1000)
	w := make([][]float64, l.outs)
	for k := range w {
		w[k] = x[k*l.inputs : (k+1)*l.inputs]
	}
	problem.scale.fold(values[0], values[1], w, x[l.inputs*l.outs:])
}

// logisticProblem is a loss and its gradient in the weights [classes][inputs] on
// scaled features and, behind them, the biases [classes]. Products are in float32,
// sums over rows and all that L-BFGS keeps in float64.
type logisticProblem struct {
	rows            *rows
	scale           scale
	inputs, classes int
	penalty         float64

	work     kernel.Workspace
	scaled   []float32 // [rows, inputs]
	weights  []float32 // as x, in float32
	logits   []float32 // [rows, classes]; then the gradient by them
	gradient []float32 // [classes, inputs]
}

func newLogisticProblem(r *rows, inputs, classes int, penalty float64) *logisticProblem {
	p := &logisticProblem{
		rows: r, scale: newScale(r), inputs: inputs, classes: classes, penalty: penalty,
		scaled: make([]float32, r.n*inputs), weights: make([]float32, (inputs+1)*classes),
		logits: make([]float32, r.n*classes), gradient: make([]float32, inputs*classes),
	}
	z := make([]float64, inputs)
	for i := range r.n {
		p.scale.apply(z, r.input(i))
		for j, v := range z {
			p.scaled[i*inputs+j] = float32(v)
		}
	}
	return p
}

// tolerance of the gradient: 1e-7 for tables, more the more an iteration costs, to
// the 1e-4 of scikit-learn.
func (p *logisticProblem) tolerance() float64 {
	cost := float64(p.rows.n) * float64(len(p.weights))
	return min(max(1e-12*cost, 1e-7), 1e-4)
}

// value returns the loss at x and writes the gradient to g.
func (p *logisticProblem) value(x, g []float64) float64 {
	n, weights := p.rows.n, p.inputs*p.classes
	for i, v := range x {
		p.weights[i] = float32(v)
	}
	kernel.Gemm(&p.work, kernel.GemmArgs[float32]{
		M: n, N: p.classes, K: p.inputs, A: p.scaled, B: p.weights[:weights], TransB: true, C: p.logits, BiasN: p.weights[weights:],
	})
	loss := p.differentiate(g[weights:]) / float64(n)
	kernel.Gemm(&p.work, kernel.GemmArgs[float32]{
		M: p.classes, N: p.inputs, K: n, A: p.logits, TransA: true, B: p.scaled, C: p.gradient,
	})
	for i, w := range x[:weights] {
		g[i] = float64(p.gradient[i])/float64(n) + p.penalty*w
		loss += p.penalty * w * w / 2
	}
	return loss
}

// differentiate returns the sum of the losses, puts the gradients by the logits in
// their place, and writes the mean of those to bias.
func (p *logisticProblem) differentiate(bias []float64) (loss float64) {
	clear(bias)
	z := make([]float64, p.classes)
	for i := range p.rows.n {
		row, y := p.logits[i*p.classes:(i+1)*p.classes], int(p.rows.target(i)[0])
		largest, sum := math.Inf(-1), 0.
		for _, v := range row {
			largest = max(largest, float64(v))
		}
		for k, v := range row {
			z[k] = math.Exp(float64(v) - largest)
			sum += z[k]
		}
		loss += math.Log(sum) - (float64(row[y]) - largest)
		for k, v := range z {
			d := v / sum
			if k == y {
				d--
			}
			row[k] = float32(d)
			bias[k] += d / float64(p.rows.n)
		}
	}
	return loss
}
