package main

import "fmt"

// Row is one network and batch that every engine trains for an iteration:
// forward, loss, backward, SGD. Workers build it from these fields alone.
type Row struct {
	// Name is short and unique: flags and files carry it. Title is for people.
	Name, Title string
	// Kind is "cnn", "mlp" or "transformer". A logistic regression is an mlp
	// without hidden layers.
	Kind string
	// Shape of one row of the batch, Rows of them.
	Shape []int
	Rows  int
	// Classes of the targets; 0 for a regression on values of the input's shape.
	Classes int
	// Widths are the filters of 3x3 convolutions, each with ReLU and a 2x2 max
	// pool; or the units of hidden layers; or the units of the feed-forward layer.
	Widths []int
	// Heads of the attention.
	Heads int
}

var mnistShape, mlpShape = []int{1, 28, 28}, []int{784}

// Rows are the networks that are compared.
func Rows() []Row {
	small, large, wide := []int{8, 32}, []int{32, 64}, []int{512, 512}
	return []Row{
		{Name: "cnn-8-32-b16", Title: "CNN 1x28x28, 8, 32 channels, batch 16", Kind: "cnn", Shape: mnistShape, Rows: 16, Classes: 10, Widths: small},
		{Name: "cnn-8-32-b128", Title: "CNN 1x28x28, 8, 32 channels, batch 128", Kind: "cnn", Shape: mnistShape, Rows: 128, Classes: 10, Widths: small},
		{Name: "cnn-32-64-b16", Title: "CNN 1x28x28, 32, 64 channels, batch 16", Kind: "cnn", Shape: mnistShape, Rows: 16, Classes: 10, Widths: large},
		{Name: "mlp-b16", Title: "MLP 784-512-512-10, batch 16", Kind: "mlp", Shape: mlpShape, Rows: 16, Classes: 10, Widths: wide},
		{Name: "mlp-b128", Title: "MLP 784-512-512-10, batch 128", Kind: "mlp", Shape: mlpShape, Rows: 128, Classes: 10, Widths: wide},
		{Name: "cnn-32-64-128-b64", Title: "CNN 3x32x32, 32, 64, 128 channels, batch 64", Kind: "cnn", Shape: []int{3, 32, 32}, Rows: 64, Classes: 10, Widths: []int{32, 64, 128}},
		{Name: "logistic-b16", Title: "logistic regression 4-3, batch 16", Kind: "mlp", Shape: []int{4}, Rows: 16, Classes: 3},
		{Name: "transformer-b32", Title: "transformer block 128, 4 heads, 512, 64 positions, batch 32", Kind: "transformer", Shape: []int{64, 128}, Rows: 32, Widths: []int{512}, Heads: 4},
	}
}

// FLOP is the arithmetic of one iteration that no implementation can leave out
// without changing the algorithm: the matrix products and convolutions, a
// multiplication and addition counted as two. Backward costs twice the forward
// pass, but for the gradient of the input of the first layer, which nobody needs.
func (r Row) FLOP() float64 {
	layers, first := r.products()
	forward := 0
	for _, f := range layers {
		forward += f
	}
	return float64(r.Rows) * float64(3*forward-first)
}

// products are the FLOPs of each layer for one row of the batch, and those of
// the gradient of the network's input.
func (r Row) products() (layers []int, first int) {
	switch r.Kind {
	case "cnn":
		channels, height, width := r.Shape[0], r.Shape[1], r.Shape[2]
		for _, filters := range r.Widths {
			layers = append(layers, 2*9*channels*filters*height*width)
			channels, height, width = filters, height/2, width/2
		}
		layers = append(layers, 2*channels*height*width*r.Classes)
		return layers, layers[0]
	case "mlp":
		features := r.Shape[0]
		for _, units := range append(append([]int(nil), r.Widths...), r.Classes) {
			layers = append(layers, 2*features*units)
			features = units
		}
		return layers, layers[0]
	case "transformer":
		positions, features := r.Shape[0], r.Shape[1]
		projections := 2 * positions * features * 3 * features
		scores := 2 * 2 * positions * positions * features
		out := 2 * positions * features * features
		return []int{projections, scores, out, 2 * 2 * positions * features * r.Widths[0]}, projections
	}
	panic(fmt.Sprintf("row %q has the kind %q", r.Name, r.Kind))
}
