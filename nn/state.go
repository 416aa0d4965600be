package nn

import (
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// updatesName is the tensor that counts the updates of each parameter:
// [parameters, 2], millions and the rest, as float32 is exact up to 1<<24 only.
const updatesName = "optimizer/updates"

const million = 1_000_000

// State implements train.Stater: the counts of updates and the moments of each
// parameter, named like "conv1/weight/mean".
func (l *Learner) State() []train.Named {
	o := l.optimizer
	counts := train.NewTensor(len(l.params), 2)
	for i, n := range o.updates {
		counts.Data[2*i], counts.Data[2*i+1] = float32(n/million), float32(n%million)
	}
	state := []train.Named{{Name: updatesName, Tensor: counts}}
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
	counts, err := updateCounts(given[updatesName])
	if err != nil {
		return err
	}
	l.optimizer.updates = counts
	for i, p := range l.params {
		for k, m := range l.optimizer.moments[i] {
			copy(m, given[p.Name+"/"+momentNames(l.optimizer.Optimizer)[k]].Data)
		}
	}
	return nil
}

// updateCounts reads the tensor that State writes.
func updateCounts(t train.Tensor) ([]int, error) {
	counts := make([]int, t.Rows())
	for i := range counts {
		high, low := t.Data[2*i], t.Data[2*i+1]
		if !(high >= 0 && high < 1<<24 && low >= 0 && low < million) || high != float32(int(high)) || low != float32(int(low)) {
			return nil, fmt.Errorf("state: tensor %q has %v and %v for parameter %d, which are no millions and rest of a count: the file is damaged", updatesName, high, low, i)
		}
		counts[i] = int(high)*million + int(low)
	}
	return counts, nil
}
