package steps

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/train"
)

func TestPowersAgreeWithTwoPasses(t *testing.T) {
	r := train.Rand(1, "powers")
	for _, offset := range []float64{0, 1, -300, 1e6} {
		var p powers
		var values []float64
		for range 2000 {
			x := offset + math.Exp(r.NormFloat64())
			values = append(values, x)
			p.add(x)
		}
		mean := mean(values)
		var m2, m4 float64
		for _, x := range values {
			d := x - mean
			m2 += d * d / 2000
			m4 += d * d * d * d / 2000
		}
		assert.InDelta(t, mean, p.mean(), 1e-9*(1+math.Abs(offset)))
		assert.InEpsilon(t, math.Sqrt(m2), p.std(), 1e-9)
		assert.InEpsilon(t, m4/m2/m2, p.kurtosis(), 1e-6)
	}
}

func TestPoolIsAllValuesTogether(t *testing.T) {
	r := train.Rand(2, "powers")
	var all powers
	parts := make([]powers, 4)
	for i := range 1000 {
		x := float64(i%3)*5 + r.NormFloat64()
		all.add(x)
		parts[i%3].add(x) // the last part stays empty
	}
	got := pool(parts)
	assert.Equal(t, all.n, got.n)
	assert.InEpsilon(t, all.mean(), got.mean(), 1e-12)
	assert.InEpsilon(t, all.std(), got.std(), 1e-12)
	assert.InEpsilon(t, all.kurtosis(), got.kurtosis(), 1e-12)
	assert.Equal(t, []float64{all.min, all.max}, []float64{got.min, got.max})
}

func TestPowersOfAConstantAreExact(t *testing.T) {
	var p powers
	for range 1000 {
		p.add(0.1)
	}
	assert.Equal(t, 0., p.std())
	assert.Equal(t, 0.1, p.mean())
	assert.True(t, p.sparse())
}

// findTwins must count what comparing every row with every other counts.
func TestTwinsAgreeWithAllPairs(t *testing.T) {
	r := train.Rand(3, "twins")
	for range 50 {
		var h hasher
		var keys []rowKey
		rows, targets, stage := [][2]float32{}, []float32{}, []uint8{}
		for i := range 60 {
			rows = append(rows, [2]float32{float32(r.IntN(4)), float32(r.IntN(5))})
			targets = append(targets, float32(r.IntN(2)))
			stage = append(stage, uint8(r.IntN(3)))
			keys = append(keys, h.key(rows[i][:], targets[i:i+1], i, stage[i]))
		}
		single, repeated, leaked := 0, 0, make([]int, 3)
		for i := range rows {
			earlier, twins := 0, 0
			for j := range rows {
				if i != j && rows[i] == rows[j] && stage[j] == 0 {
					twins++
					if j < i {
						earlier++
					}
				}
			}
			switch {
			case stage[i] != 0 && twins > 0:
				leaked[stage[i]]++
			case stage[i] == 0 && twins == 0:
				single++
			case stage[i] == 0 && earlier > 0:
				repeated++
			}
		}
		got := findTwins(keys, 3)
		assert.Equal(t, fmt.Sprint(single, repeated, leaked), fmt.Sprint(got.single, got.repeated, got.leaked))
	}
}

func TestRowKeysIgnoreTheSignOfZero(t *testing.T) {
	var h hasher
	zero, minus := []float32{0, 1}, []float32{float32(math.Copysign(0, -1)), 1}
	assert.Equal(t, h.key(zero, nil, 0, 0), h.key(minus, nil, 0, 0))
	assert.NotEqual(t, h.key(zero, nil, 0, 0), h.key([]float32{0, 2}, nil, 0, 0))
}

func TestGiveawaySharesAgreeWithTwoPasses(t *testing.T) {
	r := train.Rand(4, "giveaway")
	const rows = 300
	inputs, ids, values := make([][]float32, rows), make([][]float32, rows), make([][]float32, rows)
	classes, regression := giveaway{on: true}, giveaway{on: true}
	var x, y []float64
	for i := range rows {
		inputs[i] = []float32{float32(50 + r.NormFloat64()), 1}
		ids[i] = []float32{float32(i % 3)}
		inputs[i][0] += ids[i][0]
		values[i] = []float32{inputs[i][0]/2 + float32(r.NormFloat64())}
		classes.add(inputs[i], ids[i], 3)
		regression.add(inputs[i], values[i], 0)
		x, y = append(x, float64(inputs[i][0])), append(y, float64(values[i][0]))
	}
	var within, total, both, spread float64
	for i := range rows {
		class, n := 0., 0.
		for j := i % 3; j < rows; j += 3 {
			class, n = class+x[j], n+1
		}
		within += (x[i] - class/n) * (x[i] - class/n)
		total += (x[i] - mean(x)) * (x[i] - mean(x))
		both += (x[i] - mean(x)) * (y[i] - mean(y))
		spread += (y[i] - mean(y)) * (y[i] - mean(y))
	}
	assert.InDelta(t, 1-within/total, classes.share(0), 1e-9)
	assert.InDelta(t, both*both/total/spread, regression.share(0), 1e-9)
	assert.Equal(t, 0., classes.share(1), "a constant tells nothing")
}
