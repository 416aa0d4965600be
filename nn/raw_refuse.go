package nn

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"
)

// verified are the operators of gorgonia v0.9.18 that Raw accepts: the type, and
// what String gives for it (nil for any). TestRawValues compares their values
// with plain Go, TestRawGradients their gradients with central differences.
var verified = map[string][]string{
	"elemBinOp":      {"+", "-", "⊙", "÷", "^", "<", ">="}, // the comparisons are those of Rectify and LeakyRelu
	"elemUnaryOp":    {"abs", "sin", "cos", "exp", "ln", "neg", "square", "sqrt", "inv", "cube", "tanh", "sigmoid", "softplus"},
	"linAlgBinOp":    {"A × B", "A ××× B", "A ××× Bᵀ"},
	"sumOp":          nil, // see refuseSum
	"sliceOp":        nil, // see refuseSlice
	"reshapeOp":      nil,
	"transposeOp":    nil,
	"concatOp":       nil,
	"repeatOp":       nil,
	"sizeOp":         nil,
	"constantScalar": nil,
}

// remedies say what to use instead of operators that are known to go wrong.
var remedies = []struct{ op, remedy string }{
	{"dropout", "its gradient is wrong and its seed cannot be set: use x.Dropout"},
	{"avgPool", "it divides by the size of the picture: use x.AvgPool"},
	{"globalAveragePool", "its gradient panics: use x.GlobalAvgPool"},
	{"maxPool", "AveragePool1D gives it by mistake: use x.MaxPool"},
	{"softmax", "SoftMax and LogSoftMax of one node become the same node: use x.Softmax, or Exp and Sum"},
	{"im2col", "convolutions that differ in dilation become the same node: use x.Conv"},
	{"BatchNorm", "its statistics are reset and its default scale has the shape of the batch: use x.BatchNorm"},
	{"batchnorm", "its statistics are reset and its default scale has the shape of the batch: use x.BatchNorm"},
	{"random", "it cannot be seeded: use x.Dropout, or add noise to the data"},
}

// refuse reports a node that must not be in a Raw graph.
func refuse(g *gorgonia.ExprGraph, n *gorgonia.Node, own gorgonia.Nodes) error {
	op := n.Op()
	if op == nil {
		if !slices.Contains(own, n) {
			return fmt.Errorf("the variable %q (gorgonia merges variables of equal names: declare it in Params)", n.Name())
		}
		return nil
	}
	kind, text := strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", op), "*"), "gorgonia."), op.String()
	for _, r := range remedies {
		if strings.Contains(kind, r.op) {
			return fmt.Errorf("the operator %s (%s)", kind, r.remedy)
		}
	}
	if text == "invSqrt" {
		return fmt.Errorf("the operator InverseSqrt (its gradient is wrong: use Inverse of Sqrt)")
	}
	if kind == "elemBinOp" {
		text, _, _ = strings.Cut(text, " ") // after it comes the type of the result
	}
	if allowed, ok := verified[kind]; !ok || allowed != nil && !slices.Contains(allowed, text) {
		return fmt.Errorf("the operator %s, %q, whose values and gradients nobody has verified", kind, text)
	}
	switch kind {
	case "sumOp":
		return refuseSum(text, inputsOf(g, n)[0])
	case "sliceOp":
		return refuseSlice(text, inputsOf(g, n)[0])
	}
	return nil
}

func inputsOf(g *gorgonia.ExprGraph, n *gorgonia.Node) gorgonia.Nodes {
	var in gorgonia.Nodes
	for it := g.From(n.ID()); it != nil && it.Next(); {
		in = append(in, it.Node().(*gorgonia.Node))
	}
	return in
}

// refuseSum: over several axes the sum is right for some choices only; [2 3] of a
// tensor of four axes is not.
func refuseSum(text string, x *gorgonia.Node) error {
	axes := strings.Fields(strings.Trim(text, "Σ[]"))
	known := []string{"Σ[0 1]", "Σ[1 2]", "Σ[1 3]", "Σ[0 2 3]"}
	if len(axes) <= 1 || len(axes) == x.Dims() || slices.Contains(known, text) {
		return nil
	}
	return fmt.Errorf("a Sum or Mean over the axes %v (the numbers may be wrong: reshape these axes into one and sum over it)", axes)
}

// refuseSlice: a slice beyond the end is cut without an error, and bounds that
// agree modulo 256 make two slices the same node.
func refuseSlice(text string, x *gorgonia.Node) error {
	axis := strings.Count(text, ":, ")
	bounds := text[strings.LastIndexAny(text, "[ ")+1:]
	var start, end, step int
	if _, err := fmt.Sscanf(bounds, "%d:%d:%d", &start, &end, &step); err != nil {
		return nil // the whole axis
	}
	switch size := x.Shape()[axis]; {
	case end > size || start < 0 || start >= end:
		return fmt.Errorf("the Slice %d:%d of an axis of %d (gorgonia cuts it without an error: correct the bounds)", start, end, size)
	case end > 255:
		return fmt.Errorf("the Slice %d:%d (gorgonia takes slices whose bounds agree modulo 256 for the same: reshape the axis first)", start, end)
	}
	return nil
}
