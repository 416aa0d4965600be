package nn

import (
	"errors"
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
	"sumOp":          nil, // computed by sumAlong
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

// refuseForward reports what must not be in a graph that the user made; own are
// its variables.
func refuseForward(nodes []rawNode, own gorgonia.Nodes) error {
	for _, n := range nodes {
		if err := refuse(n, own); err != nil {
			return err
		}
	}
	return nil
}

// refuseBackward reports what must not be in what gorgonia derived from it.
func refuseBackward(nodes []rawNode) error {
	for _, n := range nodes {
		if kindOf(n.Op()) != "sliceOp" {
			continue
		}
		if err := refuseSlice(n); err != nil {
			return fmt.Errorf("a Concat whose gradient needs %w, or use nn.Concat", err)
		}
	}
	return nil
}

// refuseMoved: after gorgonia has removed a node, as it does to make logarithms
// stable, it may give the inputs of one node for those of another.
func refuseMoved(g *gorgonia.ExprGraph, n *gorgonia.Node) error {
	if found, _ := g.Node(n.ID()).(*gorgonia.Node); found != n {
		return errors.New("an expression that gorgonia rewrites, as BinaryXent or Log of 1-x (it then confuses nodes: write it with Softplus, as Softplus(z) - y*z, or use the losses of package train)")
	}
	return nil
}

func kindOf(op gorgonia.Op) string {
	return strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", op), "*"), "gorgonia.")
}

// refuse reports a node that must not be in a Raw graph.
func refuse(n rawNode, own gorgonia.Nodes) error {
	if n.Deriv() != nil {
		return errors.New("a call of gorgonia.Grad (its nodes would be taken for the gradients of this layer: write the derivative as an expression)")
	}
	op := n.Op()
	if op == nil {
		if !slices.Contains(own, n.Node) {
			return errors.New("a variable of its own (gorgonia merges variables of equal names: declare it in Params)")
		}
		return nil
	}
	kind, text := kindOf(op), op.String()
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
	switch {
	case kind == "sliceOp":
		return refuseSlice(n)
	case kind == "constantScalar" && n.Name() != fmt.Sprint(n.Value()):
		return fmt.Errorf("the constant %v with the name %q (gorgonia merges constants of equal names, its own among them: leave out WithName)", n.Value(), n.Name())
	}
	return nil
}

// refuseSlice: a slice beyond the end is cut without an error, one with a step may
// lose its last element, and bounds that agree modulo 256 make two slices the same
// node.
func refuseSlice(n rawNode) error {
	text := n.Op().String()
	axis := strings.Count(text, ":, ")
	bounds := text[strings.LastIndexAny(text, "[ ")+1:]
	var start, end, step int
	if _, err := fmt.Sscanf(bounds, "%d:%d:%d", &start, &end, &step); err != nil {
		return nil // the whole axis
	}
	switch size := n.in[0].Shape()[axis]; {
	case end > size || start < 0 || start >= end:
		return fmt.Errorf("the Slice %d:%d of an axis of %d (gorgonia cuts it without an error: correct the bounds)", start, end, size)
	case step < 0 || step > 1 && (end-start)%step != 0:
		return fmt.Errorf("the Slice %d:%d:%d (gorgonia gives too few elements of it: use a step that divides the length)", start, end, step)
	case end > 255:
		return fmt.Errorf("the Slice %d:%d (gorgonia takes slices whose bounds agree modulo 256 for the same: reshape the axis first)", start, end)
	}
	return nil
}
