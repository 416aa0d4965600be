package kernel

// The gradient with respect to the filters is a matrix product over pixels: the
// output gradient [OutC, pixels] times the patches [pixels, KH*KW*C]. Patches
// come from the image laid out with its channels together, where the row of a
// patch is contiguous, and are packed panel by panel.

func convBackwardWeights[F Float](ws *Workspace, g Conv, x, dy, dw, db []F) {
	plane, k := g.OutH()*g.OutW(), g.C*g.KH*g.KW
	in, out := g.C*g.H*g.W, g.OutC*plane
	p := g.patches(ws)
	block, tasks := sumBlocks(g.N)
	one := g.OutC * (k + 1) // filters, then biases
	partial := sharedBuf[F](ws, bufPartial, tasks*one)
	forEach(tasks, g.grain(tasks), func(slot, lo, hi int) {
		image := slotBuf[F](ws, slot, slotImage, p.size())
		for t := lo; t < hi; t++ {
			sum := partial[t*one : (t+1)*one]
			clear(sum)
			for n := t * block; n < min((t+1)*block, g.N); n++ {
				dyn := dy[n*out : (n+1)*out]
				fillInterleaved(&p, image, x[n*in:(n+1)*in])
				addPlaneSums(sum[g.OutC*k:], dyn, plane)
				addWeights(ws, slot, &p, image, dyn, sum, g.OutC)
			}
		}
	})
	sums := sharedBuf[F](ws, bufWeights, one)
	sumPartials(sums, partial, tasks, one)
	for oc := range g.OutC {
		transpose(dw[oc*k:(oc+1)*k], g.KH*g.KW, sums[oc*k:(oc+1)*k], g.C, g.KH*g.KW, g.C)
	}
	if db != nil {
		copy(db[:g.OutC], sums[g.OutC*k:])
	}
}

// patches describes an image with its channels together, [rows, cols, C] with
// the border of the convolution, and where patches are in it.
type patches struct {
	g          Conv
	rows, cols int
	pixels     []int // of each output pixel, its patch's first element
}

func (g Conv) patches(ws *Workspace) patches {
	oh, ow := g.OutH(), g.OutW()
	p := patches{g: g, rows: (oh-1)*g.StrideH + (g.KH-1)*g.DilH + 1, cols: (ow-1)*g.StrideW + (g.KW-1)*g.DilW + 1}
	p.pixels = ws.offsets(oh * ow)
	down, right := g.StrideH*p.cols*g.C, g.StrideW*g.C
	for i := range oh {
		row := p.pixels[i*ow : (i+1)*ow]
		for j := range row {
			row[j] = i*down + j*right
		}
	}
	return p
}

// size is the number of elements of the image, with room for reads beyond the
// last patch.
func (p *patches) size() int { return p.rows*p.cols*p.g.C + maxRunLength }

// fillInterleaved lays out one image.
func fillInterleaved[F Float](p *patches, dst, src []F) {
	g := &p.g
	clear(dst[:p.size()])
	h1, w1 := min(g.H, p.rows-g.PadH), min(g.W, p.cols-g.PadW)
	if h1 <= 0 || w1 <= 0 {
		return
	}
	at := (g.PadH*p.cols + g.PadW) * g.C
	if g.C == 1 {
		copyRows(dst[at:], p.cols, src, g.W, h1, w1)
		return
	}
	for h := range h1 {
		transpose(dst[at+h*p.cols*g.C:], g.C, src[h*g.W:], g.H*g.W, g.C, w1)
	}
}

// addPlaneSums adds the sum of each plane to its element of dst.
func addPlaneSums[F Float](dst, src []F, plane int) {
	for c := range dst {
		dst[c] += F(sumPart(src[c*plane : (c+1)*plane]))
	}
}

// addWeights adds the product of one image to sum [OutC, KH*KW*C].
func addWeights[F Float](ws *Workspace, slot int, p *patches, image, dy, sum []F, outC int) {
	shape := tilingFor[F]()
	plane, k := len(p.pixels), p.g.C*p.g.KH*p.g.KW
	panel := slotBuf[F](ws, slot, slotPanel, stencilDepth*shape.cols+maxRunLength)
	t := tileJob[F]{rowA: plane, colA: 1, rows: outC, b: panel, rowB: shape.cols, rowC: k, add: true}
	var runs gather
	for col := 0; col < k; col += shape.cols {
		t.c, t.cols = sum[col:], min(shape.cols, k-col)
		p.plan(&runs, col, t.cols)
		for first := 0; first < plane; first += stencilDepth {
			t.k = min(stencilDepth, plane-first)
			gatherPanel(&runs, panel, shape.cols, image, p.pixels[first:first+t.k])
			t.a = dy[first:]
			t.run()
		}
	}
}

// plan lists the pieces of a patch that make columns [start, start+cols) of the
// order (kh, kw, c): without dilation a row of the patch is one piece.
func (p *patches) plan(runs *gather, start, cols int) {
	g := &p.g
	piece := g.C
	if g.DilW == 1 {
		piece *= g.KW
	}
	runs.n = 0
	for at := 0; at < cols; {
		i, within := (start+at)/piece, (start+at)%piece
		from := i * g.DilH * p.cols * g.C
		if g.DilW != 1 {
			from = (i/g.KW*g.DilH*p.cols + i%g.KW*g.DilW) * g.C
		}
		end := min(at+piece-within, cols)
		runs.add(from+within, at, end)
		at = end
	}
}
