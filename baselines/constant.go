package baselines

import (
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// constant predicts the same for every input.
type constant struct {
	name  string
	shape []int
	fitTo func(value []float32, r *rows)
}

func (c *constant) params() []train.Param {
	shape := slices.Clone(c.shape)
	if len(shape) == 0 { // targets of one axis
		shape = []int{1}
	}
	return []train.Param{{Name: c.name, Shape: shape, Value: make([]float32, train.Size(shape))}}
}

func (c *constant) looksAtInputs() bool { return false }

func (c *constant) fit(values [][]float32, r *rows) { c.fitTo(values[0], r) }

func (c *constant) outputs(out train.Tensor, values [][]float32, _ *rows, _ train.Tensor) {
	for lo := 0; lo < len(out.Data); lo += len(values[0]) {
		copy(out.Data[lo:], values[0])
	}
}

// counts of the classes among the targets, and their sum. Negative ids do not count.
func counts(classes int, r *rows) (count []float64, total float64) {
	count = make([]float64, classes)
	for _, y := range r.targets {
		if y >= 0 {
			count[int(y)]++
			total++
		}
	}
	return count, total
}

func prior(logits []float32, r *rows) {
	count, total := counts(len(logits), r)
	sum := total
	for c, n := range count {
		if n == 0 {
			count[c] = 0.5
			sum += 0.5
		}
	}
	for c, n := range count {
		logits[c] = float32(math.Log(n / sum))
	}
}

func majority(logits []float32, r *rows) {
	count, total := counts(len(logits), r)
	best := 0
	for c, n := range count {
		if n > count[best] {
			best = c
		}
	}
	rest := max(total-count[best], 0.5)
	each := rest / float64(max(len(logits)-1, 1))
	for c := range logits {
		logits[c] = float32(math.Log(each / (count[best] + rest)))
	}
	logits[best] = float32(math.Log(count[best] / (count[best] + rest)))
}

func mean(value []float32, r *rows) {
	sum := make([]float64, len(value))
	for i := range r.n {
		for j, y := range r.target(i) {
			sum[j] += float64(y)
		}
	}
	for j, s := range sum {
		value[j] = float32(s / float64(r.n))
	}
}

func median(value []float32, r *rows) {
	column := make([]float64, r.n)
	for j := range value {
		for i := range column {
			column[i] = float64(r.target(i)[j])
		}
		slices.Sort(column)
		value[j] = float32((column[(r.n-1)/2] + column[r.n/2]) / 2)
	}
}
