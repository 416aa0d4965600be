package steps

import (
	"cmp"
	"math"
	"slices"
)

// ranks tells, as likeness does, whether predictions follow the targets, by the
// order of the predicted probabilities of each class alone. Where a class is rare,
// the few rows that have it get probabilities of all sizes, and a mean of them has
// a standard error as large as itself; their ranks still say that they are among
// the likelier. For two classes it is the test of Mann and Whitney (1947).
type ranks struct {
	k       int
	p       []float32 // [rows, k]
	classes []int
}

// mostRanked bounds the probabilities that are kept: with more rows, means have
// small errors, too.
const mostRanked = 1 << 20

func (r *ranks) add(p []float32, class int) {
	r.k = len(p)
	if r.k > manyClasses || len(r.p)+r.k > mostRanked {
		return
	}
	r.p = append(r.p, p...)
	r.classes = append(r.classes, class)
}

// z is the sum of the ranks of the probabilities that the rows give their own
// class, as a number of standard deviations above the mean of that sum over all
// permutations of the classes (Hoeffding 1951). 0 when there is nothing to rank.
func (r *ranks) z() float64 {
	n := len(r.classes)
	if n < 2 {
		return 0
	}
	a, share := r.table(), make([]float64, r.k)
	for _, c := range r.classes {
		share[c] += 1 / float64(n)
	}
	sum, squares := 0., 0.
	for i, c := range r.classes {
		row, mean := a[i*r.k:(i+1)*r.k], 0.
		for k, v := range row {
			mean += share[k] * v
		}
		sum += row[c]
		for k, v := range row {
			squares += share[k] * (v - mean) * (v - mean)
		}
	}
	deviation := math.Sqrt(squares * float64(n) / float64(n-1))
	if deviation < 1e-9 {
		return 0
	}
	return sum / deviation
}

// table has the rank of every probability among those of its class, from −½ to ½
// with a mean of 0; equal ones share the mean of their ranks.
func (r *ranks) table() []float64 {
	n := len(r.classes)
	table, order := make([]float64, len(r.p)), make([]int, n)
	for k := range r.k {
		for i := range order {
			order[i] = i
		}
		at := func(i int) float32 { return r.p[i*r.k+k] }
		slices.SortFunc(order, func(i, j int) int { return cmp.Compare(at(i), at(j)) })
		for lo := 0; lo < n; {
			hi := lo + 1
			for hi < n && at(order[hi]) == at(order[lo]) {
				hi++
			}
			rank := (float64(lo+hi)/2)/float64(n) - 0.5
			for _, i := range order[lo:hi] {
				table[i*r.k+k] = rank
			}
			lo = hi
		}
	}
	return table
}
