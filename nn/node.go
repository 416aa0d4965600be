package nn

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// Node is a tensor in a network under construction. Its methods append layers
// and return their output, so that a network reads as a chain. The first mistake
// is kept and makes building fail; later layers are then ignored.
type Node struct {
	plan *plan
	id   int // index of the layer that computes it
}

// Layer is a piece of network. The settings of this package's layers implement
// it ([Dense], [Conv]), and so may types of the user's own, made of other
// layers, which [Node.Apply] names:
//
//	type Block struct{ Filters int }
//
//	func (b Block) Build(x nn.Node) nn.Node {
//		y := x.Conv("conv1", nn.Conv{Filters: b.Filters, Kernel: 3, Pad: 1}).ReLU()
//		return y.Conv("conv2", nn.Conv{Filters: b.Filters, Kernel: 3, Pad: 1}).Add(x).ReLU()
//	}
type Layer interface {
	Build(x Node) Node
}

// plan is a network under construction: its layers in the order of computation.
type plan struct {
	init   train.Init
	layers []*layer
	err    error
	scope  string // full name of the layer that Apply is building
	taken  map[string]bool
	params map[string]bool // full names
}

// layer is one operator of a network, before it has memory.
type layer struct {
	// kind is what summaries and errors call it: "dense".
	kind string
	// name is full and unique; empty for a layer the user did not name.
	name string
	// inputs are indices of layers.
	inputs []int
	// shape of one row of the output.
	shape  []int
	params []paramSpec
	// ops makes the operator.
	ops opPair
	// fuseReLU makes the operator apply ReLU to its result; nil if it cannot.
	fuseReLU func()
	// relu says that it has.
	relu bool
	// skipMask makes it rely on gradients that are 0 wherever its fused ReLU gave
	// 0; maskReLU makes a max pool send such gradients. Nil if it cannot.
	skipMask, maskReLU func()
	// activation marks functions of single elements.
	activation bool
	// discrete inputs, such as token ids, have no gradient.
	discrete bool
	// passGradient: the gradient of the output is that of every input.
	passGradient bool
	// flops of a row, one multiplication and addition counted as two.
	flops int
	// tensors are the names under which the output can be inspected.
	tensors []string
}

// paramSpec describes a parameter of a layer.
type paramSpec struct {
	suffix string
	shape  []int
	init   Init
	// decays: weight decay applies. statistic: not trained.
	decays, statistic bool
}

// newPlan starts a network with the input of the example.
func newPlan(init train.Init) *plan {
	input := &layer{kind: "input", name: "input", shape: slices.Clone(init.Example.Inputs.Shape[1:])}
	return &plan{init: init, layers: []*layer{input}, taken: map[string]bool{"input": true}, params: map[string]bool{}}
}

// Shape is the shape of one row. It is empty after a mistake.
func (x Node) Shape() []int {
	if x.inert() {
		return nil
	}
	return slices.Clone(x.shape())
}

// Classes is the number of classes of the data, for the size of the last layer.
func (x Node) Classes() int {
	if x.plan == nil || x.plan.err != nil {
		return 0
	}
	if x.plan.init.Classes == 0 {
		x.fail("x.Classes()", "data that names its classes", "data without classes",
			"use x.Values() in a regression, or set Classes in train.Data")
	}
	return x.plan.init.Classes
}

// Values is the number of target values of a row, for the size of the last
// layer of a regression.
func (x Node) Values() int {
	if x.plan == nil || x.plan.err != nil {
		return 0
	}
	return x.plan.init.Example.Targets.RowSize()
}

// Apply appends a layer under a name, which is made of any characters but "/".
func (x Node) Apply(name string, l Layer) Node {
	if x.inert() {
		return x
	}
	p := x.plan
	full := joinName(p.scope, name)
	switch {
	case name == "" || strings.Contains(name, "/"):
		return x.fail(fmt.Sprintf("a %T", l), "a name without \"/\"", fmt.Sprintf("%q", name), "name the layer")
	case full == outputName:
		return x.fail(strconv.Quote(full), "another name", "the name of what the network returns", "call the last layer \"logits\" or \"head\"")
	case p.taken[full]:
		return x.fail(strconv.Quote(full), "a name of its own", "the name of another layer", "give every layer another name")
	case l == nil:
		return x.fail(strconv.Quote(full), "a layer", "nil", "pass a layer such as nn.Dense{Units: 16}")
	}
	p.taken[full] = true
	outer := p.scope
	p.scope = full
	y := l.Build(x)
	p.scope = outer
	if y.plan != p {
		return x.fail(strconv.Quote(full), "a Node made from x", "a Node of another network", "return what the last layer returned")
	}
	if !y.inert() && y.id != x.id && p.layers[y.id].name == "" {
		p.layers[y.id].name = full // a composite's result
	}
	return y
}

// outputName is the tensor that the network returns, whatever its layer is called.
const outputName = "output"

func joinName(scope, name string) string {
	if scope == "" {
		return name
	}
	return scope + "/" + name
}

func (x Node) inert() bool  { return x.plan == nil || x.plan.err != nil }
func (x Node) shape() []int { return x.plan.layers[x.id].shape }

// fail keeps the first mistake and returns an inert node. layer is a quoted name
// or, without one, the kind.
func (x Node) fail(layer, want, got, remedy string) Node {
	if x.plan != nil && x.plan.err == nil {
		x.plan.err = fmt.Errorf("layer %s: got %s, want %s: %s", layer, got, want, remedy)
	}
	return x
}

// wrong is fail for the layer that is being built, x its input.
func (x Node) wrong(kind, want, got, remedy string) Node {
	switch {
	case x.plan == nil:
	case x.plan.scope != "":
		kind = fmt.Sprintf("%q (%s)", x.plan.scope, kind)
	default:
		kind = fmt.Sprintf("%s after %q", kind, x.follows())
	}
	return x.fail(kind, want, got, remedy)
}

// follows is the name of x, or of the last named layer before it.
func (x Node) follows() string {
	l := x.plan.layers[x.id]
	for l.name == "" {
		l = x.plan.layers[l.inputs[0]]
	}
	return l.name
}

// add appends an operator that reads x and others.
func (x Node) add(l *layer, others ...Node) Node {
	if x.inert() {
		return x
	}
	l.inputs = append(l.inputs, x.id)
	for _, o := range others {
		if o.plan != x.plan {
			return x.wrong(l.kind, "nodes of one network", "a node of another", "combine nodes that come from the same x")
		}
		l.inputs = append(l.inputs, o.id)
	}
	if len(l.params) > 0 {
		if x.plan.scope == "" {
			return x.fail(l.kind, "a name for its parameters", "none", "use x.Apply(name, layer)")
		}
		l.name = x.plan.scope
		if slices.ContainsFunc(x.plan.layers, func(o *layer) bool { return o.name == l.name }) {
			return x.wrong(l.kind, "one layer with parameters under a name", "two", "give each a name with Apply")
		}
	}
	for _, spec := range l.params {
		full := joinName(l.name, spec.suffix)
		if x.plan.params[full] {
			return x.wrong(l.kind, "parameters with names of their own", fmt.Sprintf("two called %q", full), "give each layer inside a name with Apply")
		}
		x.plan.params[full] = true
	}
	x.plan.layers = append(x.plan.layers, l)
	return Node{x.plan, len(x.plan.layers) - 1}
}
