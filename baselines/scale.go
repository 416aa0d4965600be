package baselines

import "math"

// scale brings features to mean 0 and deviation 1. A constant feature has the
// inverse deviation 0, so that it drops out.
type scale struct{ mean, inverse []float64 }

func newScale(r *rows) scale {
	s := scale{mean: make([]float64, r.inputSize), inverse: make([]float64, r.inputSize)}
	for i := range r.n {
		for j, x := range r.input(i) {
			s.mean[j] += float64(x)
		}
	}
	for j := range s.mean {
		s.mean[j] /= float64(r.n)
	}
	for i := range r.n {
		for j, x := range r.input(i) {
			d := float64(x) - s.mean[j]
			s.inverse[j] += d * d
		}
	}
	for j, v := range s.inverse {
		deviation := math.Sqrt(v / float64(r.n))
		s.inverse[j] = 0
		if deviation > 1e-7*math.Abs(s.mean[j]) { // below is the rounding of float32
			s.inverse[j] = 1 / deviation
		}
	}
	return s
}

// apply writes the scaled row x to z.
func (s scale) apply(z []float64, x []float32) {
	for j, v := range x {
		z[j] = (float64(v) - s.mean[j]) * s.inverse[j]
	}
}

// fold writes weights [outputs][inputs] and biases on scaled features as weights
// [inputs, outputs] and biases on features as they are.
func (s scale) fold(weight, bias []float32, w [][]float64, b []float64) {
	for k, row := range w {
		shift := b[k]
		for j, v := range row {
			raw := v * s.inverse[j]
			weight[j*len(w)+k] = float32(raw)
			shift -= raw * s.mean[j]
		}
		bias[k] = float32(shift)
	}
}
