package nn

import (
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// updatesName is the tensor that counts updates: [2], millions and the rest,
// as float32 is exact up to 1<<24 only.
const updatesName = "optimizer/updates"

const million = 1_000_000

// State implements train.Stater: the count of updates and the moments of each
// parameter, named like "conv1/weight/mean".
func (l *Learner) State() []train.Named {
	o := l.optimizer
	count := train.Tensor{Shape: []int{2}, Data: []float32{float32(o.updates / million), float32(o.updates % million)}}
	state := []train.Named{{Name: updatesName, Tensor: count}}
	for i, p := range l.params {
		for k, m := range o.moments[i] {
			state = append(state, train.Named{
				Name:   p.Name + "/" + momentNames(o.Optimizer)[k],
				Tensor: train.Tensor{Shape: p.Shape, Data: m}.Clone(),
			})
		}
	}
	return state
}

// SetState implements train.Stater. Nothing is changed if a tensor is missing,
// unknown or of another shape.
func (l *Learner) SetState(state []train.Named) error {
	given := map[string]train.Tensor{}
	for _, n := range state {
		given[n.Name] = n.Tensor
	}
	want := l.State()
	for _, w := range want {
		got, ok := given[w.Name]
		switch {
		case !ok:
			return fmt.Errorf("state: the tensor %q is missing: the state is that of another model or optimizer", w.Name)
		case !slices.Equal(got.Shape, w.Shape) || len(got.Data) != len(w.Data):
			return fmt.Errorf("state: tensor %q has shape %v, want %v", w.Name, got.Shape, w.Shape)
		}
		delete(given, w.Name)
	}
	for _, n := range state {
		if _, left := given[n.Name]; left {
			return fmt.Errorf("state: there is no tensor %q in this model and optimizer", n.Name)
		}
	}
	for _, n := range state {
		given[n.Name] = n.Tensor
	}
	count := given[updatesName].Data
	l.optimizer.updates = int(count[0])*million + int(count[1])
	for i, p := range l.params {
		for k, m := range l.optimizer.moments[i] {
			copy(m, given[p.Name+"/"+momentNames(l.optimizer.Optimizer)[k]].Data)
		}
	}
	return nil
}
