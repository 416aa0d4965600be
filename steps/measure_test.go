package steps

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

func TestLikeness(t *testing.T) {
	classes := func(rows int, predict func(i, class int) []float32) *likeness {
		l := &likeness{}
		for i := range rows {
			class := i % 3
			if i%10 < 6 { // unbalanced
				class = 0
			}
			l.addClass(predict(i, class), class)
		}
		return l
	}
	constant := classes(300, func(int, int) []float32 { return []float32{0.9, 0.05, 0.05} })
	assert.InDelta(t, 0, constant.z(), 1e-6, "always the commonest class is no knowledge")
	perfect := classes(300, func(_, class int) []float32 {
		p := make([]float32, 3)
		p[class] = 1
		return p
	})
	assert.Greater(t, perfect.z(), 20.)
	assert.InDelta(t, 1, perfect.strength(), 1e-9)
	r := train.Rand(1, "noise")
	noise := classes(3000, func(int, int) []float32 {
		p := make([]float32, 3)
		p[r.IntN(3)] = 1
		return p
	})
	assert.Less(t, math.Abs(noise.z()), 3.)
	assert.Less(t, math.Abs(noise.strength()), 0.05)
	wrong := classes(300, func(_, class int) []float32 {
		p := make([]float32, 3)
		p[(class+1)%3] = 1
		return p
	})
	assert.LessOrEqual(t, wrong.z(), 0.)

	values := &likeness{}
	values.addValues([]float32{1, 2, 3, 4}, []float32{2, 4, 6, 8})
	assert.InDelta(t, 1, values.strength(), 1e-9)
	values.addValues([]float32{5, 6}, []float32{12, 9})
	assert.InDelta(t, 0.9055, values.strength(), 1e-3)
	assert.InDelta(t, 4.267, values.z(), 1e-2, "t of r = 0.906 with 6 rows")
	single := &likeness{}
	single.addClass([]float32{1, 0}, 0)
	single.addClass([]float32{1, 0}, 0)
	assert.True(t, math.IsNaN(single.z()), "one class alone tells nothing")
}

// The standard error of z must be that of many repetitions.
func TestLikenessOfChanceHasDeviationOne(t *testing.T) {
	var z moments
	for seed := range uint64(400) {
		r := train.Rand(seed, "chance")
		l := &likeness{}
		for range 60 {
			p := []float32{r.Float32(), r.Float32(), r.Float32()}
			sum := p[0] + p[1] + p[2]
			for i := range p {
				p[i] /= sum
			}
			class := 0
			if r.IntN(5) == 0 {
				class = 1 + r.IntN(2)
			}
			l.addClass(p, class)
		}
		z.add([]float32{float32(l.standard())})
	}
	assert.InDelta(t, 0, z.mean, 0.15)
	assert.InDelta(t, 1, z.deviation(), 0.15)
}

func TestContradictions(t *testing.T) {
	loss := train.Loss{Kind: train.CrossEntropy}
	b := train.Batch{
		Inputs:  train.Tensor{Shape: []int{5, 1}, Data: []float32{7, 7, 7, 1, 2}},
		Targets: train.Tensor{Shape: []int{5}, Data: []float32{0, 0, 1, 1, 0}},
	}
	floor, rows := contradictions(loss, b, 2)
	assert.InDelta(t, (2*math.Log(1.5)+math.Log(3))/5, floor, 1e-9)
	assert.Equal(t, 1, rows)
	floor, rows = contradictions(train.Loss{Kind: train.MSE}, b, 0)
	assert.Zero(t, floor)
	assert.Zero(t, rows)
}

func TestSmoothingFloor(t *testing.T) {
	assert.Zero(t, smoothingFloor(train.Loss{Kind: train.CrossEntropy}, 10))
	half := smoothingFloor(train.Loss{Kind: train.CrossEntropy, Smoothing: 0.5}, 2)
	assert.InDelta(t, -(0.75*math.Log(0.75) + 0.25*math.Log(0.25)), half, 1e-12)
}

func TestMargins(t *testing.T) {
	got := record.Point{Value: 0.93, Rows: 30}
	b := baseline{metric: "accuracy", value: 1}
	assert.Greater(t, b.margin(got, 30), 0.07, "two of thirty rows are within chance")
	got.Rows = 10000
	assert.Less(t, b.margin(got, 10000), 0.02)
	b.metric = "balanced-accuracy"
	b.stage = train.Validation
	assert.Greater(t, b.margin(got, 40), 0.1, "forty rows that count, whatever the others")
	b.lower, b.value, b.worst, got.Rows = true, 2, 2, 400
	assert.InDelta(t, 0.4, b.margin(got, 40), 1e-9)
	b.value, b.worst = 0, 3
	assert.InDelta(t, 0.06, b.margin(got, 40), 1e-9, "a perfect baseline leaves room")
}

func TestThin(t *testing.T) {
	points := make([]record.Point, 10000)
	for i := range points {
		points[i] = record.Point{Iteration: i, Value: 1}
	}
	points[7777].Value = 50
	thinned := thin(points, 600)
	assert.LessOrEqual(t, len(thinned), 600)
	highest, last := 0., -1
	for _, p := range thinned {
		highest = max(highest, p.Value)
		assert.Greater(t, p.Iteration, last)
		last = p.Iteration
	}
	assert.Equal(t, 50., highest, "a spike stays visible")
	assert.Len(t, thin(points[:600], 600), 600)
}

func TestUniform(t *testing.T) {
	p := train.Param{Shape: []int{2, 3}, Value: []float32{1, 2, 3, 1, 2, 3}, Grad: []float32{4, 5, 6, 4, 5, 6}}
	assert.True(t, uniform(p, 2, 3))
	p.Grad[5] = 7
	assert.False(t, uniform(p, 2, 3), "gradients tell the units apart")
	p.Grad = make([]float32, 6)
	assert.False(t, uniform(p, 2, 3), "no gradient tells nothing")
	columns := train.Param{Shape: []int{2, 3}, Value: []float32{1, 1, 1, 2, 2, 2}, Grad: []float32{3, 3, 3, 4, 4, 4}}
	assert.False(t, uniform(columns, 2, 3))
	assert.True(t, uniform(transposed(columns), 3, 2))
}

func TestDeadUnits(t *testing.T) {
	units, dead := deadUnits(train.Tensor{Shape: []int{2, 3}, Data: []float32{0, 1, 0, 0, 0, 2}})
	assert.Equal(t, []int{3, 1}, []int{units, dead})
	picture := train.NewTensor(1, 2, 2, 2)
	picture.Data[6] = 1 // somewhere in the second channel
	units, dead = deadUnits(picture)
	assert.Equal(t, []int{2, 1}, []int{units, dead})
}

func TestExplainSlopes(t *testing.T) {
	for _, c := range []struct {
		slopes []slope
		want   string
	}{
		{[]slope{{"a", 2, -2}, {"b", 1, -1.1}}, "wrong sign"},
		{[]slope{{"a", 2, 2. / 16}, {"b", 1, 1. / 16}}, "summed over the 16 rows"},
		{[]slope{{"a", 2, 20}, {"b", 1, 10}}, "scaled: it is 0.100 times"},
		{[]slope{{"a", 0, 3}, {"b", 1, 1}}, "no gradient reaches a"},
		{[]slope{{"a", 2, 0}, {"b", 1, 0}}, "copies"},
		{[]slope{{"a", 2, 9}, {"b", 1, 1}}, "backward pass is wrong for a"},
		{[]slope{{"a", 2, 2.2}, {"b", 1, 1}}, ""},
	} {
		v := explainSlopes(c.slopes, 16)
		if c.want == "" {
			assert.Empty(t, v.Likely)
			continue
		}
		if assert.Len(t, v.Likely, 1) {
			assert.Contains(t, v.Likely[0], c.want)
		}
	}
}
