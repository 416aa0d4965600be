package baselines

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// rows are the training rows taken in so far. Rows without any class are left out.
type rows struct {
	n               int
	classes         int
	inputSize       int // 0 where inputs are not kept
	targetSize      int
	inputs, targets []float32
	numbers         []int // as the source names them, -1 for rows without a name
	known           map[int]bool
}

func newRows(init train.Init, inputs bool) rows {
	r := rows{classes: init.Classes, targetSize: init.Example.Targets.RowSize(), known: map[int]bool{}}
	if inputs {
		r.inputSize = init.Example.Inputs.RowSize()
	}
	return r
}

// add takes in the rows that are not known yet and reports whether there were any.
func (r *rows) add(b train.Batch) bool {
	before := r.n
	for i := range b.Len() {
		number := -1
		if b.Rows != nil {
			number = b.Rows[i]
		}
		if number >= 0 && r.known[number] || r.classes > 0 && slices.Max(b.Targets.Row(i)) < 0 {
			continue
		}
		if number >= 0 {
			r.known[number] = true
		}
		if r.inputSize > 0 {
			r.inputs = append(r.inputs, b.Inputs.Row(i)...)
		}
		r.targets = append(r.targets, b.Targets.Row(i)...)
		r.numbers = append(r.numbers, number)
		r.n++
	}
	return r.n > before
}

func (r *rows) input(i int) []float32  { return r.inputs[i*r.inputSize : (i+1)*r.inputSize] }
func (r *rows) target(i int) []float32 { return r.targets[i*r.targetSize : (i+1)*r.targetSize] }

// accept reports a batch that does not fit what the learner was built from.
func accept(init train.Init, b train.Batch, finiteInputs bool) error {
	if err := b.Check(); err != nil {
		return err
	}
	example := init.Example
	if !slices.Equal(b.Inputs.Shape[1:], example.Inputs.Shape[1:]) {
		return fmt.Errorf("inputs have shape %v, want [rows] and %v", b.Inputs.Shape, example.Inputs.Shape[1:])
	}
	if !slices.Equal(b.Targets.Shape[1:], example.Targets.Shape[1:]) {
		return fmt.Errorf("targets have shape %v, want [rows] and %v", b.Targets.Shape, example.Targets.Shape[1:])
	}
	size := b.Targets.RowSize()
	for i, v := range b.Targets.Data {
		y := float64(v)
		switch {
		case init.Classes > 0 && (y != math.Trunc(y) || y >= float64(init.Classes) || math.IsInf(y, 0)):
			return fmt.Errorf("the target of %s is %v, want a class id below %d (or a negative one, to leave it out)",
				name(b, i/size), v, init.Classes)
		case init.Classes == 0 && !finite(v):
			return fmt.Errorf("the target of %s is %v: take the row out of the data", name(b, i/size), v)
		}
	}
	if !finiteInputs {
		return nil
	}
	if i := slices.IndexFunc(b.Inputs.Data, func(v float32) bool { return !finite(v) }); i >= 0 {
		return fmt.Errorf("the inputs of %s hold %v: take the row out of the data, or fill the gap",
			name(b, i/b.Inputs.RowSize()), b.Inputs.Data[i])
	}
	return nil
}

func name(b train.Batch, row int) string {
	if b.Rows != nil {
		return fmt.Sprintf("row %d", b.Rows[row])
	}
	return fmt.Sprintf("row %d of the batch", row)
}

func finite(v float32) bool { return v-v == 0 }
