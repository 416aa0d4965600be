package kernel

// convForward runs the convolution as one stencil an image.
func convForward[F Float](ws *Workspace, g Conv, x, w, bias, y []F, relu bool) {
	oh, ow := g.OutH(), g.OutW()
	in, out := g.C*g.H*g.W, g.OutC*oh*ow
	if g.pointwise() { // patches are the image itself
		gemm(ws, &GemmArgs[F]{M: g.OutC, N: in / g.C, K: g.C, A: w, LDA: g.C, B: x, LDB: in / g.C, C: y, LDC: in / g.C,
			BiasM: bias, ReLU: relu}, Batch{Outer: g.N, Inner: 1, BOuter: in, COuter: out})
		return
	}
	pad := g.inputPadding()
	s := stencil[F]{left: w, m: g.OutC, off: g.tapOffsets(ws, &pad), rowIn: pad.cols, outH: oh, outW: ow, bias: bias, relu: relu}
	panels := s.panels(tilingFor[F]())
	cuts := g.cuts(panels)
	forEach(g.N*cuts, g.grain(g.N*cuts), func(slot, lo, hi int) {
		image := slotBuf[F](ws, slot, slotImage, pad.size())
		for t := lo; t < hi; t++ {
			n, cut := t/cuts, t%cuts
			fillPadded(&pad, image, x[n*in:(n+1)*in])
			s.run(ws, slot, image, y[n*out:(n+1)*out], cut*panels/cuts, (cut+1)*panels/cuts)
		}
	})
}

// pointwise reports whether the filters see one pixel each and move by one.
func (g Conv) pointwise() bool {
	return g.KH*g.KW == 1 && g.StrideH == 1 && g.StrideW == 1 && g.PadH == 0 && g.PadW == 0
}

// inputPadding is the layout of the input for the forward pass.
func (g Conv) inputPadding() padding {
	return newPadding(g.C, g.H, g.W, g.PadH, g.PadW,
		(g.OutH()-1)*g.StrideH+(g.KH-1)*g.DilH+1, (g.OutW()-1)*g.StrideW+(g.KW-1)*g.DilW+1, g.StrideH, g.StrideW)
}

// tapOffsets returns, for each element of a filter, where it reads for output
// pixel (0, 0).
func (g Conv) tapOffsets(ws *Workspace, pad *padding) []int {
	off := ws.offsets(g.C * g.KH * g.KW)
	i := 0
	for c := range g.C {
		for kh := range g.KH {
			for kw := range g.KW {
				off[i] = pad.offset(c, kh*g.DilH, kw*g.DilW)
				i++
			}
		}
	}
	return off
}

// cuts is the number of parts an image's output is divided into, so that a
// small batch can still use several cores.
func (g Conv) cuts(panels int) int {
	if g.N >= 4 {
		return 1
	}
	return min(panels, max(1, 8/max(g.N, 1)))
}

// grain returns how many of the given number of equal parts of the convolution
// make a unit of parallel work.
func (g Conv) grain(parts int) int {
	work := g.N * g.OutC * g.OutH() * g.OutW() * g.C * g.KH * g.KW / max(parts, 1)
	return max(1, gemmGrain/max(work, 1))
}
