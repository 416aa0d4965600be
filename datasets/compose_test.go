package datasets_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

func TestSubset(t *testing.T) {
	s := numbered(t, 10, 2)
	s.Groups = []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
	rows := []int{7, 2, 2}
	part := datasets.Subset(s, rows)
	rows[0] = 9
	assert.Equal(t, []int{7, 2, 2}, ids(t, part))
	assert.Equal(t, []string{"h", "c", "c"}, part.Groups)
	assert.Equal(t, []int{2, 7}, ids(t, datasets.Subset(part, []int{1, 0})))
	assert.Panics(t, func() { datasets.Subset(s, []int{10}) })
}

func TestConcat(t *testing.T) {
	s := numbered(t, 10, 2)
	joined, err := datasets.Concat(datasets.Subset(s, []int{1, 2}), datasets.Subset(s, []int{5}), datasets.Subset(s, []int{8, 9, 0}))
	require.NoError(t, err)
	assert.Equal(t, []int{1, 2, 5, 8, 9, 0}, ids(t, joined))
	_, err = datasets.Concat(s, numbered(t, 4, 3))
	assert.ErrorContains(t, err, "concat: numbered has classes")
	grouped := s
	grouped.Groups = make([]string, 10)
	_, err = datasets.Concat(s, grouped)
	assert.ErrorContains(t, err, "only one of them has Groups")
}

func TestCacheReadsOnce(t *testing.T) {
	var reads atomic.Int64
	broken := errors.New("broken")
	s := datasets.Cache(datasets.Map(numbered(t, 10, 2), func(row int, _, _ []float32) error {
		if reads.Add(1); row == 9 {
			return broken
		}
		return nil
	}))
	assert.Zero(t, reads.Load(), "nothing is read before it is asked for")
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for row := range 9 {
				inputs, targets, err := s.Example(row)
				assert.NoError(t, err)
				assert.Equal(t, [2]float32{float32(row), float32(row % 2)}, [2]float32{inputs[0], targets[0]})
				inputs[0] = -1 // what is handed out is a copy
			}
			_, _, err := s.Example(9)
			assert.ErrorIs(t, err, broken)
		})
	}
	wait.Wait()
	assert.EqualValues(t, 10, reads.Load())
	assert.PanicsWithValue(t, "datasets.Cache: numbered is augmented: write Augment(Cache(set), …), so that every epoch gets its own variants",
		func() {
			datasets.Cache(datasets.Subset(datasets.Augment(numbered(t, 3, 1), datasets.Noise(1)), []int{1}))
		})
}

func TestAugmentIsAFunctionOfSeedEpochAndRow(t *testing.T) {
	s := datasets.Augment(numbered(t, 20, 2), datasets.Noise(0.5))
	read := func(p train.Pass) map[int]float32 {
		b := all(t, datasets.Batches(s), p)
		out := map[int]float32{}
		for i, row := range b.Rows {
			out[row] = b.Inputs.Data[i]
		}
		return out
	}
	base := train.Pass{Seed: 5, Epoch: 2, Augment: true}
	other := base
	other.Shuffle, other.BatchSize = true, 3
	assert.Equal(t, read(base), read(other), "order and batch size do not matter")
	for _, p := range []train.Pass{{Seed: 6, Epoch: 2, Augment: true}, {Seed: 5, Epoch: 3, Augment: true}} {
		again := read(p)
		for row, v := range read(base) {
			assert.NotEqual(t, v, again[row])
		}
	}
	offsets := map[float32]bool{}
	for row, v := range read(base) {
		offsets[v-float32(row)] = true
	}
	assert.Greater(t, len(offsets), 15, "every row has its own noise")
	for row, v := range read(train.Pass{Seed: 5, Epoch: 2}) {
		assert.Equal(t, float32(row), v, "not without being asked")
	}
}

// picture is 5x5 with one bright pixel left of the middle.
func picture() []float32 {
	p := make([]float32, 25)
	p[2*5+1] = 1
	return p
}

func TestAugmentations(t *testing.T) {
	shape := []int{1, 5, 5}
	draw := func(seed uint64, a datasets.Augmentation) []float32 {
		p := picture()
		a(rand.New(rand.NewPCG(seed, 0)), shape, p)
		return p
	}
	sum := func(p []float32) (s float32) {
		for _, v := range p {
			s += v
		}
		return s
	}
	moved := map[int]bool{}
	for seed := range uint64(200) {
		p := draw(seed, datasets.Shift(1))
		assert.Equal(t, float32(1), sum(p), "a shift changes no value while the pixel stays inside")
		for i, v := range p {
			if v == 1 {
				moved[i] = true
			}
		}
		for i, v := range draw(seed, datasets.Rotate(180)) {
			assert.True(t, v >= 0 && v <= 1, "pixel %d is %v", i, v)
		}
		cut := draw(seed, datasets.Cutout(3))
		assert.LessOrEqual(t, count(cut, float32(1)/25), 9)
		assert.GreaterOrEqual(t, count(cut, float32(1)/25), 4)
	}
	assert.Equal(t, map[int]bool{5: true, 6: true, 7: true, 10: true, 11: true, 12: true, 15: true, 16: true, 17: true}, moved,
		"all nine places are reached")
	assert.Equal(t, picture(), draw(1, datasets.Affine{}.Augment), "the zero value changes nothing")
	assert.Equal(t, picture(), draw(1, datasets.Rotate(0)))
	assert.NotEqual(t, picture(), draw(1, datasets.Scale(0.5)))
	constant := make([]float32, 50)
	for i := range constant {
		constant[i] = 3
	}
	datasets.Affine{Shift: 9, Rotate: 90, Scale: 1}.Augment(rand.New(rand.NewPCG(1, 1)), []int{2, 5, 5}, constant)
	assert.Equal(t, 50, count(constant, 3), "edges are repeated")
	assert.Panics(t, func() { datasets.Shift(1)(rand.New(rand.NewPCG(1, 1)), []int{4}, make([]float32, 4)) })
}
