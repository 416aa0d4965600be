package main

import (
	"archive/zip"
	"fmt"
	"path/filepath"
	"runtime/debug"

	_ "go4.org/unsafe/assume-no-moving-gc" // without this version gorgonia does not start
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// rate is the learning rate of every engine.
const rate = 0.001

// network is a graph with its machine and solver.
type network struct {
	vm     G.VM
	solver G.Solver
	params []G.ValueGrad
	loss   G.Value
}

// builder appends layers to x until the first error.
type builder struct {
	graph   *G.ExprGraph
	weights map[string]*tensor.Dense
	params  G.Nodes
	err     error
}

func newNetwork(r row, folder string) (*network, error) {
	if r.Kind != "cnn" && r.Kind != "mlp" {
		return nil, fmt.Errorf("not written for gorgonia: kind %q", r.Kind)
	}
	weights, err := readNPZ(filepath.Join(folder, "weights.npz"))
	if err != nil {
		return nil, err
	}
	batch, err := readNPZ(filepath.Join(folder, "batch.npz"))
	if err != nil {
		return nil, err
	}
	b := &builder{graph: G.NewGraph(), weights: weights}
	x := b.input("inputs", batch["inputs"])
	if r.Kind == "cnn" {
		for i := range r.Widths {
			x = b.conv(x, fmt.Sprintf("conv%d", i+1))
		}
		x = b.node(G.Reshape(x, tensor.Shape{r.Rows, x.Shape().TotalSize() / r.Rows}))
	} else {
		for i := range r.Widths {
			x = b.node(G.Rectify(b.dense(x, fmt.Sprintf("fc%d", i+1))))
		}
	}
	loss := b.crossEntropy(b.dense(x, "logits"), batch["targets"], r)
	if b.err != nil {
		return nil, b.err
	}
	n := &network{solver: G.NewVanillaSolver(G.WithLearnRate(rate)), params: G.NodesToValueGrads(b.params)}
	G.Read(loss, &n.loss)
	if _, err := G.Grad(loss, b.params...); err != nil {
		return nil, err
	}
	n.vm = G.NewTapeMachine(b.graph, G.BindDualValues(b.params...))
	return n, nil
}

func (n *network) close() { n.vm.Close() } //nolint:errcheck // of a tape machine it is nil

// iterate trains for one iteration.
func (n *network) iterate() (float64, error) {
	if err := n.vm.RunAll(); err != nil {
		return 0, err
	}
	loss, ok := n.loss.Data().(float32)
	if !ok {
		return 0, fmt.Errorf("the loss is a %T", n.loss.Data())
	}
	if err := n.solver.Step(n.params); err != nil {
		return 0, err
	}
	n.vm.Reset()
	return float64(loss), nil
}

// node keeps the first error.
func (b *builder) node(n *G.Node, err error) *G.Node {
	if err != nil && b.err == nil {
		b.err = err
	}
	if b.err != nil { // any node will do from here on
		return G.NewScalar(b.graph, tensor.Float32)
	}
	return n
}

func (b *builder) input(name string, v *tensor.Dense) *G.Node {
	return G.NewTensor(b.graph, tensor.Float32, v.Dims(), G.WithShape(v.Shape()...), G.WithName(name), G.WithValue(v))
}

// param makes a parameter of a stored weight, in the shape gorgonia wants.
func (b *builder) param(name string, shape ...int) *G.Node {
	v := b.weights[name]
	if v == nil {
		return b.node(nil, fmt.Errorf("no weight %q", name))
	}
	if len(shape) > 0 {
		if err := v.Reshape(shape...); err != nil {
			return b.node(nil, err)
		}
	}
	n := b.input(name, v)
	b.params = append(b.params, n)
	return n
}

// conv is a 3x3 convolution with bias, ReLU and a 2x2 max pool.
func (b *builder) conv(x *G.Node, name string) *G.Node {
	if b.err != nil {
		return x
	}
	w := b.param(name + "/weight")
	bias := b.param(name+"/bias", 1, w.Shape()[0], 1, 1)
	x = b.node(G.Conv2d(x, w, tensor.Shape{3, 3}, []int{1, 1}, []int{1, 1}, []int{1, 1}))
	x = b.node(G.BroadcastAdd(x, bias, nil, []byte{0, 2, 3}))
	x = b.node(G.Rectify(x))
	return b.node(G.MaxPool2D(x, tensor.Shape{2, 2}, []int{0, 0}, []int{2, 2}))
}

// dense is x·W + b, with W stored as [features, units].
func (b *builder) dense(x *G.Node, name string) *G.Node {
	if b.err != nil {
		return x
	}
	stored := b.weights[name+"/weight"]
	if stored == nil {
		return b.node(nil, fmt.Errorf("no weight %q", name+"/weight"))
	}
	if err := stored.T(); err != nil {
		return b.node(nil, err)
	}
	if err := stored.Transpose(); err != nil { // moves the elements too
		return b.node(nil, err)
	}
	w := b.param(name + "/weight")
	bias := b.param(name+"/bias", 1, w.Shape()[1])
	return b.node(G.BroadcastAdd(b.node(G.Mul(x, w)), bias, nil, []byte{0}))
}

// crossEntropy is the mean over the rows of −log softmax at the target.
func (b *builder) crossEntropy(logits *G.Node, targets *tensor.Dense, r row) *G.Node {
	oneHot := tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(r.Rows, r.Classes))
	data := oneHot.Data().([]float32)
	for i, class := range targets.Data().([]float32) {
		data[i*r.Classes+int(class)] = float32(r.Classes) // the mean below divides by it
	}
	if b.err != nil {
		return logits
	}
	picked := b.node(G.HadamardProd(b.node(G.LogSoftMax(logits)), b.input("targets", oneHot)))
	return b.node(G.Neg(b.node(G.Mean(picked))))
}

// readNPZ reads all arrays of an archive.
func readNPZ(path string) (map[string]*tensor.Dense, error) {
	archive, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer archive.Close() //nolint:errcheck // it was only read
	arrays := map[string]*tensor.Dense{}
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		var v tensor.Dense
		if err := v.ReadNpy(in); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		arrays[f.Name[:len(f.Name)-len(".npy")]] = &v
	}
	return arrays, nil
}

// gorgoniaVersion is the one this program is built with.
func gorgoniaVersion() string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == "gorgonia.org/gorgonia" {
			return m.Version
		}
	}
	return "unknown"
}
