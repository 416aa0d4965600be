package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
)

// powers are running moments of the finite values of one feature, or of one
// channel. Sums of powers are taken about the first value, which is near enough to the
// mean for float64 to hold them ("shifted data", Chan, Golub and LeVeque 1983);
// that is Welford's accuracy without his division for every value. A constant has
// a deviation of exactly 0.
type powers struct {
	n                      int
	first, min, max        float64
	sum1, sum2, sum3, sum4 float64 // Σ (x − first)ᵏ
	second                 float64 // the first value that differs from first
	atFirst, atSecond      int     // how many values equal the two
}

func (p *powers) add(x float64) {
	if p.n == 0 {
		p.first, p.min, p.max = x, x, x
	}
	p.n++
	d := x - p.first
	if d == 0 {
		p.atFirst++
		return
	}
	if p.atSecond == 0 {
		p.second = x
	}
	if x == p.second {
		p.atSecond++
	}
	square := d * d
	p.sum1 += d
	p.sum2 += square
	p.sum3 += square * d
	p.sum4 += square * square
	p.min, p.max = min(p.min, x), max(p.max, x)
}

func (p *powers) mean() float64 { return p.first + p.sum1/max(float64(p.n), 1) }

// std is the deviation of the population, 1/n.
func (p *powers) std() float64 { return math.Sqrt(p.moment2()) }

func (p *powers) moment2() float64 {
	n := max(float64(p.n), 1)
	m := p.sum1 / n
	return max(p.sum2/n-m*m, 0)
}

// kurtosis is the fourth central moment over the square of the second: 3 for a
// normal distribution, more where values far out are common, 0 for a constant.
func (p *powers) kurtosis() float64 {
	n, square := float64(p.n), p.moment2()*p.moment2()
	if square == 0 {
		return 0
	}
	m := p.sum1 / n
	return (p.sum4/n - 4*m*p.sum3/n + 6*m*m*p.sum2/n - 3*m*m*m*m) / square
}

// String is mean and deviation. What float32 makes of a mean of zero is shown as 0.
func (p *powers) String() string {
	return fmt.Sprintf("mean %s, std %s", checks.Number(p.centre()), checks.Number(p.std()))
}

func (p *powers) centre() float64 {
	if m := p.mean(); math.Abs(m) > 1e-6*p.std() {
		return m
	}
	return 0
}

// peak is the largest magnitude.
func (p *powers) peak() float64 { return max(math.Abs(p.min), math.Abs(p.max)) }

// sparse reports that more than half of the values are the same one, as in
// one-hot columns and at the margins of pictures. Such a feature is judged with
// all others together: its own deviation says how rare its other values are.
func (p *powers) sparse() bool { return 2*max(p.atFirst, p.atSecond) > p.n }

// pool is the moments of several features taken together. It does not know
// whether they are sparse.
func pool(features []powers) powers {
	var all powers
	for _, p := range features {
		if p.n == 0 {
			continue
		}
		if all.n == 0 {
			all.first, all.min, all.max = p.first, p.min, p.max
		}
		d := p.first - all.first
		n := float64(p.n)
		all.sum4 += p.sum4 + 4*d*p.sum3 + 6*d*d*p.sum2 + 4*d*d*d*p.sum1 + n*d*d*d*d
		all.sum3 += p.sum3 + 3*d*p.sum2 + 3*d*d*p.sum1 + n*d*d*d
		all.sum2 += p.sum2 + 2*d*p.sum1 + n*d*d
		all.sum1 += p.sum1 + n*d
		all.n += p.n
		all.min, all.max = min(all.min, p.min), max(all.max, p.max)
	}
	return all
}
