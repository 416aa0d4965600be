package nn

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/actually-robust-training/art/train"
)

// Summary is what a network is made of.
type Summary struct {
	Layers []LayerSummary
	// Params counts the elements of all parameters that are trained; Statistics
	// those that are not.
	Params, Statistics int
	// FLOPs of one row in inference, a multiplication and addition counted as two.
	// Biases and activation functions of single elements count nothing.
	FLOPs int
}

// LayerSummary is one layer, with the activation function it has absorbed.
type LayerSummary struct {
	// Name is that of the layer's tensor.
	Name string
	// Kind is like "conv + relu".
	Kind string
	// Shape of one row of the output.
	Shape []int
	// Params, Statistics and FLOPs as in Summary.
	Params, Statistics, FLOPs int
}

// Summary describes the network.
func (l *Learner) Summary() Summary {
	var s Summary
	for _, layer := range l.net.layers {
		row := LayerSummary{Name: layer.label(), Kind: layer.kind, Shape: append([]int(nil), layer.shape...), FLOPs: layer.flops}
		if layer.relu {
			row.Kind += " + relu"
		}
		for _, p := range layer.params {
			if p.statistic {
				row.Statistics += train.Size(p.shape)
			} else {
				row.Params += train.Size(p.shape)
			}
		}
		s.Params += row.Params
		s.Statistics += row.Statistics
		s.FLOPs += row.FLOPs
		s.Layers = append(s.Layers, row)
	}
	return s
}

// String is a table with a line for each layer and the sums.
func (s Summary) String() string {
	lines := []string{"layer\tkind\tshape of a row\tparameters\tFLOPs of a row\n"}
	for _, l := range s.Layers {
		lines = append(lines, fmt.Sprintf("%s\t%s\t%v\t%d\t%d\n", l.Name, l.Kind, l.Shape, l.Params, l.FLOPs))
	}
	lines = append(lines, fmt.Sprintf("total\t\t\t%d\t%d\n", s.Params, s.FLOPs))
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, err := io.WriteString(w, strings.Join(lines, ""))
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return err.Error() // a Builder has none
	}
	return b.String()
}
