package baselines

import (
	"math"

	"github.com/actually-robust-training/art/train"
)

// affine is the shape of linear and logistic regression: inputs·weight + bias.
type affine struct{ inputs, outs int }

func (a affine) params() []train.Param {
	return []train.Param{
		{Name: "weight", Shape: []int{a.inputs, a.outs}, Value: make([]float32, a.inputs*a.outs), Decays: true},
		{Name: "bias", Shape: []int{a.outs}, Value: make([]float32, a.outs)},
	}
}

func (a affine) looksAtInputs() bool { return true }

func (a affine) outputs(out train.Tensor, values [][]float32, _ *rows, inputs train.Tensor) {
	sum := make([]float64, a.outs)
	for i := range inputs.Rows() {
		for k, b := range values[1] {
			sum[k] = float64(b)
		}
		for j, x := range inputs.Row(i) {
			for k, w := range values[0][j*a.outs : (j+1)*a.outs] {
				sum[k] += float64(x) * float64(w)
			}
		}
		for k, v := range sum {
			out.Data[i*a.outs+k] = float32(v)
		}
	}
}

type linear struct {
	affine
	penalty float64
}

func newLinear(init train.Init) (method, error) {
	a := affine{init.Example.Inputs.RowSize(), init.Example.Targets.RowSize()}
	return &linear{a, init.Optimizer.WeightDecay}, nil
}

// leastPenalty keeps the equations solvable when features depend on each other.
// With it they have the solution of (almost) least norm.
const leastPenalty = 1e-10

// fit solves the normal equations of scaled features, (ZᵀZ/n + penalty)·w = Zᵀ(y−ȳ)/n.
// Scaling makes all diagonal elements 1, which is what makes normal equations
// good enough in float64 for inputs of float32.
func (l *linear) fit(values [][]float32, r *rows) {
	s := newScale(r)
	middle := make([]float64, l.outs)
	for i := range r.n {
		for k, y := range r.target(i) {
			middle[k] += float64(y) / float64(r.n)
		}
	}
	gram, right := l.equations(r, s, middle)
	penalty := max(l.penalty, leastPenalty)
	lower := cholesky(gram, penalty)
	for lower == nil { // rounding has made the matrix indefinite
		penalty *= 10
		lower = cholesky(gram, penalty)
	}
	for k := range right {
		solve(lower, right[k])
	}
	s.fold(values[0], values[1], right, middle)
}

// equations returns the lower half of ZᵀZ/n and, for each output, Zᵀ(y−middle)/n.
func (l *linear) equations(r *rows, s scale, middle []float64) (gram, right [][]float64) {
	gram, right = make([][]float64, l.inputs), make([][]float64, l.outs)
	for j := range gram {
		gram[j] = make([]float64, j+1)
	}
	for k := range right {
		right[k] = make([]float64, l.inputs)
	}
	z := make([]float64, l.inputs)
	for i := range r.n {
		s.apply(z, r.input(i))
		for j, v := range z {
			row := gram[j]
			for m := range row {
				row[m] += v * z[m] / float64(r.n)
			}
		}
		for k, y := range r.target(i) {
			e := (float64(y) - middle[k]) / float64(r.n)
			for j, v := range z {
				right[k][j] += v * e
			}
		}
	}
	return gram, right
}

// cholesky returns L with L·Lᵀ = a + shift·1, nil if there is none in float64.
func cholesky(a [][]float64, shift float64) [][]float64 {
	lower := make([][]float64, len(a))
	for i := range a {
		lower[i] = make([]float64, i+1)
		for j := range i + 1 {
			sum := a[i][j]
			if i == j {
				sum += shift
			}
			for k := range j {
				sum -= lower[i][k] * lower[j][k]
			}
			if i > j {
				lower[i][j] = sum / lower[j][j]
				continue
			}
			if !(sum > 0) {
				return nil
			}
			lower[i][i] = math.Sqrt(sum)
		}
	}
	return lower
}

// solve replaces b by the solution x of L·Lᵀ·x = b.
func solve(lower [][]float64, b []float64) {
	for i := range b {
		for k := range i {
			b[i] -= lower[i][k] * b[k]
		}
		b[i] /= lower[i][i]
	}
	for i := len(b) - 1; i >= 0; i-- {
		for k := i + 1; k < len(b); k++ {
			b[i] -= lower[k][i] * b[k]
		}
		b[i] /= lower[i][i]
	}
}
