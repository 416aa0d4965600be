package baselines

import (
	"fmt"

	"github.com/actually-robust-training/art/train"
)

// rowNumbers are stored in two digits of this base, as float32 holds no large
// whole numbers.
const numberBase = 1 << 20

// State implements train.Stater: the rows, and the fit that Forward uses.
func (l *learner) State() []train.Named {
	r := &l.rows
	numbers := train.NewTensor(r.n, 2)
	for i, n := range r.numbers {
		numbers.Data[2*i], numbers.Data[2*i+1] = float32(-1), float32(-1)
		if n >= 0 {
			numbers.Data[2*i], numbers.Data[2*i+1] = float32(n/numberBase), float32(n%numberBase)
		}
	}
	state := []train.Named{
		{Name: "rows/numbers", Tensor: numbers},
		{Name: "rows/inputs", Tensor: train.Tensor{Shape: []int{r.n, r.inputSize}, Data: r.inputs}.Clone()},
		{Name: "rows/targets", Tensor: train.Tensor{Shape: []int{r.n, r.targetSize}, Data: r.targets}.Clone()},
		{Name: "early/rows", Tensor: train.Tensor{
			Shape: []int{2}, Data: []float32{float32(l.earlyRows / numberBase), float32(l.earlyRows % numberBase)},
		}},
	}
	for i, p := range l.names {
		state = append(state, train.Named{
			Name: "early/" + p.Name, Tensor: train.Tensor{Shape: p.Shape, Data: l.early[i]}.Clone(),
		})
	}
	return state
}

// SetState implements train.Stater.
func (l *learner) SetState(state []train.Named) error {
	want := l.State()
	if len(state) != len(want) {
		return fmt.Errorf("%d tensors of state, want %d", len(state), len(want))
	}
	n := -1
	for i, w := range want {
		s := state[i]
		if err := s.Check(); err != nil {
			return fmt.Errorf("state %q: %w", s.Name, err)
		}
		if n < 0 {
			n = s.Rows()
		}
		if i < 3 {
			w.Shape[0] = n
		}
		if s.Name != w.Name || fmt.Sprint(s.Shape) != fmt.Sprint(w.Shape) {
			return fmt.Errorf("state %q has shape %v, want %q of %v", s.Name, s.Shape, w.Name, w.Shape)
		}
	}
	r := newRows(l.init, l.method.looksAtInputs())
	r.n = n
	r.inputs, r.targets = state[1].Clone().Data, state[2].Clone().Data
	for i := range n {
		number := -1
		if d := state[0].Row(i); d[0] >= 0 {
			number = int(d[0])*numberBase + int(d[1])
			r.known[number] = true
		}
		r.numbers = append(r.numbers, number)
	}
	l.rows, l.stale, l.noted = r, n > 0, train.Batch{}
	l.earlyRows = int(state[3].Data[0])*numberBase + int(state[3].Data[1])
	for i, s := range state[4:] {
		copy(l.early[i], s.Data)
	}
	return nil
}
