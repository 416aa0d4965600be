package steps

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/train"
)

// With two classes and no ties, z is that of Mann and Whitney.
func TestRanksAreMannWhitney(t *testing.T) {
	r := train.Rand(3, "scores")
	l := &ranks{}
	var scores [2][]float64
	for i := range 200 {
		class := 0
		if i%20 == 0 {
			class = 1
		}
		p := float32(0.2*float64(class) + r.Float64()*0.8)
		l.add([]float32{1 - p, p}, class)
		scores[class] = append(scores[class], float64(p))
	}
	u := 0.
	for _, a := range scores[1] {
		for _, b := range scores[0] {
			if a > b {
				u++
			}
		}
	}
	n0, n1 := float64(len(scores[0])), float64(len(scores[1]))
	assert.InDelta(t, (u-n0*n1/2)/math.Sqrt(n0*n1*(n0+n1+1)/12), l.z(), 1e-6)
}

// Predictions that know nothing have a z of deviation 1, also where one class is rare
// and a few rows are predicted with certainty.
func TestRanksOfChance(t *testing.T) {
	var z moments
	for seed := range uint64(300) {
		r := train.Rand(seed, "chance")
		l := &ranks{}
		for i := range 300 {
			p := float32(0.01 * r.Float64())
			if r.IntN(50) == 0 {
				p = 1
			}
			l.add([]float32{1 - p, p}, map[bool]int{true: 1}[i%30 == 0])
		}
		z.add([]float32{float32(l.z())})
	}
	assert.InDelta(t, 0, z.mean, 0.2)
	assert.InDelta(t, 1, z.deviation(), 0.12)
	assert.Less(t, z.max, 4.)
}

func TestRanksOfNothing(t *testing.T) {
	l := &ranks{}
	assert.Zero(t, l.z())
	for i := range 50 {
		l.add([]float32{0.9, 0.05, 0.05}, i%3)
	}
	assert.InDelta(t, 0, l.z(), 1e-9, "the same prediction for all rows is no knowledge")
	wide := &ranks{}
	wide.add(make([]float32, manyClasses+1), 0)
	assert.Empty(t, wide.p, "many classes are not kept")
}

// One class in thirty: the mean probability of the rare class has a standard error
// of its own size, yet its rows are among the likelier.
func TestLikenessOfRareClass(t *testing.T) {
	r := train.Rand(1, "rare")
	l := &likeness{}
	for i := range 800 {
		class, p := 0, 0.03*r.ExpFloat64()
		if i%33 == 0 {
			class, p = 1, 0.08*r.ExpFloat64()*r.ExpFloat64()+0.03
		}
		q := float32(min(p, 1))
		l.addClass([]float32{1 - q, q}, class)
	}
	assert.Less(t, l.standard(), 3.)
	assert.Greater(t, l.z(), 3.)
}
