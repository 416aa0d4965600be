package metrics

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSum(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct {
		terms []float64
		want  float64
	}{
		{nil, 0},
		{[]float64{1e16, 1, 1, -1e16}, 2}, // plain addition gives 0
		{[]float64{1, 1e16, 1, -1e16}, 2},
		{[]float64{inf, 1}, inf},
		{[]float64{1, -inf, 1}, -inf},
	} {
		var s sum
		for _, v := range c.terms {
			s.add(v)
		}
		assert.Equal(t, c.want, s.value(), "%v", c.terms)
	}
	var s sum
	s.add(inf)
	s.add(-inf)
	assert.True(t, math.IsNaN(s.value()))
}
