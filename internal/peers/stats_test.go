package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		want   float64
	}{
		{"none", nil, math.NaN()},
		{"one", []float64{3}, 3},
		{"odd", []float64{9, 1, 4}, 4},
		{"even", []float64{8, 1, 2, 4}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			kept := append([]float64(nil), tt.values...)
			assertNumber(t, tt.want, Median(tt.values))
			assert.Equal(t, kept, append([]float64(nil), tt.values...), "the argument is not sorted in place")
		})
	}
}

func TestGeometricMean(t *testing.T) {
	tests := []struct {
		name   string
		values []float64
		want   float64
	}{
		{"none", nil, math.NaN()},
		{"missing rows alone", []float64{math.NaN()}, math.NaN()},
		{"twice as fast and twice as slow", []float64{0.5, 2}, 1},
		{"a missing row does not count", []float64{0.5, math.NaN(), 0.125}, 0.25},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assertNumber(t, tt.want, GeometricMean(tt.values)) })
	}
}

func assertNumber(t *testing.T, want, got float64) {
	t.Helper()
	if math.IsNaN(want) {
		assert.True(t, math.IsNaN(got), "%v is not NaN", got)
		return
	}
	assert.InDelta(t, want, got, 1e-12)
}

func TestRatios(t *testing.T) {
	got := Ratios(map[int]float64{0: 6, 1: 1, 2: 8}, map[int]float64{0: 2, 1: 4, 3: 5})
	assert.Equal(t, []float64{0.25, 3}, got)
}

// FLOPs by hand, for one row of the batch and then times the rows.
func TestFLOP(t *testing.T) {
	conv1, conv2, head := 2*9*1*8*28*28, 2*9*8*32*14*14, 2*32*7*7*10
	want := map[string]int{
		"cnn-8-32-b16": 16 * (3*(conv1+conv2+head) - conv1),
		"mlp-b128":     128 * 2 * (3*(784*512+512*512+512*10) - 784*512),
		"logistic-b16": 16 * 2 * 2 * 4 * 3,
		// projections 3·128², scores and their product with the values 2·64·128, out 128²,
		// feed-forward 2·128·512, each for 64 positions
		"transformer-b32": 32 * 2 * 64 * (3*(3*128*128+2*64*128+128*128+2*128*512) - 3*128*128),
	}
	seen := map[string]bool{}
	for _, r := range Rows() {
		assert.False(t, seen[r.Name], "two rows are called %s", r.Name)
		seen[r.Name] = true
		if flop, ok := want[r.Name]; ok {
			assert.Equal(t, float64(flop), r.FLOP(), r.Name)
			delete(want, r.Name)
		}
		assert.Positive(t, r.FLOP())
	}
	assert.Empty(t, want, "rows that are gone")
	assert.Panics(t, func() { Row{Kind: "svm"}.FLOP() })
}

func TestSamples(t *testing.T) {
	var s Samples
	assert.Nil(t, s.Best("mlp", 1, torch))
	s.Of("mlp", 1, torch, "eager").Problem = "failed"
	assert.Equal(t, "failed", s.Best("mlp", 1, torch).Problem)
	s.Of("mlp", 1, torch, "eager, fused").Rounds[0] = 2
	s.Of("mlp", 1, torch, "compile").Rounds[0] = 3.5
	s.Of("mlp", 1, torch, "compile, fused").Rounds[0] = 2.5
	s.Of("mlp", 2, torch, "compile").Rounds[0] = 100
	s.Of("mlp", 1, torch, "channels_last").Rounds[0] = 50
	assert.Equal(t, "eager, fused", s.Best("mlp", 1, torch).Variant)
	s.DropLosers("mlp", 1, torch)
	s.DropLosers("mlp", 1, stock)
	var dropped []string
	for _, x := range s.Series {
		if x.Dropped {
			dropped = append(dropped, x.Variant)
		}
	}
	assert.Equal(t, []string{"compile"}, dropped, "only a way that is slow to begin, with this row and these threads, and clearly slower")
	s.Of("mlp", 1, torch, "compile, fused").Rounds[1] = 1
	assert.Equal(t, "compile, fused", s.Best("mlp", 1, torch).Variant, "the median counts")
}
