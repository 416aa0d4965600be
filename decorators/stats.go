package decorators

import "math"

// stats describe the values of a tensor. Mean, deviation and range are those of
// its finite values.
type stats struct {
	count, notFinite, zeros int
	mean, std, min, max     float64
}

func describe(values []float32) stats {
	s := stats{count: len(values), min: math.Inf(1), max: math.Inf(-1)}
	n, sum, squares := 0., 0., 0.
	for _, v := range values {
		if v-v != 0 { // NaN or infinite
			s.notFinite++
			continue
		}
		if v == 0 {
			s.zeros++
		}
		x := float64(v)
		n++
		sum += x
		s.min, s.max = min(s.min, x), max(s.max, x)
	}
	if n == 0 {
		nan := math.NaN()
		s.mean, s.std, s.min, s.max = nan, nan, nan, nan
		return s
	}
	s.mean = sum / n
	for _, v := range values {
		if v-v == 0 {
			d := float64(v) - s.mean
			squares += d * d
		}
	}
	s.std = math.Sqrt(squares / n)
	return s
}

// zeroShare is the share of values that are zero.
func (s stats) zeroShare() float64 { return float64(s.zeros) / float64(max(s.count, 1)) }

// norm is the Euclidean norm.
func norm(values []float32) float64 {
	sum := 0.
	for _, v := range values {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// distance is the Euclidean norm of the difference.
func distance(a, b []float32) float64 {
	sum := 0.
	for i, v := range a {
		d := float64(v) - float64(b[i])
		sum += d * d
	}
	return math.Sqrt(sum)
}
