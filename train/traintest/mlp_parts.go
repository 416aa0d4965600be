package traintest

import (
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// What the MLP shows of itself: the optional interfaces of train.

// array is a parameter with its moment.
type array struct {
	train.Param
	moment []float32
}

func (m *mlp) arrays() []array {
	var a []array
	for _, l := range m.layers {
		a = append(a,
			array{train.Param{
				Name: l.name + "/weight", Shape: []int{l.in, l.out},
				Value: l.weight, Grad: l.dWeight, Frozen: l.frozenW, Decays: true,
			}, l.vWeight},
			array{train.Param{
				Name: l.name + "/bias", Shape: []int{l.out}, Value: l.bias, Grad: l.dBias, Frozen: l.frozenB,
			}, l.vBias})
	}
	return a
}

func (m *mlp) Params() []train.Param {
	var params []train.Param
	for _, a := range m.arrays() {
		params = append(params, a.Param)
	}
	return params
}

func (m *mlp) Freeze(frozen func(string) bool) error {
	for _, l := range m.layers {
		l.frozenW, l.frozenB = frozen(l.name+"/weight"), frozen(l.name+"/bias")
	}
	return nil
}

func (m *mlp) State() []train.Named {
	var state []train.Named
	for _, a := range m.arrays() {
		state = append(state, train.Named{Name: a.Name + "/moment", Tensor: train.Tensor{Shape: a.Shape, Data: a.moment}.Clone()})
	}
	return state
}

func (m *mlp) SetState(state []train.Named) error {
	arrays := m.arrays()
	if len(state) != len(arrays) {
		return fmt.Errorf("%d tensors of state, want %d", len(state), len(arrays))
	}
	for i, a := range arrays {
		if s := state[i]; s.Name != a.Name+"/moment" || len(s.Data) != len(a.moment) {
			return fmt.Errorf("state %q of %d elements, want %q of %d", s.Name, len(s.Data), a.Name+"/moment", len(a.moment))
		}
	}
	for i, a := range arrays {
		copy(a.moment, state[i].Data)
	}
	return nil
}

func (m *mlp) Tensors() []string { return []string{"input", "hidden", "output"} }

func (m *mlp) Activation(name string) (train.Tensor, error) {
	switch name {
	case "input":
		return m.input, nil
	case "hidden":
		return m.h, nil
	case "output":
		return m.out, nil
	}
	return train.Tensor{}, fmt.Errorf("there is no tensor %q: tensors are %q", name, m.Tensors())
}

func (m *mlp) Pullback(b train.Batch, cotangent train.Tensor, name string) (train.Tensor, error) {
	if err := m.run(b); err != nil {
		return train.Tensor{}, err
	}
	if !slices.Equal(cotangent.Shape, m.out.Shape) {
		return train.Tensor{}, fmt.Errorf("the cotangent has shape %v, outputs have %v", cotangent.Shape, m.out.Shape)
	}
	at, err := m.Activation(name)
	if err != nil || name == "output" {
		return cotangent, err
	}
	result := train.NewTensor(at.Shape...)
	for row := range b.Len() {
		d := make([]float64, m.outputs)
		for j, v := range cotangent.Row(row) {
			d[j] = float64(v)
		}
		if name == "hidden" {
			d = m.layers[1].back(d)
		} else {
			d = m.layers[0].back(m.hiddenGradient(row, d))
		}
		for j, v := range d {
			result.Row(row)[j] = float32(v)
		}
	}
	return result, nil
}
