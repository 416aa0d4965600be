package nn

import (
	"errors"
	"fmt"
	"slices"
)

// finish checks a network that was built, fuses layers and names tensors. Layers
// that nothing reads any more are gone; the last is the output.
func (p *plan) finish(out Node) ([]*layer, error) {
	switch {
	case p.err != nil:
		return nil, p.err
	case out.plan == nil:
		return nil, errors.New("the build function returned an empty Node: return what the last layer returned, and hand at least one Node to Concat")
	case out.plan != p:
		return nil, errors.New("the build function returned a Node that does not come from its argument: return what the last layer returned")
	}
	readers := p.readers(out.id)
	for i, l := range p.layers[1:] {
		if readers[i+1] == 0 && len(l.params) > 0 {
			return nil, fmt.Errorf("layer %q: got an output that nothing reads, want layers that lead to the network's output: use its result or remove it", l.name)
		}
	}
	if p.init.Dropout != 0 && !slices.ContainsFunc(p.layers, func(l *layer) bool { return l.kind == "dropout" }) {
		return nil, fmt.Errorf("Dropout of the model is %v, but the network has no dropout layer: add one, as x.Dropout(\"drop\", 0.5)", p.init.Dropout)
	}
	if out.id == 0 {
		return nil, errors.New("the network has no layers: its output is its input: append some, as x.Dense(\"logits\", x.Classes())")
	}
	p.nameTensors(readers)
	p.fuse(readers)
	p.fuseMasks(readers)
	return p.compact(out.id), nil
}

// readers counts, for each layer that out depends on, the layers that read it;
// out itself is read once more.
func (p *plan) readers(out int) []int {
	n := make([]int, len(p.layers))
	n[out] = 1
	for i := out; i > 0; i-- {
		if n[i] > 0 {
			for _, j := range p.layers[i].inputs {
				n[j]++
			}
		}
	}
	return n
}

// nameTensors decides under which names outputs can be inspected, as the
// package comment tells.
func (p *plan) nameTensors(readers []int) {
	base := make([]string, len(p.layers)) // the named layer that each follows
	used := map[string]int{}
	for _, l := range p.layers {
		used[l.name] = 1
	}
	for i, l := range p.layers {
		if readers[i] == 0 && i > 0 {
			continue
		}
		if l.name != "" {
			base[i] = l.name
			l.tensors = append(l.tensors, l.name)
			continue
		}
		from := l.inputs[0]
		base[i] = base[from]
		before := p.layers[from]
		if l.activation && readers[from] == 1 && slices.Contains(before.tensors, base[i]) && from != 0 {
			l.tensors, before.tensors = before.tensors, nil
			continue
		}
		name := base[i] + "/" + l.kind
		if used[name]++; used[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, used[name])
		}
		l.tensors = append(l.tensors, name)
	}
}

// fuse lets layers that can absorb the ReLU that alone reads them.
func (p *plan) fuse(readers []int) {
	for i, l := range p.layers {
		if l.kind != "relu" || readers[i] == 0 {
			continue
		}
		before := p.layers[l.inputs[0]]
		if before.fuseReLU == nil || readers[l.inputs[0]] != 1 {
			continue
		}
		before.fuseReLU()
		before.relu = true
		if before.name == "" { // its own result is not there any more
			before.tensors = nil
		}
		before.tensors = append(before.tensors, l.tensors...)
		l.kind = fused
		readers[l.inputs[0]], readers[i] = readers[i], 0
		for _, next := range p.layers {
			for k, j := range next.inputs {
				if j == i {
					next.inputs[k] = l.inputs[0]
				}
			}
		}
	}
}

// fuseMasks lets the max pool that alone reads a fused ReLU mask its gradient:
// where the maximum of a window is 0, the pool knows and sends nothing.
func (p *plan) fuseMasks(readers []int) {
	for i, l := range p.layers {
		if l.maskReLU == nil || readers[i] == 0 {
			continue
		}
		if before := p.layers[l.inputs[0]]; before.relu && before.skipMask != nil && readers[l.inputs[0]] == 1 {
			l.maskReLU()
			before.skipMask()
		}
	}
}

const fused = "fused"

// compact returns the layers that out depends on, with inputs renumbered.
func (p *plan) compact(out int) []*layer {
	for p.layers[out].kind == fused {
		out = p.layers[out].inputs[0]
	}
	readers := p.readers(out)
	index := make([]int, len(p.layers))
	var kept []*layer
	for i, l := range p.layers[:out+1] {
		if i > 0 && readers[i] == 0 {
			continue
		}
		for k, j := range l.inputs {
			l.inputs[k] = index[j]
		}
		index[i] = len(kept)
		kept = append(kept, l)
	}
	last := kept[len(kept)-1]
	last.tensors = append(slices.DeleteFunc(last.tensors, func(n string) bool { return n == outputName }), outputName)
	return kept
}
