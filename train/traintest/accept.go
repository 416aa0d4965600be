package traintest

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// accept reports a batch that does not fit what a learner was built from: other
// shapes of rows, or class ids that are none.
func accept(init train.Init, b train.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	for _, t := range []struct {
		name      string
		got, want []int
	}{{"inputs", b.Inputs.Shape, init.Example.Inputs.Shape}, {"targets", b.Targets.Shape, init.Example.Targets.Shape}} {
		if !slices.Equal(t.got[1:], t.want[1:]) {
			return fmt.Errorf("%s have shape %v, want [rows] and %v", t.name, t.got, t.want[1:])
		}
	}
	if init.Classes == 0 {
		return nil
	}
	for i, v := range b.Targets.Data {
		if id := float64(v); id != math.Trunc(id) || id >= float64(init.Classes) {
			return fmt.Errorf("target %d is %v, want a class id below %d", i, v, init.Classes)
		}
	}
	return nil
}
