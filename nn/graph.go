package nn

import (
	"errors"
	"fmt"
	"hash"
	"hash/fnv"
	"slices"

	"github.com/chewxy/hm"
	_ "go4.org/unsafe/assume-no-moving-gc" // gorgonia's own, older requirement of it panics at start
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// graph is a network as gorgonia's expression graph, with its gradients. It
// decides what is computed from what; a program decides how.
type graph struct {
	g       *gorgonia.ExprGraph
	outputs []*gorgonia.Node   // of each layer; nil for layers that were fused into another
	params  [][]*gorgonia.Node // of each layer
	seed    *gorgonia.Node     // gradient of the network's output
	// gradients of layers' outputs, where there are any
	gradients map[int]*gorgonia.Node
	// paramGradients of each layer; nil for statistics
	paramGradients [][]*gorgonia.Node
}

// newGraph makes nodes of the layers and has gorgonia differentiate the output
// (the last layer) with respect to all parameters and the input.
func newGraph(layers []*layer, rows int) (*graph, error) {
	b := &graph{
		g: gorgonia.NewGraph(), outputs: make([]*gorgonia.Node, len(layers)), params: make([][]*gorgonia.Node, len(layers)),
		gradients: map[int]*gorgonia.Node{}, paramGradients: make([][]*gorgonia.Node, len(layers)),
	}
	b.outputs[0] = b.variable("input", batchShape(rows, layers[0].shape))
	for i, l := range layers[1:] {
		if err := b.forward(i+1, l, rows); err != nil {
			return nil, fmt.Errorf("layer %q: %w", l.label(), err)
		}
	}
	return b, b.differentiate(layers, rows)
}

func batchShape(rows int, row []int) []int { return append([]int{rows}, row...) }

func (b *graph) variable(name string, shape []int) *gorgonia.Node {
	return gorgonia.NewTensor(b.g, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

func (b *graph) forward(i int, l *layer, rows int) error {
	var in gorgonia.Nodes
	for _, j := range l.inputs {
		in = append(in, b.outputs[j])
	}
	wrt := make([]bool, len(in), len(in)+len(l.params))
	for k := range wrt {
		wrt[k] = !l.discrete
	}
	for _, spec := range l.params {
		n := b.variable(joinName(l.name, spec.suffix), spec.shape)
		b.params[i] = append(b.params[i], n)
		in, wrt = append(in, n), append(wrt, !spec.statistic)
	}
	op := &forwardNode{nodeOp: newNodeOp(fmt.Sprintf("%s#%d", l.kind, i), in, batchShape(rows, l.shape)), graph: b, layer: i, wrt: wrt, pass: l.passGradient}
	var err error
	b.outputs[i], err = gorgonia.ApplyOp(op, in...)
	return err
}

// differentiate appends the nodes of the gradients.
func (b *graph) differentiate(layers []*layer, rows int) error {
	last := len(layers) - 1
	b.seed = b.variable("output gradient", batchShape(rows, layers[last].shape))
	reached := b.reached(layers)
	var wrt gorgonia.Nodes
	if reached[0] {
		wrt = append(wrt, b.outputs[0])
	}
	for i, l := range layers {
		for k, spec := range l.params {
			if !spec.statistic {
				wrt = append(wrt, b.params[i][k])
			}
		}
	}
	if len(wrt) == 0 {
		return nil
	}
	found, err := gorgonia.Backpropagate(gorgonia.Nodes{b.outputs[last]}, gorgonia.Nodes{b.seed}, wrt)
	if err != nil {
		return fmt.Errorf("differentiating the network: %w", err)
	}
	if reached[0] {
		b.gradients[0], found = found[0], found[1:]
	}
	for i, l := range layers {
		for _, spec := range l.params {
			var n *gorgonia.Node
			if !spec.statistic {
				n, found = found[0], found[1:]
			}
			b.paramGradients[i] = append(b.paramGradients[i], n)
		}
	}
	return nil
}

// reached reports which layers the gradient of the output gets to.
func (b *graph) reached(layers []*layer) []bool {
	r := make([]bool, len(layers))
	r[len(layers)-1] = true
	for i := len(layers) - 1; i > 0; i-- {
		for _, j := range layers[i].inputs {
			r[j] = r[j] || r[i] && !layers[i].discrete
		}
	}
	return r
}

// nodeOp is what our operators have in common as gorgonia sees them. Each
// hashes to itself: gorgonia would merge two operators of equal hash.
type nodeOp struct {
	name  string
	in    gorgonia.Nodes
	shape tensor.Shape
}

func newNodeOp(name string, in gorgonia.Nodes, shape []int) nodeOp {
	return nodeOp{name: name, in: in, shape: shape}
}

func (o *nodeOp) Arity() int { return len(o.in) }
func (o *nodeOp) Type() hm.Type {
	types := make([]hm.Type, 0, len(o.in)+1)
	for _, n := range o.in {
		types = append(types, n.Type())
	}
	return hm.NewFnType(append(types, gorgonia.TensorType{Dims: len(o.shape), Of: tensor.Float32})...)
}
func (o *nodeOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) { return o.shape.Clone(), nil }
func (o *nodeOp) ReturnsPtr() bool                                      { return true }
func (o *nodeOp) CallsExtern() bool                                     { return false }
func (o *nodeOp) OverwritesInput() int                                  { return -1 }
func (o *nodeOp) WriteHash(h hash.Hash)                                 { h.Write([]byte(o.name)) }
func (o *nodeOp) String() string                                        { return o.name }
func (o *nodeOp) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// Do is for gorgonia's own machines, which recover no panics, reuse the memory
// of inner tensors and know no modes: programs run these nodes instead.
func (o *nodeOp) Do(...gorgonia.Value) (gorgonia.Value, error) {
	return nil, errors.New("operator " + o.name + " runs in a program of package nn, not in a machine of gorgonia")
}

// forwardNode is a layer.
type forwardNode struct {
	nodeOp
	graph *graph
	layer int
	wrt   []bool
	pass  bool // layer.passGradient
}

// DiffWRT implements gorgonia.SDOp.
func (o *forwardNode) DiffWRT(int) []bool { return o.wrt }

// SymDiff implements gorgonia.SDOp: one node computes all gradients of the
// layer, and a node for each input picks its own.
func (o *forwardNode) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	o.graph.gradients[o.layer] = grad
	if o.pass {
		return slices.Repeat(gorgonia.Nodes{grad}, len(inputs)), nil
	}
	in := append(append(gorgonia.Nodes{}, inputs...), output, grad)
	back := &backwardNode{nodeOp: newNodeOp("gradients of "+o.name, in, output.Shape()), layer: o.layer}
	all, err := gorgonia.ApplyOp(back, in...)
	if err != nil {
		return nil, err
	}
	grads := make(gorgonia.Nodes, len(inputs))
	for i, n := range inputs {
		if !o.wrt[i] {
			continue
		}
		name := fmt.Sprintf("gradient %d of %s", i, o.name)
		pick := &pickNode{nodeOp: newNodeOp(name, gorgonia.Nodes{all}, n.Shape()), layer: o.layer, input: i}
		if grads[i], err = gorgonia.ApplyOp(pick, all); err != nil {
			return nil, err
		}
	}
	return grads, nil
}

// backwardNode computes the gradients of a layer: it reads the layer's inputs,
// parameters, output and the gradient of the output.
type backwardNode struct {
	nodeOp
	layer int
}

// pickNode is the gradient with respect to one input or parameter of a layer.
type pickNode struct {
	nodeOp
	layer, input int
}

// label is the unique name of a layer for messages and seeds.
func (l *layer) label() string {
	switch {
	case l.name != "":
		return l.name
	case len(l.tensors) > 0:
		return l.tensors[0]
	default:
		return l.kind // its tensor went to the activation function after it
	}
}
