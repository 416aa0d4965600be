package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/internal/kernel"
)

// Conv is a 2-D convolution (cross-correlation, as in PyTorch) of pictures
// [channels, height, width]. The weight is [filters, channels, height, width].
type Conv struct {
	// Filters is the number of output channels, at least 1.
	Filters int
	// Kernel is height and width of the filters in pixels, at least 1; Stride the
	// distance between two outputs, default 1; Pad the zeros on each side; Dilation
	// the distance between two taps of a filter, default 1.
	Kernel, Stride, Pad, Dilation int
	// KernelW, StrideW, PadW and DilationW are the values along the width where
	// they differ from those above: 0 means that they do not, and PadW -1 means
	// no zeros.
	KernelW, StrideW, PadW, DilationW int
	// NoBias leaves out the bias, for a convolution before a batch norm.
	NoBias bool
	// Init of the weight, default He uniform; BiasInit defaults to zeros.
	Init, BiasInit Init
}

// Conv appends a convolution.
func (x Node) Conv(name string, c Conv) Node { return x.Apply(name, c) }

// Build implements Layer.
func (c Conv) Build(x Node) Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	if len(in) != 3 {
		return x.wrong("conv", "pictures [channels, height, width]", fmt.Sprintf("rows of shape %v", in), "use Reshape(channels, height, width) before it")
	}
	if c.Filters < 1 || c.Kernel < 1 {
		return x.wrong("conv", "at least 1 filter of at least 1x1", fmt.Sprintf("%d filters of %dx%d", c.Filters, c.Kernel, c.Kernel), "set Filters and Kernel")
	}
	spec := &convSpec{g: c.geometry(in), bias: !c.NoBias}
	if err := spec.g.Check(); err != nil {
		return x.wrong("conv", "a filter that fits the picture and settings of 0 or more", err.Error(), "change Kernel, Pad, Stride or Dilation")
	}
	g := spec.g
	params := []paramSpec{{suffix: "weight", shape: []int{g.OutC, g.C, g.KH, g.KW}, init: c.Init, decays: true}}
	if spec.bias {
		params = append(params, paramSpec{suffix: "bias", shape: []int{g.OutC}, init: orInit(c.BiasInit, Zeros)})
	}
	return x.add(&layer{
		kind: "conv", shape: []int{g.OutC, g.OutH(), g.OutW()}, params: params,
		flops:    2 * g.OutC * g.OutH() * g.OutW() * g.C * g.KH * g.KW,
		ops:      opPair{&conv[float32]{spec}, &conv[float64]{spec}},
		fuseReLU: func() { spec.relu = true },
		skipMask: func() { spec.masked = true },
	})
}

func (c Conv) geometry(in []int) kernel.Conv {
	g := kernel.Conv{
		N: 1, C: in[0], H: in[1], W: in[2], OutC: c.Filters, KH: c.Kernel, KW: orSame(c.KernelW, c.Kernel),
		StrideH: c.Stride, StrideW: orSame(c.StrideW, c.Stride), PadH: c.Pad, PadW: orSame(c.PadW, c.Pad),
		DilH: c.Dilation, DilW: orSame(c.DilationW, c.Dilation),
	}
	if c.PadW == -1 {
		g.PadW = 0
	}
	return g
}

// orSame is the setting along the width: the one along the height unless set.
func orSame(width, height int) int {
	if width == 0 {
		return height
	}
	return width
}

type convSpec struct {
	g          kernel.Conv // of one picture
	bias, relu bool
	// masked: in training, the gradient that comes back is already 0 where ReLU
	// gave 0, because the max pool that reads it sees to that.
	masked bool
}

type conv[F kernel.Float] struct{ *convSpec }

func (c *conv[F]) forward(p *pass[F], a *args[F]) {
	g := c.g
	g.N = p.rows
	var bias []F
	if c.bias {
		bias = a.in[2].data
	}
	kernel.ConvForward(&p.ws, g, a.in[0].data, a.in[1].data, bias, a.out.resize(p.rows), c.relu)
}

func (c *conv[F]) backward(p *pass[F], a *args[F]) {
	g := c.g
	g.N = p.rows
	dz := a.dout.data
	if c.relu && !(c.masked && p.train) {
		dz = p.reluGradient(a)
	}
	if dx := a.din[0]; dx != nil {
		kernel.ConvBackwardInput(&p.ws, g, dz, a.in[1].data, dx.resize(p.rows))
	}
	dw := a.din[1]
	var db *value[F]
	if c.bias {
		db = a.din[2]
	}
	switch {
	case dw != nil && db != nil:
		kernel.ConvBackwardWeights(&p.ws, g, a.in[0].data, dz, dw.data, db.data)
	case dw != nil:
		kernel.ConvBackwardWeights(&p.ws, g, a.in[0].data, dz, dw.data, nil)
	case db != nil:
		c.biasGradient(g, dz, db.data)
	}
}

// biasGradient is for a frozen weight beside a bias that is trained.
func (c *conv[F]) biasGradient(g kernel.Conv, dz, db []F) {
	clear(db)
	pixels := g.OutH() * g.OutW()
	for i := range g.N * g.OutC {
		db[i%g.OutC] += F(kernel.Sum(dz[i*pixels : (i+1)*pixels]))
	}
}
