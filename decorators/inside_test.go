package decorators

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/train"
)

func TestEvolutionDrawsTheProbabilityOfTheClass(t *testing.T) {
	e := evolution{
		batch: train.Batch{Inputs: train.NewTensor(2, 1), Targets: train.Tensor{Shape: []int{2}, Data: []float32{2, 0}}},
		shape: []int{2, 3}, classes: true, looks: thinned[look]{most: 10},
	}
	e.looks.add(look{0, []float32{0, 0, 1, 0.5, 0.25, 0.25}})
	e.looks.add(look{10, []float32{0, 0.5, 0.5, 1, 0, 0}})
	l := e.line()
	assert.Equal(t, []float64{0, 10}, l.Series[0].X)
	assert.Equal(t, []float64{1, 0.5}, l.Series[0].Y)
	assert.Equal(t, []float64{0.5, 1}, l.Series[1].Y)
	assert.Equal(t, "row 0: class 2", l.Series[0].Name)
	assert.Equal(t, "probability of the class", l.YLabel)
}

func TestThinnedIsEvenlySpread(t *testing.T) {
	for _, n := range []int{0, 1, 2, 9, 10, 11, 12, 20, 21, 99, 1000, 12345} {
		s := thinned[int]{most: 10}
		for i := range n {
			s.add(i)
		}
		got := s.all()
		if n == 0 {
			assert.Empty(t, got)
			continue
		}
		assert.LessOrEqual(t, len(got), 11)
		assert.GreaterOrEqual(t, len(got), min(n, 5), "%d values", n)
		assert.Equal(t, []int{0, n - 1}, []int{got[0], got[len(got)-1]}, "%d values", n)
		for i := range len(got) - 2 {
			assert.Equal(t, got[1]-got[0], got[i+1]-got[i], "%d values: %v", n, got)
		}
	}
}

func TestCurvesKeepTheirOwnPoints(t *testing.T) {
	var c curves
	for i := range 20000 {
		c.add("a", &train.State{Iteration: i}, float64(-i))
		c.add("b", &train.State{Iteration: i}, 1)
	}
	assert.Equal(t, []string{"a", "b"}, c.names)
	for _, p := range c.of["a"].all() {
		assert.Equal(t, -p.x, p.y)
	}
	assert.LessOrEqual(t, len(c.of["a"].all()), mostPoints+1)
}

func TestTableAlignsColumns(t *testing.T) {
	var b []byte
	var lines table
	lines.add("name", "value")
	lines.add("long name", 1.0/3)
	assert.NoError(t, lines.write(writer{&b}))
	assert.Equal(t, "name       value\nlong name  0.33333\n", string(b))
}

type writer struct{ to *[]byte }

func (w writer) Write(p []byte) (int, error) { *w.to = append(*w.to, p...); return len(p), nil }

func TestStatsOfNothing(t *testing.T) {
	d := describe(nil)
	assert.Equal(t, "0 0 NaN NaN", fmt.Sprint(d.count, d.zeroShare(), d.mean, d.std))
	assert.Equal(t, 0., d.saturated(nil))
	assert.Equal(t, 0., deadUnits(train.Tensor{}))
}
