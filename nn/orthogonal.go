package nn

import (
	"math"
	"math/rand/v2"
)

// Orthogonal makes the rows (or, if there are more outputs than inputs, the
// columns) of the weight, seen as a matrix [outputs, fan-in], orthogonal and of
// length gain (Saxe, McClelland, Ganguli 2014): 1 for linear layers, √2 before
// ReLU.
func Orthogonal(gain float64) Init {
	return func(rng *rand.Rand, shape []int, w []float32) {
		rows := shape[0]
		cols := len(w) / rows
		vectors, length := min(rows, cols), max(rows, cols)
		basis := orthonormal(rng, vectors, length)
		for i := range rows {
			for j := range cols {
				v := 0.0
				if rows <= cols {
					v = basis[i][j]
				} else {
					v = basis[j][i]
				}
				w[i*cols+j] = float32(gain * v)
			}
		}
	}
}

// orthonormal draws vectors that are orthogonal and of length 1, by Gram and
// Schmidt's method, applied twice for accuracy, on normal vectors.
func orthonormal(rng *rand.Rand, vectors, length int) [][]float64 {
	basis := make([][]float64, vectors)
	for i := range basis {
		v := make([]float64, length)
		for j := range v {
			v[j] = rng.NormFloat64()
		}
		for range 2 {
			for _, b := range basis[:i] {
				d := dot(v, b)
				for j := range v {
					v[j] -= d * b[j]
				}
			}
		}
		norm := math.Sqrt(dot(v, v))
		for j := range v {
			v[j] /= norm
		}
		basis[i] = v
	}
	return basis
}

func dot(x, y []float64) float64 {
	s := 0.0
	for i, v := range x {
		s += v * y[i]
	}
	return s
}
