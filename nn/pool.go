package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

// Pool takes the maximum, or the mean, of windows of pictures [channels, height,
// width].
type Pool struct {
	// Average takes means instead of maxima. Padding counts as zeros in them.
	Average bool
	// Size is height and width of a window in pixels, at least 1; Stride the
	// distance between two windows, default Size; Pad the border on each side, at
	// most half a window.
	Size, Stride, Pad int
	// SizeW, StrideW and PadW are the values along the width where they differ
	// from those above: 0 means that they do not, and PadW -1 means no border.
	SizeW, StrideW, PadW int
}

// MaxPool appends a max pool of square windows side by side.
func (x Node) MaxPool(size int) Node { return Pool{Size: size}.Build(x) }

// AvgPool appends a mean pool of square windows side by side.
func (x Node) AvgPool(size int) Node { return Pool{Size: size, Average: true}.Build(x) }

// GlobalAvgPool turns pictures into rows of the mean of each channel.
func (x Node) GlobalAvgPool() Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	if len(in) != 3 {
		return x.wrong("globalavgpool", "pictures [channels, height, width]", fmt.Sprintf("rows of shape %v", in), "use it before Flatten")
	}
	spec := globalSpec{channels: in[0], pixels: in[1] * in[2]}
	return x.add(&layer{
		kind: "globalavgpool", shape: []int{in[0]}, flops: train.Size(in),
		ops: opPair{globalPool[float32]{spec}, globalPool[float64]{spec}},
	})
}

// Build implements Layer.
func (l Pool) Build(x Node) Node {
	if x.inert() {
		return x
	}
	kind := "maxpool"
	if l.Average {
		kind = "avgpool"
	}
	in := x.shape()
	if len(in) != 3 {
		return x.wrong(kind, "pictures [channels, height, width]", fmt.Sprintf("rows of shape %v", in), "use it before Flatten, or Reshape(channels, height, width) before it")
	}
	g := kernel.Pool{
		N: 1, C: in[0], H: in[1], W: in[2], KH: l.Size, KW: orSame(l.SizeW, l.Size),
		StrideH: l.Stride, StrideW: orSame(l.StrideW, l.Stride), PadH: l.Pad, PadW: orSame(l.PadW, l.Pad),
	}
	if l.PadW == -1 {
		g.PadW = 0
	}
	if err := g.Check(); err != nil {
		return x.wrong(kind, "a window that fits the picture", err.Error(), "change Size, Stride or Pad")
	}
	return x.pool(kind, &poolSpec{g: g, average: l.Average}, []int{g.C, g.OutH(), g.OutW()})
}

func (x Node) pool(kind string, spec *poolSpec, shape []int) Node {
	l := &layer{
		kind: kind, shape: append([]int(nil), shape...), flops: spec.g.C * spec.g.OutH() * spec.g.OutW() * spec.g.KH * spec.g.KW,
		ops: opPair{&pool[float32]{poolSpec: spec}, &pool[float64]{poolSpec: spec}},
	}
	if !spec.average {
		l.fuseReLU = func() { spec.relu = true }
		l.maskReLU = func() { spec.mask = true }
	}
	return x.add(l)
}

type poolSpec struct {
	g       kernel.Pool // of one picture
	average bool
	// relu is applied to maxima. mask: in training, windows whose maximum is 0 get
	// no gradient.
	relu, mask bool
}

type pool[F kernel.Float] struct {
	*poolSpec
	argmax []int32
}

func (l *pool[F]) forward(p *pass[F], a *args[F]) {
	g := l.g
	g.N = p.rows
	y := a.out.resize(p.rows)
	switch {
	case l.average:
		kernel.AvgPoolForward(g, a.in[0].data, y)
	case p.train || p.exact:
		l.argmax = grow(l.argmax, len(y))
		kernel.MaxPoolForward(g, a.in[0].data, y, l.argmax, l.relu || l.mask && p.train)
	default:
		kernel.MaxPoolForward(g, a.in[0].data, y, nil, l.relu)
	}
}

func (l *pool[F]) backward(p *pass[F], a *args[F]) {
	g := l.g
	g.N = p.rows
	if l.average {
		kernel.AvgPoolBackward(g, a.dout.data, a.din[0].resize(p.rows))
		return
	}
	kernel.MaxPoolBackward(g, a.dout.data, l.argmax, a.din[0].resize(p.rows))
}

type globalSpec struct{ channels, pixels int }

// globalPool is the mean of each channel.
type globalPool[F kernel.Float] struct{ globalSpec }

func (l globalPool[F]) forward(p *pass[F], a *args[F]) {
	y := a.out.resize(p.rows)
	kernel.RowSums(y, a.in[0].data, p.rows*l.channels, l.pixels)
	kernel.Scale(y, 1/F(l.pixels), y)
}

func (l globalPool[F]) backward(p *pass[F], a *args[F]) {
	dx, scale := a.din[0].resize(p.rows), 1/F(l.pixels)
	for i, d := range a.dout.data {
		plane := dx[i*l.pixels : (i+1)*l.pixels]
		for k := range plane {
			plane[k] = d * scale
		}
	}
}
