package datasets_test

import (
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

var update = flag.Bool("update", false, "write what the tests got as what they want")

// golden compares text with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run with -update if the change is meant: it changes what users train on")
}

// digest is a hash of all bits of the inputs and targets of a pass.
func digest(t *testing.T, src train.Source, p train.Pass) string {
	t.Helper()
	h := sha256.New()
	b := all(t, src, p)
	for _, v := range append(b.Inputs.Data, b.Targets.Data...) {
		var bits [4]byte
		binary.LittleEndian.PutUint32(bits[:], math.Float32bits(v))
		h.Write(bits[:])
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:8])
}

func TestGlyphsAreTheSameEverywhere(t *testing.T) {
	small := datasets.GlyphOptions{Rows: 40, Validation: 20}
	lines := ""
	for _, c := range []struct {
		name    string
		options datasets.GlyphOptions
	}{
		{"usual", small},
		{"other seed", datasets.GlyphOptions{Rows: 40, Seed: 1}},
		{"digits, small", datasets.GlyphOptions{Rows: 40, Characters: "0123456789", Size: 12}},
		{"clean", datasets.GlyphOptions{Rows: 40, Distortion: -1, Noise: -1}},
	} {
		data := datasets.Glyphs(c.options)
		lines += fmt.Sprintf("%s: training %s\n", c.name, digest(t, data.Training, train.Pass{}))
	}
	raw := datasets.Augment(small.Set(train.Training, 40), datasets.Shift(2), datasets.Noise(0.1), datasets.Cutout(8))
	lines += fmt.Sprintf("augmented: %s\n", digest(t, datasets.Batches(raw), train.Pass{Augment: true, Seed: 3, Epoch: 1}))
	golden(t, "glyphs", lines)

	data := datasets.Glyphs(small)
	first := digest(t, data.Training, train.Pass{BatchSize: 3})
	assert.Equal(t, first, digest(t, data.Training, train.Pass{}), "the size of the batches does not matter")
	assert.NotEqual(t, digest(t, data.Training, train.Pass{}), digest(t, data.Validation, train.Pass{}))
}

func TestGlyphs(t *testing.T) {
	data := datasets.Glyphs(datasets.GlyphOptions{Rows: 300, Validation: 70})
	assert.Equal(t, []string{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J"}, data.Classes)
	training, validation := all(t, data.Training, train.Pass{}), all(t, data.Validation, train.Pass{})
	assert.Equal(t, []int{300, 1, 28, 28}, training.Inputs.Shape)
	assert.Equal(t, []int{70, 1, 28, 28}, validation.Inputs.Shape)
	for class := range 10 {
		assert.Equal(t, 30, count(training.Targets.Data, float32(class)))
	}
	seen := map[string]bool{}
	for _, b := range []train.Batch{training, validation} {
		mean, squares := 0., 0.
		for _, v := range b.Inputs.Data {
			mean += float64(v) / float64(len(b.Inputs.Data))
			squares += float64(v) * float64(v) / float64(len(b.Inputs.Data))
		}
		assert.InDelta(t, 0, mean, 0.05)
		assert.InDelta(t, 1, squares, 0.1)
		for i := range b.Len() {
			key := fmt.Sprint(b.Inputs.Row(i))
			assert.False(t, seen[key], "no picture comes twice")
			seen[key] = true
		}
	}
}

// A letter without distortion looks like itself: ink where it must be.
func TestGlyphsHaveTheShapeOfTheLetter(t *testing.T) {
	s := datasets.GlyphOptions{Characters: "IO", Distortion: -1, Noise: -1, Size: 28}.Set(train.Training, 40)
	for row := range s.Rows {
		p, class, err := s.Example(row)
		require.NoError(t, err)
		middle, corner, ink := p[14*28+14], p[0], float32(0)
		for _, v := range p {
			assert.True(t, v >= 0 && v <= 1, "coverage is a share, got %v", v)
			ink += v
		}
		if class[0] == 0 {
			assert.Greater(t, middle, float32(0.2), "row %d: the I has ink in the middle", row)
		} else {
			assert.Zero(t, middle, "row %d: the O is empty inside", row)
		}
		assert.Zero(t, corner)
		assert.Greater(t, ink, float32(10))
		assert.Less(t, ink, float32(250))
	}
}

func TestGlyphsRefuse(t *testing.T) {
	for want, o := range map[string]datasets.GlyphOptions{
		`the character 'A' is in "ABA" twice`:                                                     {Characters: "ABA"},
		`character '中' of font Go Regular: the font does not have it: leave it out of Characters`: {Characters: "A中"},
		`character ' ' of font Go Regular: it leaves no ink: leave it out of Characters`:          {Characters: "A "},
		`a number of rows or a size of -1: it must be 1 or more`:                                  {Rows: -1},
	} {
		assert.PanicsWithValue(t, "datasets.Glyphs: "+want, func() { datasets.Glyphs(o) })
	}
}

func BenchmarkGlyphs(b *testing.B) {
	s := datasets.GlyphOptions{}.Set(train.Training, 1<<30)
	inputs, targets := make([]float32, 28*28), make([]float32, 1)
	for i := range b.N {
		if err := s.Read(train.Pass{}, i, inputs, targets); err != nil {
			b.Fatal(err)
		}
	}
}
