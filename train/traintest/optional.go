package traintest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

func frozenParamsStay(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	if _, ok := l.(train.Freezer); !ok {
		return notApplicable("the learner is no train.Freezer")
	}
	if err := frozenAll(s); err != nil {
		return err
	}
	for i, p := range l.Params() {
		if p.Grad == nil && !s.ClosedForm {
			continue
		}
		if err := frozenOne(s, i); err != nil {
			return fmt.Errorf("parameter %q: %w", p.Name, err)
		}
	}
	return nil
}

// frozenAll: with everything frozen, statistics stay as well.
func frozenAll(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	if err := l.(train.Freezer).Freeze(func(string) bool { return true }); err != nil {
		return fmt.Errorf("freezing all: %w", err)
	}
	before := copyParams(l)
	if _, err := s.train(l, nil); err != nil {
		return fmt.Errorf("all frozen: %w", err)
	}
	if err := differParams("parameter", before, copyParams(l)); err != nil {
		return fmt.Errorf("all frozen: %w", err)
	}
	return nil
}

func frozenOne(s *subject, i int) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	freezer := l.(train.Freezer)
	var tr trace
	if err := s.iterate(l, &tr, 0, 2, nil); err != nil { // so that moments are not 0
		return err
	}
	name := l.Params()[i].Name
	if err := freezer.Freeze(func(p string) bool { return p == name }); err != nil {
		return err
	}
	before := copyParams(l)
	if err := s.iterate(l, &tr, 2, 5, nil); err != nil {
		return fmt.Errorf("frozen: %w", err)
	}
	moved := false
	for j, p := range l.Params() {
		if p.Frozen != (j == i) && (p.Grad != nil || p.Frozen) {
			return fmt.Errorf("frozen: Frozen of %q is %v", p.Name, p.Frozen)
		}
		if j == i {
			if err := differ32("frozen value", before[i].values, p.Value); err != nil {
				return err
			}
		} else if p.Grad != nil && !slices.Equal(p.Value, before[j].values) {
			moved = true
		}
	}
	if !moved && s.trainable(l) > 1 {
		return errors.New("frozen: no other parameter moves")
	}
	if err := freezer.Freeze(func(string) bool { return false }); err != nil {
		return err
	}
	if err := s.iterate(l, &tr, 5, 5+len(s.batches), nil); err != nil {
		return fmt.Errorf("thawed: %w", err)
	}
	if slices.Equal(l.Params()[i].Value, before[i].values) {
		return errors.New("thawed: it does not move")
	}
	return nil
}

func (s *subject) trainable(l train.Learner) int {
	n := 0
	for _, p := range l.Params() {
		if p.Grad != nil {
			n++
		}
	}
	return n
}

func stateRoundTrip(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	if _, ok := l.(train.Stater); !ok {
		return notApplicable("the learner is no train.Stater")
	}
	for _, at := range []int{0, 1, s.Iterations - 1} {
		if err := stateAt(s, at); err != nil {
			return fmt.Errorf("saved after %d iterations: %w", at, err)
		}
	}
	return wrongState(s)
}

func stateAt(s *subject, at int) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	var head, want trace
	if err := s.iterate(l, &head, 0, at, nil); err != nil {
		return err
	}
	params, state := copyParams(l), l.(train.Stater).State()
	seen := map[string]bool{}
	for _, n := range state {
		if err := n.Check(); err != nil {
			return fmt.Errorf("state %q: %w", n.Name, err)
		}
		if n.Name == "" || seen[n.Name] {
			return fmt.Errorf("the name %q of a state is empty or not unique", n.Name)
		}
		seen[n.Name] = true
	}
	if err := s.iterate(l, &want, at, at+s.Iterations, nil); err != nil {
		return err
	}
	if err := s.finish(l, &want); err != nil {
		return err
	}
	// Put back only now: State must have returned copies.
	other, err := s.build()
	if err != nil {
		return err
	}
	for i, p := range other.Params() {
		copy(p.Value, params[i].values)
	}
	if err := other.(train.Stater).SetState(state); err != nil {
		return fmt.Errorf("SetState: %w", err)
	}
	if err := differParams("restored parameter", params, copyParams(other)); err != nil {
		return err
	}
	for i := range state { // SetState must have copied
		for j := range state[i].Data {
			state[i].Data[j] = 77
		}
	}
	var got trace
	if err := s.iterate(other, &got, at, at+s.Iterations, nil); err != nil {
		return err
	}
	if err := s.finish(other, &got); err != nil {
		return err
	}
	return differs(want, got)
}

func wrongState(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	var tr trace
	if err := s.iterate(l, &tr, 0, 1, nil); err != nil {
		return err
	}
	state := l.(train.Stater).State()
	if len(state) == 0 {
		return nil
	}
	foreign := train.Named{Name: "no such state", Tensor: train.NewTensor(1)}
	for name, wrong := range map[string][]train.Named{
		"a tensor missing":         state[1:],
		"a tensor unknown":         append(slices.Clone(state), foreign),
		"a shape without its data": append([]train.Named{{Name: state[0].Name, Tensor: train.Tensor{Shape: []int{3}}}}, state[1:]...),
	} {
		if err := mustFail("SetState with "+name, func() error { return l.(train.Stater).SetState(wrong) }); err != nil {
			return err
		}
	}
	return nil
}

func tensorsInside(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	in, ok := l.(train.Inspector)
	if !ok {
		return notApplicable("the learner is no train.Inspector")
	}
	names := in.Tensors()
	if len(names) < 2 || names[0] != "input" || names[len(names)-1] != "output" {
		return fmt.Errorf("tensors are %q: the first must be \"input\", the last \"output\"", names)
	}
	if sorted := slices.Sorted(slices.Values(names)); len(slices.Compact(sorted)) != len(names) {
		return fmt.Errorf("tensors are %q: names must be unique", names)
	}
	for i := range 3 {
		b := s.batch(i)
		if i == 1 {
			if _, err := l.Forward(b, 0); err != nil {
				return err
			}
			if err := readable(in, names, b); err != nil {
				return fmt.Errorf("after Forward: %w", err)
			}
		}
		p, err := l.Predict(b)
		if err != nil {
			return err
		}
		outputs := p.Outputs.Clone()
		if err := readable(in, names, b); err != nil {
			return fmt.Errorf("after Predict: %w", err)
		}
		out, err := in.Activation("output")
		if err != nil {
			return err
		}
		if err := differ32("tensor \"output\"", outputs.Data, out.Data); err != nil {
			return fmt.Errorf("against Prediction.Outputs: %w", err)
		}
	}
	return mustFail("Activation of an unknown tensor", func() error { _, err := in.Activation("no such tensor"); return err })
}

func readable(in train.Inspector, names []string, b train.Batch) error {
	for _, name := range names {
		a, err := in.Activation(name)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if err := a.Check(); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		if len(a.Data) == 0 {
			return fmt.Errorf("tensor %q is empty", name)
		}
		if name == "input" {
			if err := differ32("tensor \"input\"", b.Inputs.Data, a.Data); err != nil {
				return err
			}
		}
	}
	return nil
}

func pullback(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	d, ok := l.(train.Differentiator)
	if !ok {
		return notApplicable("the learner is no train.Differentiator")
	}
	if _, err := s.train(l, nil); err != nil {
		return err
	}
	b := s.batches[1].Clone() // a partial one
	p, err := l.Predict(b)
	if err != nil {
		return err
	}
	r := train.Rand(s.Seed, "cotangent")
	cotangent := train.NewTensor(p.Outputs.Shape...)
	for i := range cotangent.Data {
		cotangent.Data[i] = float32(r.NormFloat64())
	}
	before := copyParams(l)
	out, err := d.Pullback(b, cotangent.Clone(), "output")
	if err != nil {
		return fmt.Errorf("Pullback to \"output\": %w", err)
	}
	if err := differ32("Pullback to \"output\"", cotangent.Data, out.Data); err != nil {
		return err
	}
	err = mustFail("Pullback to an unknown tensor", func() error { _, err := d.Pullback(b, cotangent, "no such tensor"); return err })
	if err != nil {
		return err
	}
	if !s.Discrete {
		g, err := d.Pullback(b, cotangent, "input")
		if err != nil {
			return fmt.Errorf("Pullback to \"input\": %w", err)
		}
		if !slices.Equal(g.Shape, b.Inputs.Shape) {
			return fmt.Errorf("Pullback to \"input\" is %v, inputs are %v", g.Shape, b.Inputs.Shape)
		}
		err = slopes(b.Inputs.Data, slices.Clone(g.Data), s.Slope, r, func() (float64, error) {
			p, err := l.Predict(b)
			sum := 0.
			for i, v := range p.Outputs.Data {
				sum += float64(v) * float64(cotangent.Data[i])
			}
			return sum, err
		})
		if err != nil {
			return fmt.Errorf("Pullback to \"input\": %w", err)
		}
	}
	return differParams("after Pullback: parameter", before, copyParams(l))
}
