package main

import (
	"math"
	"slices"
)

// Median is the middle value, the mean of the two in the middle of an even
// number, NaN of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// GeometricMean is exp of the mean logarithm, NaN of none. Values that are NaN
// are left out: rows that a peer could not run.
func GeometricMean(values []float64) float64 {
	sum, n := 0.0, 0
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += math.Log(v)
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return math.Exp(sum / float64(n))
}

// Ratios divides values of the same round; rounds that only one of the two has
// are left out.
func Ratios(over, under map[int]float64) []float64 {
	var ratios []float64
	for round, v := range over {
		if u, ok := under[round]; ok {
			ratios = append(ratios, v/u)
		}
	}
	slices.Sort(ratios)
	return ratios
}
