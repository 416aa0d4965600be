package kernel

import "math/bits"

// stencil is a convolution reduced to its core: out[m, i, j] is the sum over k
// of left[m, k] * image[off[k] + i*rowIn + j], on a padded image. Forward
// convolutions and input gradients are stencils with different offsets.
type stencil[F Float] struct {
	left       []F // [m, len(off)]
	m          int
	off        []int
	rowIn      int
	outH, outW int
	bias       []F // one a row of left, or nil
	relu       bool
}

// stencilDepth is the length of the block of offsets whose patches are packed
// together: a panel of patches has to stay in the nearest caches.
const stencilDepth = 256

// panels returns the number of tiles' widths of output pixels.
func (s *stencil[F]) panels(shape tiling) int { return (s.outH*s.outW + shape.cols - 1) / shape.cols }

// run computes panels [lo, hi) of the output plane of every row of left.
func (s *stencil[F]) run(ws *Workspace, slot int, image, out []F, lo, hi int) {
	shape := tilingFor[F]()
	pixels := s.outH * s.outW
	t := tileJob[F]{rowA: len(s.off), colA: 1, rows: s.m, rowB: shape.cols, rowC: pixels}
	panel := slotBuf[F](ws, slot, slotPanel, stencilDepth*shape.cols+64)
	var g gather
	for p := lo; p < hi; p++ {
		start := p * shape.cols
		t.cols = min(shape.cols, pixels-start)
		t.c = out[start:]
		g.plan(s.outW, s.rowIn, start, t.cols)
		for k := 0; k < len(s.off); k += stencilDepth {
			t.k = min(stencilDepth, len(s.off)-k)
			t.add = k > 0
			if k+t.k == len(s.off) {
				t.relu, t.biasM = s.relu, s.bias
			} else {
				t.relu, t.biasM = false, nil
			}
			gatherPanel(&g, panel, shape.cols, image, s.off[k:k+t.k])
			t.a, t.b = s.left[k:], panel
			t.run()
		}
	}
}

// gather is the list of copies that make one row of a panel of patches: the
// consecutive output pixels of the panel, cut at the ends of image rows.
type gather struct {
	runs [maxRuns]run
	n    int
}

// run is one copy of up to maxRunLength elements. With AVX-512 it stays within
// an aligned vector of the panel row: stores that cross two lines are slow.
type run struct {
	from, to int // elements of the image row and of the panel row
	mask     int // which of the elements from there on are copied
}

// maxRuns covers the widest panel with image rows of one pixel.
const maxRuns = 48

// maxRunLength is the most elements one copy in assembly moves. Without AVX-512
// a copy writes 8 whatever its mask: the next run, or the next row, overwrites
// the excess.
const maxRunLength = 16

func (g *gather) plan(outW, rowIn, start, cols int) {
	g.n = 0
	for at := 0; at < cols; {
		i, j := (start+at)/outW, (start+at)%outW
		end := min(at+outW-j, cols)
		g.add(i*rowIn+j, at, end)
		at = end
	}
}

// add appends the runs that copy elements from on to [at, end) of the panel.
func (g *gather) add(from, at, end int) {
	for at < end {
		lane, next := 0, min(at+8, end)
		if simd == levelAVX512 {
			lane = at % maxRunLength
			next = min(at-lane+maxRunLength, end)
		}
		g.runs[g.n] = run{from: from - lane, to: at - lane, mask: (1<<(next-at) - 1) << lane}
		g.n++
		from += next - at
		at = next
	}
}

// gatherPanel packs one row of the panel for each offset.
func gatherPanel[F Float](g *gather, panel []F, cols int, image []F, off []int) {
	if useSIMD[F]() {
		gatherPanel32(g, panel, cols, image, off)
		return
	}
	for k, o := range off {
		row := panel[k*cols : (k+1)*cols]
		for _, r := range g.runs[:g.n] {
			lane, n := bits.TrailingZeros(uint(r.mask)), bits.OnesCount(uint(r.mask))
			copy(row[r.to+lane:][:n], image[o+r.from+lane:])
		}
	}
}
