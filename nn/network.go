package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

// network is a program with its loss and its initial weights.
type network[F kernel.Float] struct {
	layers    []*layer
	program   *program[F]
	objective *objective[F]
	input     []int // shape of a row
	output    []int
}

func newNetwork[F kernel.Float](init train.Init, layers []*layer) (*network[F], error) {
	g, err := newGraph(layers, init.Example.Len())
	if err != nil {
		return nil, err
	}
	pr, err := newProgram[F](layers, g)
	if err != nil {
		return nil, err
	}
	pr.pass.seed = init.Seed
	n := &network[F]{layers: layers, program: pr, input: layers[0].shape, output: layers[len(layers)-1].shape}
	if err := n.initialise(init.Seed); err != nil {
		return nil, err
	}
	n.objective, err = newObjective[F](init, n.output)
	return n, err
}

// initialise draws the weights, each from the seed and its name. The last layer
// is the one that computes the outputs, whatever reshapes them.
func (n *network[F]) initialise(seed uint64) error {
	last := len(n.layers) - 1
	for slices.Contains([]string{"flatten", "reshape", "globalavgpool"}, n.layers[last].kind) {
		last = n.layers[last].inputs[0]
	}
	for i, l := range n.layers {
		for k, spec := range l.params {
			init := spec.init
			if init == nil && i == last {
				init = lastLayer
			}
			name := joinName(l.name, spec.suffix)
			w := make([]float32, train.Size(spec.shape))
			if err := draw(orInit(init, HeUniform), train.Rand(seed, "weights", name), spec.shape, w); err != nil {
				return fmt.Errorf("initial values of %q, of shape %v: %w", name, spec.shape, err)
			}
			for j, v := range w {
				n.program.params[i][k].data[j] = F(v)
			}
		}
	}
	return nil
}

// draw fills w, and turns a panic of an initialiser, which may be the user's, into an error.
func draw(init Init, rng *rand.Rand, shape []int, w []float32) error {
	return train.Guard(func() error {
		init(rng, slices.Clone(shape), w)
		for i, v := range w {
			if !finite(float64(v)) {
				return fmt.Errorf("element %d is %v: correct Init", i, v)
			}
		}
		return nil
	})
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// lastLayer begins with outputs near zero, so that the loss of a classifier
// starts near ln(classes) and that of a regression near the targets' square.
var lastLayer = Scaled(0.01, GlorotUniform)

// check reports a batch that is not whole, or whose inputs differ from the
// example in more than the number of rows.
func (n *network[F]) check(b train.Batch) error {
	if err := b.Check(); err != nil {
		return err
	}
	if !slices.Equal(b.Inputs.Shape[1:], n.input) {
		return fmt.Errorf("inputs: got shape %v, want [rows] and %v, as in the example the learner was built for", b.Inputs.Shape, n.input)
	}
	return nil
}

// mistake is what an operator panics with when a batch cannot be computed for a
// reason that the user can change.
type mistake string

// guard runs f and turns a panic into an error that names the layer at work.
func (n *network[F]) guard(f func() error) (err error) {
	defer func() {
		caught := recover()
		if caught != nil {
			n.program.pass.rows = 0 // what the tensors hold belongs to no batch
		}
		switch caught := caught.(type) {
		case nil:
		case mistake:
			err = fmt.Errorf("layer %q: %s", n.program.pass.layer, caught)
		default:
			err = fmt.Errorf("layer %q: %w", n.program.pass.layer, train.Caught(caught))
		}
	}()
	return f()
}

// forward computes loss and gradients in training mode. Nothing is changed if
// the batch is refused.
func (n *network[F]) forward(b train.Batch, iteration int) (float64, error) {
	if err := n.objective.read(b.Targets); err != nil {
		return 0, err
	}
	pr := n.program
	pr.pass.train, pr.pass.exact, pr.pass.iteration = true, false, iteration
	out := pr.run(n.elements(b.Inputs.Data), b.Len())
	loss, _ := n.objective.measure(out, b.Targets, pr.seed.resize(b.Len()), false)
	pr.runBack(pr.training)
	if finite(loss) { // else running statistics would not recover from this batch
		pr.settle()
	}
	return loss, nil
}

// predict computes outputs in inference mode; exact keeps what gradients need.
func (n *network[F]) predict(b train.Batch, exact bool) []F {
	n.program.pass.train, n.program.pass.exact = false, exact
	return n.program.run(n.elements(b.Inputs.Data), b.Len())
}

// elements are inputs as the network computes: the same memory for float32.
func (n *network[F]) elements(x []float32) []F {
	if same, ok := any(x).([]F); ok {
		return same
	}
	wide := make([]F, len(x))
	for i, v := range x {
		wide[i] = F(v)
	}
	return wide
}
