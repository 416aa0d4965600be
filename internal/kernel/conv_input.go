package kernel

// The gradient with respect to the input is, for the input pixels of one
// remainder modulo the stride (a phase), a stencil over the output gradient
// with the filter taps that reach them. With stride 1 there is one phase and it
// has all taps.

// axis is one dimension of the geometry as the input gradient sees it.
type axis struct {
	in, out, kernel, stride, pad, dil int
	least                             int // smallest shift of any tap
	reach                             int // extent of the shifted output gradient
}

func newAxis(in, out, kernel, stride, pad, dil int) axis {
	a := axis{in: in, out: out, kernel: kernel, stride: stride, pad: pad, dil: dil}
	most := 0
	for k := range kernel {
		for r := range stride {
			if d, ok := a.shift(r, k); ok {
				a.least, most = min(a.least, d), max(most, d)
			}
		}
	}
	a.reach = a.count(0) + most - a.least
	return a
}

// shift returns the distance from input pixel i of the phase (i counted in
// strides) to the output that tap k connects it with, if it connects any.
func (a *axis) shift(phase, k int) (int, bool) {
	d := phase + a.pad - k*a.dil
	if d%a.stride != 0 {
		return 0, false
	}
	return d / a.stride, true
}

// count returns the number of input pixels of the phase.
func (a *axis) count(phase int) int { return max(0, (a.in-phase+a.stride-1)/a.stride) }

// convPhase is the stencil of the input pixels (i*StrideH+h, j*StrideW+w).
type convPhase struct {
	h, w       int
	outH, outW int
	taps       int // filter taps that reach the phase
	first      int // where its weights and offsets start
}

func convBackwardInput[F Float](ws *Workspace, g Conv, dy, w, dx []F) {
	oh, ow := g.OutH(), g.OutW()
	in, out := g.C*g.H*g.W, g.OutC*oh*ow
	if g.pointwise() {
		gemm(ws, &GemmArgs[F]{M: g.C, N: oh * ow, K: g.OutC, A: w, LDA: g.C, TransA: true, B: dy, LDB: oh * ow, C: dx, LDC: oh * ow},
			Batch{Outer: g.N, Inner: 1, BOuter: out, COuter: in})
		return
	}
	ah := newAxis(g.H, oh, g.KH, g.StrideH, g.PadH, g.DilH)
	aw := newAxis(g.W, ow, g.KW, g.StrideW, g.PadW, g.DilW)
	pad := newPadding(g.OutC, oh, ow, -ah.least, -aw.least, ah.reach, aw.reach, 1, 1)
	phases, off := g.phases(ws, &ah, &aw, &pad)
	weights := phaseWeights(ws, g, &ah, &aw, phases, w)
	forEach(g.N, g.grain(g.N), func(slot, lo, hi int) {
		grad := slotBuf[F](ws, slot, slotGrad, pad.size())
		var plane []F
		if len(phases) > 1 {
			plane = slotBuf[F](ws, slot, slotImage, in)
		}
		for n := lo; n < hi; n++ {
			fillPadded(&pad, grad, dy[n*out:(n+1)*out])
			dxn := dx[n*in : (n+1)*in]
			for _, p := range phases {
				s := stencil[F]{left: weights[g.C*p.first:], m: g.C, off: off[p.first : p.first+g.OutC*p.taps],
					rowIn: pad.cols, outH: p.outH, outW: p.outW}
				panels := s.panels(tilingFor[F]())
				if len(phases) == 1 {
					s.run(ws, slot, grad, dxn, 0, panels)
					continue
				}
				s.run(ws, slot, grad, plane, 0, panels)
				spread(g, p, dxn, plane)
			}
		}
	})
}

// spread writes the pixels of one phase to their places.
func spread[F Float](g Conv, p convPhase, dx, plane []F) {
	for c := range g.C {
		for i := range p.outH {
			row := dx[(c*g.H+i*g.StrideH+p.h)*g.W:]
			from := plane[(c*p.outH+i)*p.outW : (c*p.outH+i+1)*p.outW]
			for j := range from {
				if p.taps == 0 {
					row[j*g.StrideW+p.w] = 0
				} else {
					row[j*g.StrideW+p.w] = from[j]
				}
			}
		}
	}
}

// phases lists the phases and the offsets of all their taps.
func (g Conv) phases(ws *Workspace, ah, aw *axis, pad *padding) ([]convPhase, []int) {
	off := ws.offsets(g.OutC * g.KH * g.KW)
	phases := ws.phases[:0]
	at := 0
	for h := range g.StrideH {
		for w := range g.StrideW {
			p := convPhase{h: h, w: w, outH: ah.count(h), outW: aw.count(w), first: at}
			for oc := range g.OutC {
				g.eachTap(ah, aw, h, w, func(kh, kw, dh, dw int) {
					off[at] = pad.offset(oc, dh-ah.least, dw-aw.least)
					at++
				})
			}
			p.taps = (at - p.first) / g.OutC
			phases = append(phases, p)
		}
	}
	ws.phases = phases
	return phases, off
}

// eachTap calls fn for the taps that reach phase (h, w), with their shifts.
func (g Conv) eachTap(ah, aw *axis, h, w int, fn func(kh, kw, dh, dw int)) {
	for kh := range g.KH {
		dh, ok := ah.shift(h, kh)
		if !ok {
			continue
		}
		for kw := range g.KW {
			if dw, ok := aw.shift(w, kw); ok {
				fn(kh, kw, dh, dw)
			}
		}
	}
}

// phaseWeights returns the filters as matrices [C, OutC*taps], one a phase.
func phaseWeights[F Float](ws *Workspace, g Conv, ah, aw *axis, phases []convPhase, w []F) []F {
	size := g.KH * g.KW
	dst := sharedBuf[F](ws, bufWeights, g.C*g.OutC*size)
	Parallel(g.C, max(1, vectorGrain/(g.OutC*size)), func(lo, hi int) {
		var taps [64]int
		for _, p := range phases {
			list := taps[:0]
			g.eachTap(ah, aw, p.h, p.w, func(kh, kw, _, _ int) { list = append(list, kh*g.KW+kw) })
			for c := lo; c < hi; c++ {
				row := dst[g.C*p.first+c*g.OutC*p.taps:][:g.OutC*p.taps]
				for oc := range g.OutC {
					from := w[(oc*g.C+c)*size:][:size]
					to := row[oc*len(list):][:len(list)]
					for i, tap := range list {
						to[i] = from[tap]
					}
				}
			}
		}
	})
	return dst
}
