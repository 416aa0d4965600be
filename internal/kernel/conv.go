package kernel

import "fmt"

// Conv is the geometry of a 2-D convolution (cross-correlation, as in PyTorch):
// x [N, C, H, W], filters w [OutC, C, KH, KW], y [N, OutC, OutH, OutW].
type Conv struct {
	N, C, H, W int
	// OutC is the number of filters, KH and KW their size in pixels.
	OutC, KH, KW int
	// Distance in input pixels between two outputs; 0 means 1.
	StrideH, StrideW int
	// Zeros added on each of the two sides; 0 or more.
	PadH, PadW int
	// Distance in input pixels between two filter taps; 0 means 1.
	DilH, DilW int
}

func (g Conv) withDefaults() Conv {
	g.StrideH, g.StrideW = max(g.StrideH, 1), max(g.StrideW, 1)
	g.DilH, g.DilW = max(g.DilH, 1), max(g.DilW, 1)
	return g
}

// OutH returns the height of the output; below 1 if the filter does not fit.
func (g Conv) OutH() int { return outSize(g.H, g.KH, g.StrideH, g.PadH, g.DilH) }

// OutW returns the width of the output; below 1 if the filter does not fit.
func (g Conv) OutW() int { return outSize(g.W, g.KW, g.StrideW, g.PadW, g.DilW) }

func outSize(in, kernel, stride, pad, dil int) int {
	span := in + 2*pad - max(dil, 1)*(kernel-1) - 1
	if span < 0 {
		return 0
	}
	return span/max(stride, 1) + 1
}

// Check returns an error that names what is wrong with the geometry, or nil.
func (g Conv) Check() error {
	switch {
	case g.N < 0 || g.C < 1 || g.H < 1 || g.W < 1:
		return fmt.Errorf("conv input [%d, %d, %d, %d] (N, C, H, W) has an empty dimension", g.N, g.C, g.H, g.W)
	case g.OutC < 1 || g.KH < 1 || g.KW < 1:
		return fmt.Errorf("conv needs at least one filter of at least 1x1, got %d of %dx%d", g.OutC, g.KH, g.KW)
	case min(g.StrideH, g.StrideW, g.PadH, g.PadW, g.DilH, g.DilW) < 0:
		return fmt.Errorf("a negative one among stride %dx%d, pad %dx%d and dilation %dx%d",
			g.StrideH, g.StrideW, g.PadH, g.PadW, g.DilH, g.DilW)
	case g.OutH() < 1 || g.OutW() < 1:
		return fmt.Errorf("conv filter %dx%d (dilation %dx%d) does not fit into %dx%d pixels with pad %dx%d: pad more or use a smaller filter",
			g.KH, g.KW, max(g.DilH, 1), max(g.DilW, 1), g.H, g.W, g.PadH, g.PadW)
	}
	return nil
}

// must panics unless the geometry is valid and x, w, y fit it.
func mustConv[F Float](op string, g Conv, x, w, y []F) {
	if err := g.Check(); err != nil {
		panic("kernel: " + op + ": " + err.Error())
	}
	need(op, "x", x, g.N*g.C*g.H*g.W)
	need(op, "w", w, g.OutC*g.C*g.KH*g.KW)
	need(op, "y", y, g.N*g.OutC*g.OutH()*g.OutW())
}

// ConvForward computes y = x * w + bias, then ReLU if relu is true. bias has
// length OutC or is nil.
func ConvForward[F Float](ws *Workspace, g Conv, x, w, bias, y []F, relu bool) {
	mustConv("ConvForward", g, x, w, y)
	if bias != nil {
		need("ConvForward", "bias", bias, g.OutC)
	}
	convForward(ws, g.withDefaults(), x, w, bias, y, relu)
}

// ConvBackwardInput computes dx, the gradient with respect to x, from dy, the
// gradient with respect to the convolution's output before any ReLU.
func ConvBackwardInput[F Float](ws *Workspace, g Conv, dy, w, dx []F) {
	mustConv("ConvBackwardInput", g, dx, w, dy)
	convBackwardInput(ws, g.withDefaults(), dy, w, dx)
}

// ConvBackwardWeights computes dw, the gradient with respect to the filters,
// and, unless db is nil, db of length OutC, the gradient with respect to the
// bias, both summed over the batch.
func ConvBackwardWeights[F Float](ws *Workspace, g Conv, x, dy, dw, db []F) {
	mustConv("ConvBackwardWeights", g, x, dw, dy)
	if db != nil {
		need("ConvBackwardWeights", "db", db, g.OutC)
	}
	convBackwardWeights(ws, g.withDefaults(), x, dy, dw, db)
}
