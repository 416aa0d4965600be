package steps

import (
	"context"
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// survey is what one walk over every stage tells. It holds no rows but a small
// sample: 32 bytes a row, and moments.
type survey struct {
	data   train.Data
	seed   uint64
	stages []*stageFacts // training first
	keys   []rowKey
	sample sample

	shape, targetShape []int // of one row
	known              bool  // the shapes are
	picture            bool  // inputs are [rows, channels, height, width]
	span               int   // elements of a row that share moments
	groups             int   // sets of moments: features, channels, or one for all
	whole              bool  // every input so far is a whole number
	indicator          bool  // targets may be [rows, classes] of zeros and ones
	levels             levels
	gives              giveaway
	edges              []edges // of each training feature; nil for pictures and token ids
	hash               hasher
}

// stageFacts is what is known of one stage.
type stageFacts struct {
	name          string
	rows, batches int
	features      []powers
	targets       []powers  // columns of a regression's targets
	classes       []float64 // targets of each class
	ones          []float64 // by column: targets that are 1
	positions     int       // class ids looked at
	leftOut       int       // negative class ids
	wrong         trouble   // targets out of range
	wrongValues   powers
	notFinite     trouble // inputs and targets
	notTokens     trouble
	blank         trouble // pictures of one colour
	values        int
}

// trouble counts something and names the first places.
type trouble struct {
	count  int
	places []string
}

const placesNamed = 5

// add counts; place is only asked for while places are still named.
func (t *trouble) add(place func() string) {
	if t.count++; len(t.places) < placesNamed {
		t.places = append(t.places, place())
	}
}

// featuresApart is the number of features up to which each has moments of its own.
const featuresApart = 4096

// walk reads a stage once, in its stored order.
func (v *survey) walk(ctx context.Context, stage string, progress func(rows int)) (err error) {
	src, err := v.data.Stage(stage)
	if err != nil {
		return err
	}
	f := &stageFacts{name: stage}
	v.stages = append(v.stages, f)
	fail := func(err error) error {
		return fmt.Errorf("data %q: %s data cannot be read: batch %d (after %d rows): %w", v.data.Name, stage, f.batches, f.rows, err)
	}
	defer func() {
		if caught := train.Caught(recover()); caught != nil {
			err = fail(caught)
		}
	}()
	for b, err := range src(train.Pass{Seed: v.seed, BatchSize: v.data.BatchSize}) {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err == nil {
			err = b.Check()
		}
		if err == nil {
			err = v.fits(b)
		}
		if err != nil {
			return fail(err)
		}
		v.take(f, b)
		progress(f.rows)
	}
	if f.rows == 0 {
		return fmt.Errorf("data %q: the %s data is empty: its source yields no batch; give it rows, or set the field of train.Data to nil", v.data.Name, stage)
	}
	return nil
}

// fits makes sure that all rows of all stages have one shape.
func (v *survey) fits(b train.Batch) error {
	shape, targets := b.Inputs.Shape[1:], b.Targets.Shape[1:]
	if !v.known {
		v.learn(shape, targets)
		return nil
	}
	switch {
	case !slices.Equal(shape, v.shape):
		return fmt.Errorf("its inputs have shape %v a row, those before it %v: pad, crop or resize so that all rows of all stages are alike", shape, v.shape)
	case !slices.Equal(targets, v.targetShape):
		return fmt.Errorf("its targets have shape %v a row, those before it %v: all rows of all stages must be alike", targets, v.targetShape)
	}
	return nil
}

func (v *survey) learn(shape, targets []int) {
	v.known, v.whole, v.shape, v.targetShape = true, true, slices.Clone(shape), slices.Clone(targets)
	size := train.Size(shape)
	v.groups, v.span = 1, size
	switch {
	case len(shape) == 3:
		v.picture, v.groups, v.span = true, shape[0], shape[1]*shape[2]
	case len(shape) <= 1 && size <= featuresApart:
		v.groups, v.span = size, 1
	}
	if size == 0 {
		v.groups, v.span = 0, 1
	}
	classes := len(v.data.Classes)
	v.indicator = classes > 2 && len(targets) == 1 && targets[0] == classes
	v.levels.open = !v.picture && v.span == 1
	v.gives.on = v.levels.open && v.data.Tokens == 0 && size >= 2 && size <= givesFeatures && classes <= givesClasses && train.Size(targets) == 1
	if v.levels.open && v.data.Tokens == 0 {
		v.edges = make([]edges, size)
	}
	v.sample.limits(v, size)
}

// take folds a batch in.
func (v *survey) take(f *stageFacts, b train.Batch) {
	if f.features == nil {
		f.features = make([]powers, v.groups)
		f.classes = make([]float64, len(v.data.Classes))
		f.ones = make([]float64, len(v.data.Classes))
		f.targets = make([]powers, min(train.Size(v.targetShape), featuresApart))
	}
	f.batches++
	for i := range b.Len() {
		row := f.rows
		if b.Rows != nil {
			row = b.Rows[i]
		}
		inputs, targets := b.Inputs.Row(i), b.Targets.Row(i)
		v.takeInputs(f, row, inputs)
		if len(v.data.Classes) > 0 {
			v.takeClasses(f, row, targets)
		} else {
			v.takeValues(f, row, targets)
		}
		stage := uint8(len(v.stages) - 1)
		v.keys = append(v.keys, v.hash.key(inputs, targets, row, stage))
		if stage == 0 {
			v.levels.add(inputs)
			v.addEdges(inputs)
			v.gives.add(inputs, targets, len(v.data.Classes))
			v.sample.add(row, inputs, targets)
		}
		f.rows++
	}
}

func (v *survey) takeInputs(f *stageFacts, row int, inputs []float32) {
	f.values += len(inputs)
	blank := v.picture && len(inputs) > 1
	for g := range f.features {
		p := &f.features[g]
		for j, x := range inputs[g*v.span : (g+1)*v.span] {
			blank = blank && x == inputs[0]
			if x-x != 0 { // NaN or infinite
				f.notFinite.add(func() string { return fmt.Sprintf("%s row %d: %s is %v", f.name, row, v.element(g*v.span+j), x) })
				continue
			}
			p.add(float64(x))
			v.whole = v.whole && x == float32(int(x))
			if v.data.Tokens > 0 && (x < 0 || x >= float32(v.data.Tokens) || x != float32(int(x))) {
				f.notTokens.add(func() string { return fmt.Sprintf("%s row %d: token %d is %v", f.name, row, g*v.span+j, x) })
			}
		}
	}
	if blank {
		f.blank.add(func() string { return fmt.Sprintf("%s row %d: every pixel is %v", f.name, row, inputs[0]) })
	}
}

func (v *survey) takeClasses(f *stageFacts, row int, targets []float32) {
	f.values += len(targets)
	for j, y := range targets {
		f.positions++
		where := func() string {
			if len(targets) > 1 {
				return fmt.Sprintf("%s row %d, position %d: the target is %v", f.name, row, j, y)
			}
			return fmt.Sprintf("%s row %d: the target is %v", f.name, row, y)
		}
		v.indicator = v.indicator && (y == 0 || y == 1)
		switch {
		case y-y != 0:
			f.notFinite.add(where)
		case y != float32(int(y)) || int(y) >= len(v.data.Classes):
			f.wrong.add(where)
			f.wrongValues.add(float64(y))
		case y < 0:
			f.leftOut++
		default:
			f.classes[int(y)]++
			if y == 1 && j < len(f.ones) {
				f.ones[j]++
			}
		}
	}
}

func (v *survey) takeValues(f *stageFacts, row int, targets []float32) {
	f.values += len(targets)
	for j, y := range targets {
		if y-y != 0 {
			f.notFinite.add(func() string { return fmt.Sprintf("%s row %d: target %d is %v", f.name, row, j, y) })
			continue
		}
		f.targets[j%len(f.targets)].add(float64(y))
	}
}

// element names an element of an input row.
func (v *survey) element(i int) string {
	switch {
	case i < len(v.data.Features):
		return fmt.Sprintf("feature %q", v.data.Features[i])
	case v.data.Tokens > 0:
		return fmt.Sprintf("token %d", i)
	case v.picture:
		w := max(v.shape[2], 1)
		return fmt.Sprintf("channel %d, pixel (%d, %d)", i/v.span, i%v.span/w, i%w)
	}
	return fmt.Sprintf("feature %d", i)
}

// group names what shares moments.
func (v *survey) group(g int) string {
	switch {
	case v.picture:
		return fmt.Sprintf("channel %d", g)
	case v.span > 1 || v.groups == 0:
		return "all inputs"
	}
	return v.element(g)
}

// training is the first stage.
func (v *survey) training() *stageFacts { return v.stages[0] }

// counts are the targets of each class; for indicators, the ones of each column.
func (v *survey) counts(f *stageFacts) []float64 {
	if v.indicator {
		return f.ones
	}
	return f.classes
}

// tokenTargets reports that the classes are the vocabulary itself: a language
// model, where some tokens are rare and some never come next.
func (v *survey) tokenTargets() bool {
	return v.data.Tokens > 0 && v.data.Tokens == len(v.data.Classes)
}
