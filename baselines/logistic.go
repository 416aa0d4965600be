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
	problem := &logisticProblem{rows: r, scale: newScale(r), inputs: l.inputs, classes: l.outs, penalty: l.penalty}
	x := make([]float64, (l.inputs+1)*l.outs)
	minimise(problem.value, x, 1e-7, 1000)
	w := make([][]float64, l.outs)
	for k := range w {
		w[k] = x[k*l.inputs : (k+1)*l.inputs]
	}
	problem.scale.fold(values[0], values[1], w, x[l.inputs*l.outs:])
}

// logisticProblem is a loss and its gradient in the weights [classes][inputs] on
// scaled features and, behind them, the biases [classes].
type logisticProblem struct {
	rows            *rows
	scale           scale
	inputs, classes int
	penalty         float64
}

// parts into which the rows are cut for parallel work. The number is fixed, so
// that sums are the same on any number of processors.
const parts = 8

// value returns the loss at x and writes the gradient to g. The scaling is moved
// into the weights, so that features are used as they are stored:
// (z−mean)·inverse·w = z·(inverse·w) − mean·(inverse·w).
func (p *logisticProblem) value(x, g []float64) float64 {
	weights := p.inputs * p.classes
	raw, bias := make([]float64, weights), make([]float64, p.classes)
	copy(bias, x[weights:])
	for i, w := range x[:weights] {
		raw[i] = w * p.scale.inverse[i%p.inputs]
		bias[i/p.inputs] -= raw[i] * p.scale.mean[i%p.inputs]
	}
	var losses [parts]float64
	var gradients [parts][]float64
	kernel.Parallel(parts, 1, func(lo, hi int) {
		for part := lo; part < hi; part++ {
			gradients[part] = make([]float64, len(x))
			losses[part] = p.part(part*p.rows.n/parts, (part+1)*p.rows.n/parts, raw, bias, gradients[part])
		}
	})
	clear(g)
	loss := 0.
	for part, v := range losses {
		loss += v
		for i, d := range gradients[part] {
			g[i] += d
		}
	}
	n := float64(p.rows.n)
	loss /= n
	for i := range g {
		g[i] /= n
	}
	for i, w := range x[:weights] {
		j, k := i%p.inputs, i/p.inputs
		g[i] = (g[i]-p.scale.mean[j]*g[weights+k])*p.scale.inverse[j] + p.penalty*w
		loss += p.penalty * w * w / 2
	}
	return loss
}

// part adds the rows lo to hi: their loss is returned, the gradient by raw
// weights and biases is added to g.
func (p *logisticProblem) part(lo, hi int, raw, bias, g []float64) (loss float64) {
	z := make([]float64, p.classes)
	for i := lo; i < hi; i++ {
		x, y := p.rows.input(i), int(p.rows.target(i)[0])
		largest := math.Inf(-1)
		for k := range z {
			z[k] = bias[k] + dot(x, raw[k*p.inputs:(k+1)*p.inputs])
			largest = max(largest, z[k])
		}
		loss -= z[y] - largest
		sum := 0.
		for k, v := range z {
			z[k] = math.Exp(v - largest)
			sum += z[k]
		}
		loss += math.Log(sum)
		for k, v := range z {
			d := v / sum
			if k == y {
				d--
			}
			g[len(raw)+k] += d
			axpy(g[k*p.inputs:(k+1)*p.inputs], d, x)
		}
	}
	return loss
}

func dot(x []float32, w []float64) float64 {
	w = w[:len(x)]
	var a, b, c, d float64 // four sums: one alone waits for each addition
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += float64(x[i]) * w[i]
		b += float64(x[i+1]) * w[i+1]
		c += float64(x[i+2]) * w[i+2]
		d += float64(x[i+3]) * w[i+3]
	}
	for ; i < len(x); i++ {
		a += float64(x[i]) * w[i]
	}
	return a + b + (c + d)
}

func axpy(g []float64, d float64, x []float32) {
	g = g[:len(x)]
	for j, v := range x {
		g[j] += d * float64(v)
	}
}
