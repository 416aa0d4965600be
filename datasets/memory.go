package datasets

import (
	"fmt"
	"iter"
	"math"
	"slices"

	"github.com/actually-robust-training/art/internal/suggest"
	"github.com/actually-robust-training/art/train"
)

// Number is what targets may be written as.
type Number interface {
	~int | ~uint8 | ~float32 | ~float64
}

// FromRows makes a set of examples in memory. With classes, targets are class
// ids in [0, len(classes)); without, values to regress on. Rows of different
// lengths, ids out of range, NaN and infinity are errors. The inputs are copied.
func FromRows[T Number](inputs [][]float32, targets []T, classes []string) (Set, error) {
	if len(inputs) != len(targets) {
		return Set{}, fmt.Errorf("%d rows of inputs but %d targets: there must be one target a row", len(inputs), len(targets))
	}
	return FromSeq(func(yield func([]float32, T) bool) {
		for i, row := range inputs {
			if !yield(row, targets[i]) {
				return
			}
		}
	}, classes)
}

// FromSeq makes a set of all that a sequence of inputs and targets yields, as
// [FromRows]. The rows are copied, so the sequence may reuse its memory.
func FromSeq[T Number](examples iter.Seq2[[]float32, T], classes []string) (Set, error) {
	var inputs, targets []float32
	width, rows := 0, 0
	for row, target := range examples {
		if rows == 0 {
			width = len(row)
		}
		if len(row) != width {
			return Set{}, fmt.Errorf("row %d has %d inputs, the rows before it have %d", rows, len(row), width)
		}
		if value := float64(target); len(classes) > 0 && value != math.Trunc(value) {
			return Set{}, fmt.Errorf("row %d: class id %v is not a whole number", rows, value)
		}
		inputs = append(inputs, row...)
		targets = append(targets, float32(target))
		rows++
	}
	return FromTensors(
		train.Tensor{Shape: []int{rows, width}, Data: inputs},
		train.Tensor{Shape: []int{rows}, Data: targets}, classes)
}

// FromTensors makes a set of two tensors whose first axis counts the examples.
// With classes, targets are class ids, [rows] or [rows, positions], where
// negative ids are positions that do not count; without, values, [rows] or
// [rows, values]. Ids out of range, NaN and infinity are errors. The tensors are
// not copied and must not change.
func FromTensors(inputs, targets train.Tensor, classes []string) (Set, error) {
	if inputs.Rows() == 0 {
		return Set{}, ErrNoExamples
	}
	if len(inputs.Shape) == 1 {
		inputs.Shape = []int{inputs.Rows(), 1}
	}
	if len(targets.Shape) == 1 && len(classes) == 0 {
		targets.Shape = []int{targets.Rows(), 1}
	}
	if err := (train.Batch{Inputs: inputs, Targets: targets}).Check(); err != nil {
		return Set{}, err
	}
	s := Set{
		Rows: inputs.Rows(), Shape: inputs.Shape[1:], TargetShape: targets.Shape[1:], Classes: classes,
		Read: func(_ train.Pass, row int, in, out []float32) error {
			copy(in, inputs.Row(row))
			copy(out, targets.Row(row))
			return nil
		},
	}
	if len(s.TargetShape) == 0 {
		s.TargetShape = nil
	}
	if err := s.Check(); err != nil {
		return Set{}, err
	}
	if err := checkFinite(inputs, "input"); err != nil {
		return Set{}, err
	}
	if len(classes) == 0 {
		return s, checkFinite(targets, "target")
	}
	return s, checkClasses(targets, classes)
}

func checkFinite(t train.Tensor, what string) error {
	for i, v := range t.Data {
		if !finite(v) {
			return fmt.Errorf("row %d: %s %d is %v: drop the row or put a number in its place",
				i/t.RowSize(), what, i%t.RowSize(), v)
		}
	}
	return nil
}

func checkClasses(t train.Tensor, classes []string) error {
	for i, v := range t.Data {
		row := i / t.RowSize()
		switch {
		case v != float32(math.Trunc(float64(v))): // NaN too
			return fmt.Errorf("row %d: class id %v is not a whole number", row, v)
		case v < 0 && len(t.Shape) > 1: // a position that does not count
		case v < 0 || int(v) >= len(classes):
			return fmt.Errorf("row %d: class id %v is out of range: there are %d classes, 0 to %d (%s)",
				row, v, len(classes), len(classes)-1, some(classes))
		}
	}
	return nil
}

func finite(v float32) bool { return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0) }

// hint ends a sentence about an unknown name: the nearest known one, or the
// first of all that there are.
func hint(name string, known []string) string {
	if near := suggest.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "there are " + some(known)
}

// some writes the first names of a list.
func some(names []string) string {
	if len(names) > 6 {
		names = append(slices.Clone(names[:5]), "…")
	}
	return fmt.Sprintf("%q", names)
}
