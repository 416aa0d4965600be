package datasets

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// GlyphOptions says which characters are drawn and how. The zero value is the
// usual set: the letters A to J, 2,000 for training and 500 for validation.
type GlyphOptions struct {
	// Characters are the classes, one each. Default "ABCDEFGHIJ". Upper and lower
	// case of a letter like C, and pairs like O and 0, are hard to tell apart.
	Characters string
	// Rows and Validation are the numbers of examples. Defaults 2000 and 500.
	Rows, Validation int
	// Size is the side of the square picture in pixels. Default 28.
	Size int
	// Seed of everything random. Training and validation are drawn from
	// different seeds derived from it.
	Seed uint64
	// Distortion scales the random changes of shape: rotation up to 17 degrees,
	// slant, width, size, place, bending and thickness of the stroke. Default 1;
	// negative for none.
	Distortion float64
	// Noise is the standard deviation of the noise on every pixel, where ink is
	// about 1 and paper 0. Default 0.12; negative for none.
	Noise float64
}

// Glyphs draws characters of 17 fonts with random distortion and noise: a
// picture data set of any size that needs no files. Examples are [1, Size,
// Size], bright on dark, normalised over (the first 5,000 of) the training rows; they are drawn
// when they are first read, on all processors, and kept. The classes take turns,
// so they are balanced. A row depends on the seed, its stage and its number: the
// same on every run, and on every architecture, since shapes are computed in
// float64 without fused operations and in integers.
//
// It panics on a character that a font does not have.
func Glyphs(o GlyphOptions) train.Data {
	o = o.withDefaults()
	st := Stages{Name: "glyphs", Raw: true, Training: Cache(o.Set(train.Training, o.Rows)), Validation: Cache(o.Set(train.Validation, o.Validation))}
	scaler, err := Fit(Subset(st.Training, counting(min(o.Rows, 5000))))
	if err == nil {
		st.Training, st.Validation = scaler.Apply(st.Training), scaler.Apply(st.Validation)
		var data train.Data
		if data, err = st.Data(); err == nil {
			return data
		}
	}
	panic(fmt.Sprintf("datasets.Glyphs: %v", err)) // only options can be wrong
}

// Set is a number of examples of a stage, with pixels from 0 to about 1, drawn
// whenever they are read. Other names of stages give other examples.
func (o GlyphOptions) Set(stage string, rows int) Set {
	o = o.withDefaults()
	characters := []rune(o.Characters)
	outlines := loadOutlines(characters)
	classes := make([]string, len(characters))
	for i, c := range characters {
		if classes[i] = string(c); slices.Contains(classes[:i], classes[i]) {
			panic(fmt.Sprintf("datasets.Glyphs: the character %q is in %q twice", c, o.Characters))
		}
	}
	seed := train.Derive(o.Seed, "glyphs", stage)
	return Set{
		Name: "glyphs", Rows: rows, Shape: []int{1, o.Size, o.Size}, Classes: classes, Parallel: true,
		Read: func(_ train.Pass, row int, inputs, targets []float32) error {
			class := row % len(outlines)
			s := train.DeriveN(seed, "row", row)
			r := rand.New(rand.NewPCG(s, train.Mix(s)))
			o.draw(r, outlines[class][r.IntN(len(outlines[class]))], inputs)
			targets[0] = float32(class)
			return nil
		},
	}
}

func (o GlyphOptions) withDefaults() GlyphOptions {
	if o.Characters == "" {
		o.Characters = "ABCDEFGHIJ"
	}
	for _, f := range []struct {
		field *int
		value int
	}{{&o.Rows, 2000}, {&o.Validation, 500}, {&o.Size, 28}} {
		if *f.field == 0 {
			*f.field = f.value
		}
		if *f.field < 1 {
			panic(fmt.Sprintf("datasets.Glyphs: a number of rows or a size of %d: it must be 1 or more", *f.field))
		}
	}
	if o.Distortion == 0 {
		o.Distortion = 1
	}
	if o.Noise == 0 {
		o.Noise = 0.12
	}
	return o
}

// draw writes one picture of an outline.
func (o GlyphOptions) draw(r *rand.Rand, c outline, pixels []float32) {
	rasterize(newDistortion(r, o.Size, max(o.Distortion, 0)).apply(c), o.Size, pixels)
	ink := 0.6 + 0.4*r.Float64()
	noise := max(o.Noise, 0)
	for i, coverage := range pixels {
		pixels[i] = float32(float64(ink*float64(coverage)) + float64(noise*gaussian(r)))
	}
}

// gaussian is close to a normal draw: the sum of four uniform ones, mean 0 and
// deviation 1. It is exact in float64, unlike NormFloat64, whose tails depend on
// the exponential function of the architecture.
func gaussian(r *rand.Rand) float64 {
	const sqrt3 = 1.7320508075688772
	u := r.Uint64()
	sum := u&0xffff + u>>16&0xffff + u>>32&0xffff + u>>48
	return (float64(sum)/65536 - 2) * sqrt3
}
