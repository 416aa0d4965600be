package steps

import (
	"math/rand/v2"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// sample is the few training rows that are kept, for pictures.
type sample struct {
	examples int // of each class on the contact sheet; 0 for the default

	random *rand.Rand
	most   int // rows in reservoir
	seen   int
	// reservoir is a random sample of all rows, of equal chances (Vitter's algorithm R, 1985).
	reservoir [][]float32
	// inputs and targets are the first rows, as they come.
	inputs, targets []float32
	first           int
	// sheet is the first rows of each class, for pictures.
	sheet [][]example
}

type example struct {
	row    int
	pixels []float32
	target float32
}

const (
	firstRows     = 32      // in sample.npy
	reservoirRows = 2000    // at most, and at most
	sampledValues = 1 << 18 // values in all: 1 MiB
	sheetPictures = 100     // at most, whatever the number of classes
)

// limits sizes the sample for rows of so many elements.
func (s *sample) limits(v *survey, size int) {
	s.random = train.Rand(v.seed, "explore", "sample")
	s.most = max(1, min(reservoirRows, sampledValues/max(size, 1)))
	if !v.picture || v.shape[0] != 1 && v.shape[0] != 3 {
		return
	}
	classes := min(max(len(v.data.Classes), 1), sheetPictures)
	if s.examples == 0 {
		s.examples = 8
	}
	if len(v.data.Classes) == 0 {
		s.examples *= 8
	}
	s.examples = max(1, min(s.examples, sheetPictures/classes))
	s.sheet = make([][]example, classes)
}

func (s *sample) add(row int, inputs, targets []float32) {
	if s.first < firstRows {
		s.inputs, s.targets = append(s.inputs, inputs...), append(s.targets, targets...)
		s.first++
	}
	s.seen++
	if len(s.reservoir) < s.most {
		s.reservoir = append(s.reservoir, slices.Clone(inputs))
	} else if i := s.random.IntN(s.seen); i < s.most {
		copy(s.reservoir[i], inputs)
	}
	if len(s.sheet) == 0 || len(targets) == 0 {
		return
	}
	class := 0
	if len(s.sheet) > 1 {
		class = int(targets[0])
	}
	if class >= 0 && class < len(s.sheet) && len(s.sheet[class]) < s.examples {
		s.sheet[class] = append(s.sheet[class], example{row, slices.Clone(inputs), targets[0]})
	}
}
