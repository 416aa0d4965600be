package layers

import "math"

// Swish is a helper's helper in another package.
func Swish(x float64) float64 { return x * squash(x) }

func squash(x float64) float64 {
	return 1 / (1 + math.Exp(-beta*x))
}

const beta = 1.5

// Unused is used by no step.
func Unused() int { return 11 }
