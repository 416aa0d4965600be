package metrics

import "math"

// sum adds numbers with compensation for rounding (Neumaier 1974), so that the
// order and number of terms hardly matter.
type sum struct{ total, rest float64 }

func (s *sum) add(v float64) {
	t := s.total + v
	if math.IsInf(t, 0) { // the compensation of infinity is NaN
		s.total = t
		return
	}
	if math.Abs(s.total) >= math.Abs(v) {
		s.rest += s.total - t + v
	} else {
		s.rest += v - t + s.total
	}
	s.total = t
}

func (s *sum) value() float64 { return s.total + s.rest }
