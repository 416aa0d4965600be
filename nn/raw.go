package nn

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Raw is a layer written as a gorgonia graph, for what the other layers cannot
// express:
//
//	nn.Raw{
//		Params: []nn.RawParam{{Name: "weight", Shape: []int{8, 3}}},
//		Graph: func(x *gorgonia.Node, params gorgonia.Nodes) (*gorgonia.Node, error) {
//			y, err := gorgonia.Mul(x, params[0])
//			if err != nil {
//				return nil, err
//			}
//			return gorgonia.Softplus(y)
//		},
//	}
//
// Gorgonia v0.9.18 computes some things wrong without an error. Raw accepts the
// operators whose values and gradients were verified and refuses the others, with
// what to use instead. It runs gorgonia's own operators, which allocate in every
// iteration.
type Raw struct {
	// Params are handed to Graph in this order.
	Params []RawParam
	// Graph makes the output, [rows, …], from x, [rows, …], and nodes of the
	// parameters. It is called once for each number of rows that occurs, must give
	// the same graph every time, and must not make variables of its own.
	Graph func(x *gorgonia.Node, params gorgonia.Nodes) (*gorgonia.Node, error)
}

// RawParam is a parameter of a Raw layer.
type RawParam struct {
	// Name becomes "layer/name".
	Name  string
	Shape []int
	// Init defaults to Glorot uniform, for a single axis to zeros.
	Init Init
	// Decays exempts from weight decay unless it is true.
	Decays bool
}

// Build implements Layer.
func (r Raw) Build(x Node) Node {
	if x.inert() {
		return x
	}
	if r.Graph == nil {
		return x.wrong("raw", "a function Graph", "nil", "set Graph")
	}
	var params []paramSpec
	for _, p := range r.Params {
		if p.Name == "" || strings.Contains(p.Name, "/") || len(p.Shape) == 0 || slices.Min(p.Shape) < 1 {
			return x.wrong("raw", "parameters with a name without \"/\" and axes of at least 1", fmt.Sprintf("%q of shape %v", p.Name, p.Shape), "correct Params")
		}
		init := orInit(p.Init, GlorotUniform)
		if p.Init == nil && len(p.Shape) == 1 {
			init = Zeros
		}
		params = append(params, paramSpec{suffix: p.Name, shape: slices.Clone(p.Shape), init: init, decays: p.Decays})
	}
	rows := x.plan.init.Example.Len()
	g, err := newRawGraph(r, tensor.Float32, rows, x.shape())
	if err != nil {
		return x.wrong("raw", "a graph of verified operators", err.Error(), "change Graph, or use layers of this package for that part")
	}
	out := g.y.Shape()
	if len(out) == 0 || out[0] != rows {
		return x.wrong("raw", fmt.Sprintf("an output of %d rows, as x has", rows), fmt.Sprintf("shape %v", out), "keep the first axis")
	}
	in := x.Shape()
	return x.add(&layer{
		kind: "raw", shape: slices.Clone(out[1:]), params: params,
		ops: opPair{
			&raw[float32]{layer: r, shape: in, out: out[1:], dtype: tensor.Float32},
			&raw[float64]{layer: r, shape: in, out: out[1:], dtype: tensor.Float64},
		},
	})
}

// rawGraph is the user's graph for one number of rows, with its gradients.
type rawGraph struct {
	g      *gorgonia.ExprGraph
	x, dy  *gorgonia.Node
	params gorgonia.Nodes
	y      *gorgonia.Node
	grads  gorgonia.Nodes // of x and the parameters
	// forward are the nodes to compute for y, backward those for grads.
	forward, backward []rawNode
}

// rawNode is a node with what it reads.
type rawNode struct {
	*gorgonia.Node
	in gorgonia.Nodes
	// along are the axes that a sum is over; nil for other operators.
	along []int
}

func newRawGraph(r Raw, dt tensor.Dtype, rows int, shape []int) (*rawGraph, error) {
	b := &rawGraph{g: gorgonia.NewGraph()}
	variable := func(name string, shape []int) *gorgonia.Node {
		return gorgonia.NewTensor(b.g, dt, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
	}
	b.x = variable("x", batchShape(rows, shape))
	for _, p := range r.Params {
		b.params = append(b.params, variable("parameter "+p.Name, p.Shape))
	}
	var err error
	if b.y, err = r.call(b.x, b.params); err != nil {
		if strings.Contains(err.Error(), "Unification Fail") {
			err = fmt.Errorf("%w (constants must be of x.Dtype(), as float32(2))", err)
		}
		return nil, err
	}
	if b.y == nil || b.y.Graph() != b.g {
		return nil, errors.New("an output that is not made from x")
	}
	if b.forward, err = inOrder(b.g, nil); err != nil {
		return nil, err
	}
	own := append(gorgonia.Nodes{b.x}, b.params...)
	if err := refuseForward(b.forward, own); err != nil {
		return nil, err
	}
	b.dy = variable("gradient of the output", b.y.Shape())
	if b.grads, err = gorgonia.Backpropagate(gorgonia.Nodes{b.y}, gorgonia.Nodes{b.dy}, own); err != nil {
		return nil, fmt.Errorf("a graph that gorgonia cannot differentiate with respect to x and every parameter (%w)", err)
	}
	if b.backward, err = inOrder(b.g, b.forward); err != nil {
		return nil, err
	}
	return b, refuseBackward(b.backward)
}

// call runs Graph, whose Must may panic.
func (r *Raw) call(x *gorgonia.Node, params gorgonia.Nodes) (y *gorgonia.Node, err error) {
	err = train.Guard(func() (err error) {
		y, err = r.Graph(x, params)
		return err
	})
	return y, err
}

// inOrder lists the nodes of g, without those done, so that each follows what it
// reads: nodes are made after their inputs.
func inOrder(g *gorgonia.ExprGraph, done []rawNode) ([]rawNode, error) {
	var nodes []rawNode
	for _, node := range g.AllNodes() {
		if slices.ContainsFunc(done, func(d rawNode) bool { return d.Node == node }) {
			continue
		}
		if err := refuseMoved(g, node); err != nil {
			return nil, err
		}
		n := rawNode{Node: node}
		for it := g.From(node.ID()); it != nil && it.Next(); {
			n.in = append(n.in, it.Node().(*gorgonia.Node))
		}
		if kindOf(node.Op()) == "sumOp" {
			n.along = sumAxes(node.Op())
		}
		nodes = append(nodes, n)
	}
	slices.SortStableFunc(nodes, func(a, b rawNode) int { return int(a.ID() - b.ID()) })
	return nodes, nil
}

// raw runs rawGraphs.
type raw[F kernel.Float] struct {
	layer      Raw
	shape, out []int
	dtype      tensor.Dtype
	graphs     map[int]*rawGraph // by rows
	values     map[*gorgonia.Node]gorgonia.Value
}

func (r *raw[F]) forward(p *pass[F], a *args[F]) {
	b := r.graph(p.rows)
	r.values = map[*gorgonia.Node]gorgonia.Value{
		b.x: r.dense(batchShape(p.rows, r.shape), slices.Clone(a.in[0].data)),
	}
	for i, n := range b.params {
		r.values[n] = r.dense(n.Shape(), slices.Clone(a.in[1+i].data))
	}
	r.run(b.forward, p.rows)
	copy(a.out.resize(p.rows), r.data(b.y))
}

func (r *raw[F]) backward(p *pass[F], a *args[F]) {
	b := r.graph(p.rows)
	r.values[b.dy] = r.dense(b.y.Shape(), slices.Clone(a.dout.data))
	r.run(b.backward, p.rows)
	for i, v := range a.din {
		if v != nil {
			copy(v.resize(p.rows), r.data(b.grads[i]))
		}
	}
}

func (r *raw[F]) graph(rows int) *rawGraph {
	if b := r.graphs[rows]; b != nil {
		return b
	}
	b, err := newRawGraph(r.layer, r.dtype, rows, r.shape)
	if err != nil {
		panic(mistake(fmt.Sprintf("graph for %d rows: got %v", rows, err)))
	}
	if out := b.y.Shape(); len(out) == 0 || !slices.Equal(out[1:], r.out) || out[0] != rows {
		panic(mistake(fmt.Sprintf("graph for %d rows: got an output of shape %v, want [%d] and %v", rows, out, rows, r.out)))
	}
	if r.graphs == nil {
		r.graphs = map[int]*rawGraph{}
	}
	r.graphs[rows] = b
	return b
}

func (r *raw[F]) dense(shape []int, data []F) gorgonia.Value {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

// run computes nodes one by one. No value is written twice, so that none can be
// overwritten before it is read.
func (r *raw[F]) run(nodes []rawNode, rows int) {
	for _, n := range nodes {
		if n.Op() == nil {
			continue // a variable
		}
		if err := train.Guard(func() error { return r.do(n) }); err != nil {
			panic(mistake(fmt.Sprintf("gorgonia operator %v in a graph for %d rows: %v: write Graph for any number of rows, x.Shape()[0], and mind that gorgonia drops axes of length 1", n.Op(), rows, err)))
		}
	}
}

// do computes one node. Sums of gorgonia are wrong over inner axes of four and
// more; they are computed here.
func (r *raw[F]) do(n rawNode) error {
	in := make([]gorgonia.Value, len(n.in))
	for i, from := range n.in {
		in[i] = r.values[from]
	}
	var v gorgonia.Value
	var err error
	if n.along != nil {
		v, err = sumAlong[F](n, in[0])
	} else {
		v, err = n.Op().Do(in...)
	}
	r.values[n.Node] = v
	return err
}

func (r *raw[F]) data(n *gorgonia.Node) []F {
	switch data := r.values[n].Data().(type) {
	case []F:
		return data
	case F:
		return []F{data}
	default:
		panic(mistake(fmt.Sprintf("gorgonia operator %v gave a %T", n.Op(), data)))
	}
}
