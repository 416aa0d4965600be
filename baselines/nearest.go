package baselines

import (
	"math"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

type nearest struct {
	k       int
	classes int
}

func (n *nearest) params() []train.Param  { return nil }
func (n *nearest) looksAtInputs() bool    { return true }
func (n *nearest) fit([][]float32, *rows) {}

func (n *nearest) outputs(out train.Tensor, _ [][]float32, r *rows, inputs train.Tensor) {
	kernel.Parallel(inputs.Rows(), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			near, ok := n.neighbours(r, inputs.Row(i))
			switch {
			case !ok:
				for j := range out.Row(i) {
					out.Row(i)[j] = float32(math.NaN())
				}
			case n.classes > 0:
				n.vote(out.Row(i), near, r)
			default:
				average(out.Row(i), near, r)
			}
		}
	})
}

type neighbour struct {
	row     int
	squared float64 // distance
}

// neighbours returns the k nearest rows, nearest first, the earlier one among
// equals. It is not ok when x is not finite.
func (n *nearest) neighbours(r *rows, x []float32) (near []neighbour, ok bool) {
	for _, v := range x {
		if !finite(v) {
			return nil, false
		}
	}
	near = make([]neighbour, 0, n.k+1)
	for i := range r.n {
		limit := math.Inf(1)
		if len(near) == n.k {
			limit = near[n.k-1].squared
		}
		d := squared(x, r.input(i), limit)
		if d >= limit {
			continue
		}
		at := len(near)
		for at > 0 && near[at-1].squared > d {
			at--
		}
		near = append(near, neighbour{})
		copy(near[at+1:], near[at:])
		near[at] = neighbour{i, d}
		near = near[:min(len(near), n.k)]
	}
	return near, true
}

// squared is the squared distance, or part of it once that is not below limit.
func squared(a, b []float32, limit float64) float64 {
	var p, q, r, s float64 // four sums: one alone waits for each addition
	b = b[:len(a)]
	i := 0
	for ; i+4 <= len(a); i += 4 {
		d0, d1 := float64(a[i])-float64(b[i]), float64(a[i+1])-float64(b[i+1])
		d2, d3 := float64(a[i+2])-float64(b[i+2]), float64(a[i+3])-float64(b[i+3])
		p += d0 * d0
		q += d1 * d1
		r += d2 * d2
		s += d3 * d3
		if i%64 == 0 && p+q+(r+s) >= limit {
			return p + q + (r + s)
		}
	}
	for ; i < len(a); i++ {
		d := float64(a[i]) - float64(b[i])
		p += d * d
	}
	return p + q + (r + s)
}

// vote writes the logarithms of the shares of the classes, with one neighbour
// more that is 1/classes of each.
func (n *nearest) vote(out []float32, near []neighbour, r *rows) {
	count := make([]float64, n.classes)
	for _, v := range near {
		count[int(r.target(v.row)[0])]++
	}
	for c, votes := range count {
		out[c] = float32(math.Log((votes + 1/float64(n.classes)) / float64(len(near)+1)))
	}
}

func average(out []float32, near []neighbour, r *rows) {
	sum := make([]float64, len(out))
	for _, v := range near {
		for j, y := range r.target(v.row) {
			sum[j] += float64(y)
		}
	}
	for j, s := range sum {
		out[j] = float32(s / float64(max(len(near), 1)))
	}
}
