package datasets

import (
	"fmt"
	"math/rand/v2"

	"github.com/actually-robust-training/art/train"
)

// Augmentation changes the inputs of one example in place, by draws from r and
// nothing else. Shape is that of the example.
type Augmentation func(r *rand.Rand, shape []int, inputs []float32)

// Augment makes a random variant of the inputs whenever a pass asks for it
// ([train.Pass].Augment), by the given changes in order. The variant is a
// function of the pass's seed and epoch and of the row. Passes that do not ask
// read the examples as they are. Shapes are the same on all machines; Rotate and
// Scale use the sine and powers of the library, whose last bit may differ between
// architectures.
func Augment(s Set, changes ...Augmentation) Set {
	if len(changes) == 0 {
		return s
	}
	inner := s
	s.augmented = true
	s.Read = func(p train.Pass, row int, inputs, targets []float32) error {
		if err := inner.Read(p, row, inputs, targets); err != nil {
			return err
		}
		if !p.Augment {
			return nil
		}
		seed := train.DeriveN(train.DeriveN(p.Seed, "augment", p.Epoch), "row", row)
		r := rand.New(rand.NewPCG(seed, train.Mix(seed)))
		for _, change := range changes {
			change(r, s.Shape, inputs)
		}
		return nil
	}
	return s
}

// augments tries augmentation on the first row, so that one that cannot work with
// these shapes is refused before anything is trained.
func augments(s Set) (err error) {
	if !s.augmented {
		return nil
	}
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s: augmenting row 0: %v", s.name(), v)
		}
	}()
	return s.read(train.Pass{Augment: true}, 0, make([]float32, train.Size(s.Shape)), make([]float32, train.Size(s.TargetShape)))
}
