package baselines

import (
	"math"
	"slices"
)

// memory is the number of steps that L-BFGS remembers.
const memory = 10

// minimise runs L-BFGS (Nocedal, Wright 2006, algorithm 7.4) from x, which it
// changes, with a backtracking line search. f returns a value and writes its
// gradient. It stops when no element of the gradient is larger than tolerance,
// after limit iterations, or when no step improves on x, which is as far as
// rounding lets it go.
func minimise(f func(x, g []float64) float64, x []float64, tolerance float64, limit int) {
	n := len(x)
	g, next, gNext := make([]float64, n), make([]float64, n), make([]float64, n)
	value := f(x, g)
	var pairs []pair // oldest first
	for range limit {
		if largest(g) <= tolerance {
			return
		}
		d := direction(g, pairs)
		slope := inner(d, g)
		if !(slope < 0) { // rounding: start over with steepest descent
			if len(pairs) == 0 {
				return
			}
			pairs = nil
			continue
		}
		step, found := 1., false
		if len(pairs) == 0 {
			step = min(1, 1/math.Sqrt(inner(g, g)))
		}
		for range 40 {
			for i := range next {
				next[i] = x[i] + step*d[i]
			}
			if v := f(next, gNext); v <= value+1e-4*step*slope && v < value {
				value, found = v, true
				break
			}
			step /= 2
		}
		if !found {
			if len(pairs) == 0 {
				return
			}
			pairs = nil
			continue
		}
		p := pair{s: make([]float64, n), y: make([]float64, n)}
		for i := range x {
			p.s[i], p.y[i] = next[i]-x[i], gNext[i]-g[i]
		}
		if p.product = inner(p.s, p.y); p.product > 1e-12*inner(p.y, p.y) {
			pairs = append(pairs, p)
			pairs = pairs[max(0, len(pairs)-memory):]
		}
		copy(x, next)
		copy(g, gNext)
	}
}

// pair is a step, the change of the gradient over it, and their product.
type pair struct {
	s, y    []float64
	product float64
}

// direction is −H·g, with the inverse Hessian H that the pairs suggest (algorithm 7.4).
func direction(g []float64, pairs []pair) []float64 {
	d := slices.Clone(g)
	alpha := make([]float64, len(pairs))
	for i, p := range slices.Backward(pairs) {
		alpha[i] = inner(p.s, d) / p.product
		for j, y := range p.y {
			d[j] -= alpha[i] * y
		}
	}
	if len(pairs) > 0 {
		last := pairs[len(pairs)-1]
		scale := last.product / inner(last.y, last.y)
		for j := range d {
			d[j] *= scale
		}
	}
	for i, p := range pairs {
		beta := inner(p.y, d) / p.product
		for j, s := range p.s {
			d[j] += (alpha[i] - beta) * s
		}
	}
	for j := range d {
		d[j] = -d[j]
	}
	return d
}

func inner(a, b []float64) float64 {
	sum := 0.
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

func largest(g []float64) float64 {
	m := 0.
	for _, v := range g {
		m = max(m, math.Abs(v))
	}
	return m
}
