package datasets

import (
	"errors"
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// Set is a list of examples with random access. It is a value: functions that
// take a set return another and leave the first as it was. Any struct with
// Rows, Shape and Read is a set.
type Set struct {
	// Name is what errors and reports call the set.
	Name string
	// Rows is the number of examples.
	Rows int
	// Shape of the inputs of one example: [features], or [channels, height,
	// width] for pictures.
	Shape []int
	// TargetShape of the target of one example: nil for one class id, [positions]
	// for a class id at every position, [values] for a regression.
	TargetShape []int
	// Classes names the classes in the order of their ids; nil for a regression.
	Classes []string
	// Features names the inputs of an example of one axis; nil when they have no
	// names.
	Features []string
	// Tokens is the size of the vocabulary when the inputs are token ids, whole
	// numbers in [0, Tokens): they are then never normalised. 0 for quantities.
	Tokens int
	// Groups names what each row belongs to, as a writer or a patient: [Split]
	// never puts one group on both sides. Nil when rows stand for themselves,
	// else of length Rows.
	Groups []string
	// Parallel says that reading a row is slow (decoding, drawing), so that
	// batches read their rows on all processors.
	Parallel bool
	// Read writes example row, in [0, Rows), into inputs and targets, which have
	// the sizes of Shape and TargetShape and hold anything before. The pass
	// decides about augmentation and nothing else. Equal arguments give equal
	// values. Read may be called from several goroutines at once.
	Read func(p train.Pass, row int, inputs, targets []float32) error

	augmented bool              // Augment is somewhere inside
	class     func(row int) int // the class of a row without reading it; nil where that is not known
}

// DefaultBatchSize is the number of rows of a batch where nobody says otherwise.
const DefaultBatchSize = 32

// ErrNoExamples is the reason for refusing a set without rows.
var ErrNoExamples = errors.New("there are no examples")

// Example reads one example without augmentation, into fresh memory.
func (s Set) Example(row int) (inputs, targets []float32, err error) {
	if row < 0 || row >= s.Rows {
		return nil, nil, fmt.Errorf("%s: there is no row %d: rows are 0 to %d", s.name(), row, s.Rows-1)
	}
	inputs, targets = make([]float32, train.Size(s.Shape)), make([]float32, train.Size(s.TargetShape))
	if err := s.read(train.Pass{}, row, inputs, targets); err != nil {
		return nil, nil, err
	}
	return inputs, targets, nil
}

// Check reports a set that cannot be used: no rows, no way to read them, names
// that do not fit their number.
func (s Set) Check() error {
	switch {
	case s.Rows < 0:
		return fmt.Errorf("%s: the number of rows is %d", s.name(), s.Rows)
	case s.Rows == 0:
		return fmt.Errorf("%s: %w", s.name(), ErrNoExamples)
	case s.Read == nil:
		return fmt.Errorf("%s: the field Read is nil: it must say how an example is read", s.name())
	case len(s.Shape) == 0:
		return fmt.Errorf("%s: the field Shape is empty: it must be the shape of one example, such as [4]", s.name())
	case len(s.Features) > 0 && len(s.Features) != train.Size(s.Shape):
		return fmt.Errorf("%s: %d names of features for examples of shape %v", s.name(), len(s.Features), s.Shape)
	case s.Groups != nil && len(s.Groups) != s.Rows:
		return fmt.Errorf("%s: %d groups for %d rows: there must be one a row", s.name(), len(s.Groups), s.Rows)
	}
	for _, n := range slices.Concat(s.Shape, s.TargetShape) {
		if n <= 0 {
			return fmt.Errorf("%s: shapes %v of inputs and %v of targets hold an axis of %d", s.name(), s.Shape, s.TargetShape, n)
		}
	}
	return nil
}

// classified reports whether every row has exactly one class.
func (s Set) classified() bool { return len(s.Classes) > 0 && train.Size(s.TargetShape) == 1 }

func (s Set) name() string {
	if s.Name == "" {
		return "data set"
	}
	return s.Name
}

// read is Read with an error that names set and row.
func (s Set) read(p train.Pass, row int, inputs, targets []float32) error {
	if err := s.Read(p, row, inputs, targets); err != nil {
		return fmt.Errorf("%s: row %d: %w", s.name(), row, err)
	}
	return nil
}

// walk reads all rows in order, without augmentation, into memory that is used
// again.
func (s Set) walk(visit func(row int, inputs, targets []float32) error) error {
	for b, err := range Batches(s)(train.Pass{BatchSize: 256}) {
		if err != nil {
			return err
		}
		for i, row := range b.Rows {
			if err := visit(row, b.Inputs.Row(i), b.Targets.Row(i)); err != nil {
				return err
			}
		}
	}
	return nil
}
