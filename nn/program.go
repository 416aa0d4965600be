package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
	"gorgonia.org/gorgonia"
)

// program is a network that can run: the nodes of a graph in order, each with
// its memory.
type program[F kernel.Float] struct {
	pass    pass[F]
	outputs []*value[F]   // of each layer
	params  [][]*value[F] // of each layer
	grads   [][]*value[F] // of the parameters; nil for statistics
	seed    *value[F]     // gradient of the output
	// gradients of the layers' outputs, where there are any
	gradients map[int]*value[F]
	forward   []step[F]
	backward  []step[F]
	// order of backward that computes what training needs
	training []step[F]
}

// step is one operator with its operands.
type step[F kernel.Float] struct {
	op operator[F]
	*args[F]
}

// newProgram gives the nodes of b memory. Parameters start at zero.
func newProgram[F kernel.Float](layers []*layer, b *graph) (*program[F], error) {
	pr := &program[F]{
		outputs: make([]*value[F], len(layers)), params: make([][]*value[F], len(layers)), grads: make([][]*value[F], len(layers)),
		gradients: map[int]*value[F]{},
	}
	c := compiler[F]{program: pr, layers: layers, graph: b, values: map[*gorgonia.Node]*value[F]{}, back: map[int]*args[F]{}}
	c.variables()
	for _, n := range b.g.AllNodes() {
		if err := c.node(n); err != nil {
			return nil, err
		}
	}
	c.collect()
	return pr, nil
}

// compiler turns nodes into steps. Nodes come in the order in which they were
// made, in which each follows what it reads.
type compiler[F kernel.Float] struct {
	program *program[F]
	layers  []*layer
	graph   *graph
	values  map[*gorgonia.Node]*value[F]
	back    map[int]*args[F] // of each layer's backward step
}

func (c *compiler[F]) variables() {
	last := len(c.layers) - 1
	c.values[c.graph.outputs[0]] = &value[F]{row: train.Size(c.layers[0].shape)}
	c.program.seed = &value[F]{row: train.Size(c.layers[last].shape)}
	c.values[c.graph.seed] = c.program.seed
	for i, l := range c.layers {
		for k, spec := range l.params {
			v := &value[F]{data: make([]F, train.Size(spec.shape))}
			c.values[c.graph.params[i][k]] = v
			c.program.params[i] = append(c.program.params[i], v)
		}
	}
}

func (c *compiler[F]) node(n *gorgonia.Node) error {
	switch op := n.Op().(type) {
	case nil:
		return nil // a variable
	case *forwardNode:
		l := c.layers[op.layer]
		v := &value[F]{row: train.Size(l.shape)}
		c.values[n] = v
		a := &args[F]{layer: l.label(), in: c.operands(op.in), out: v}
		c.program.forward = append(c.program.forward, step[F]{pickOp[F](l.ops), a})
	case *backwardNode:
		k := len(op.in) - 2
		l := c.layers[op.layer]
		in := c.operands(op.in)
		a := &args[F]{layer: l.label(), in: in[:k:k], out: in[k], dout: in[k+1], din: make([]*value[F], k)}
		c.back[op.layer] = a
		c.program.backward = append(c.program.backward, step[F]{pickOp[F](l.ops), a})
	case *pickNode:
		l := c.layers[op.layer]
		v := &value[F]{}
		if op.input < len(l.inputs) {
			v.row = train.Size(c.layers[l.inputs[op.input]].shape)
		} else {
			v.data = make([]F, train.Size(l.params[op.input-len(l.inputs)].shape))
		}
		c.values[n] = v
		c.back[op.layer].din[op.input] = v
	default:
		return c.sum(n)
	}
	return nil
}

// sum is the one operator that gorgonia adds by itself: the sum of the
// gradients that a tensor with several readers gets from them.
func (c *compiler[F]) sum(n *gorgonia.Node) error {
	var terms []*value[F]
	for it := c.graph.g.From(n.ID()); it.Next(); {
		terms = append(terms, c.values[it.Node().(*gorgonia.Node)])
	}
	if len(terms) != 2 || terms[0] == nil || terms[1] == nil {
		return fmt.Errorf("the gradient graph has an operator that is not expected there: %v", n.Op())
	}
	v := &value[F]{row: terms[0].row}
	c.values[n] = v
	c.program.backward = append(c.program.backward, step[F]{sum[F]{}, &args[F]{layer: "gradient", in: terms, din: []*value[F]{v}}})
	return nil
}

func (c *compiler[F]) operands(nodes gorgonia.Nodes) []*value[F] {
	in := make([]*value[F], len(nodes))
	for i, n := range nodes {
		in[i] = c.values[n]
	}
	return in
}

func (c *compiler[F]) collect() {
	for i := range c.layers {
		c.program.outputs[i] = c.values[c.graph.outputs[i]]
		for _, n := range c.graph.paramGradients[i] {
			c.program.grads[i] = append(c.program.grads[i], c.values[n]) // nil for statistics
		}
	}
	for i, n := range c.graph.gradients {
		c.program.gradients[i] = c.values[n]
	}
	c.program.freeze()
}

// freeze plans the backward pass for the parameters that are not frozen.
func (pr *program[F]) freeze() {
	wanted := map[*value[F]]bool{}
	for i, grads := range pr.grads {
		for k, g := range grads {
			if g != nil && !pr.params[i][k].frozen {
				wanted[g] = true
			}
		}
	}
	pr.training = pr.need(wanted)
}

// need returns the backward steps, and of their gradients only those, that lead
// to the wanted values.
func (pr *program[F]) need(wanted map[*value[F]]bool) []step[F] {
	var steps []step[F]
	for i := len(pr.backward) - 1; i >= 0; i-- {
		s := pr.backward[i]
		a := *s.args
		a.din = make([]*value[F], len(s.din))
		any := false
		for k, v := range s.din {
			if wanted[v] {
				a.din[k], any = v, true
			}
		}
		if !any {
			continue
		}
		if a.dout != nil {
			wanted[a.dout] = true
		} else {
			wanted[a.in[0]], wanted[a.in[1]] = true, true
		}
		steps = append(steps, step[F]{s.op, &a})
	}
	for i, j := 0, len(steps)-1; i < j; i, j = i+1, j-1 {
		steps[i], steps[j] = steps[j], steps[i]
	}
	return steps
}

// run computes the output of rows of input.
func (pr *program[F]) run(input []F, rows int) []F {
	pr.pass.rows = rows
	pr.outputs[0].data = input
	for i := range pr.forward {
		s := &pr.forward[i]
		pr.pass.layer = s.layer
		s.op.forward(&pr.pass, s.args)
	}
	pr.pass.layer = "loss" // which comes next
	return pr.outputs[len(pr.outputs)-1].data
}

// runBack runs backward steps, from the gradient of the output in pr.seed.
func (pr *program[F]) runBack(steps []step[F]) {
	for i := range steps {
		s := &steps[i]
		pr.pass.layer = s.layer
		s.op.backward(&pr.pass, s.args)
	}
}

// settle lets operators change their statistics, once nothing can fail.
func (pr *program[F]) settle() {
	for i := range pr.forward {
		if op, ok := pr.forward[i].op.(settler[F]); ok {
			op.settle(pr.forward[i].args)
		}
	}
}

// settler is an operator with statistics of its own.
type settler[F kernel.Float] interface{ settle(a *args[F]) }

// sum adds two gradients.
type sum[F kernel.Float] struct{}

func (sum[F]) forward(*pass[F], *args[F]) {}
func (sum[F]) backward(p *pass[F], a *args[F]) {
	kernel.Add(a.din[0].resize(p.rows), a.in[0].data, a.in[1].data)
}
