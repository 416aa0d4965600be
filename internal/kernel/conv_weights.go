package kernel

// The gradient with respect to the filters is a matrix of dot products between
// planes of the output gradient and shifted planes of the input. Both are laid
// out with rows of equal length, so that one product is a single run over all
// rows of an image; the positions between rows are zero in the gradient.

// weightsTasks is the number of blocks of images whose gradients are computed on
// their own and then added in order.
const weightsTasks = 8

// weightsRun is the number of elements of the gradient plane to take in one
// pass: enough to make the sum over the lanes cheap, few enough that four planes
// stay in the first-level cache.
const weightsRun = 1024

func convBackwardWeights[F Float](ws *Workspace, g Conv, x, dy, dw, db []F) {
	oh, ow := g.OutH(), g.OutW()
	in, out, k := g.C*g.H*g.W, g.OutC*oh*ow, g.C*g.KH*g.KW
	pad := g.inputPadding()
	run := (oh*pad.cols + 15) &^ 15
	off := g.tapOffsets(ws, &pad)
	off = off[:cap(off):cap(off)]
	images := max(1, min((g.N+weightsTasks-1)/weightsTasks, weightsRun/run))
	block := (g.N + weightsTasks - 1) / weightsTasks
	tasks := (g.N + max(block, 1) - 1) / max(block, 1)
	one := g.OutC * (k + 1) // filters, then biases
	partial := sharedBuf[F](ws, bufPartial, tasks*one)
	forEach(tasks, g.grain(tasks), func(slot, lo, hi int) {
		xs := slotBuf[F](ws, slot, slotImage, images*pad.size())
		ds := slotBuf[F](ws, slot, slotGrad, images*g.OutC*run)
		for t := lo; t < hi; t++ {
			sum := partial[t*one : (t+1)*one]
			biases := sum[g.OutC*k:]
			clear(biases)
			last := min((t+1)*block, g.N)
			for n := t * block; n < last; n += images {
				count := min(images, last-n)
				for i := range count {
					fillPadded(&pad, xs[i*pad.size():], x[(n+i)*in:(n+i+1)*in])
					spaceOut(ds[i*g.OutC*run:], run, dy[(n+i)*out:(n+i+1)*out], g.OutC, oh, ow, pad.cols)
					addPlaneSums(biases, dy[(n+i)*out:(n+i+1)*out], oh*ow)
				}
				job := dotJob[F]{n: run, runs: count, a: ds, rows: g.OutC, rowA: run, runA: g.OutC * run,
					b: xs, off: off, runB: pad.size(), cols: k, c: sum, rowC: k, add: n > t*block}
				job.run()
			}
		}
	})
	sumPartials(dw[:g.OutC*k], partial, tasks, one)
	if db != nil {
		sumPartials(db[:g.OutC], partial[min(g.OutC*k, len(partial)):], tasks, one)
	}
}

// spaceOut copies planes of rows of width ow to rows of width cols; the rest of
// each plane of size run is zero.
func spaceOut[F Float](dst []F, run int, src []F, planes, oh, ow, cols int) {
	clear(dst[:planes*run])
	for c := range planes {
		copyRows(dst[c*run:], cols, src[c*oh*ow:], ow, oh, ow)
	}
}

// addPlaneSums adds the sum of each plane to its element of dst.
func addPlaneSums[F Float](dst, src []F, plane int) {
	for c := range dst {
		dst[c] += F(sumPart(src[c*plane : (c+1)*plane]))
	}
}

// sumPartials sets dst to the sum of tasks vectors that start stride apart, in
// order.
func sumPartials[F Float](dst, partial []F, tasks, stride int) {
	Parallel(len(dst), vectorGrain/weightsTasks, func(lo, hi int) {
		d := dst[lo:hi]
		clear(d)
		for t := range tasks {
			addPart(d, d, partial[t*stride+lo:t*stride+hi])
		}
	})
}
