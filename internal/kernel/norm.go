package kernel

import "math"

// BatchNorm is the shape of a batch normalisation: x [N, C, S], with statistics
// for each of the C channels over N and the S positions (S = H*W for images, 1
// for vectors).
type BatchNorm struct{ N, C, S int }

func (g BatchNorm) size() int { return g.N * g.C * g.S }

func (g BatchNorm) grain() int { return max(1, vectorGrain/max(1, g.N*g.S)) }

// at returns the position of the S elements of image n and channel c.
func (g BatchNorm) at(n, c int) (lo, hi int) {
	lo = (n*g.C + c) * g.S
	return lo, lo + g.S
}

// InvStd computes dst = 1/sqrt(variance+eps).
func InvStd[F Float](dst, variance []F, eps F) {
	same("InvStd", len(dst), len(variance))
	for i, v := range variance {
		dst[i] = F(1 / math.Sqrt(float64(v)+float64(eps)))
	}
}

// BatchNormStats computes mean and biased variance (divided by N*S) of each
// channel. Running statistics as PyTorch keeps them take the variance times
// N*S/(N*S-1).
func BatchNormStats[F Float](g BatchNorm, x, mean, variance []F) {
	need("BatchNormStats", "x", x, g.size())
	need("BatchNormStats", "mean", mean, g.C)
	need("BatchNormStats", "variance", variance, g.C)
	count := float64(g.N * g.S)
	Parallel(g.C, g.grain(), func(first, last int) {
		for c := first; c < last; c++ {
			m, v := 0.0, 0.0
			for n := range g.N {
				lo, hi := g.at(n, c)
				m += sumPart(x[lo:hi])
			}
			m /= count
			for n := range g.N {
				lo, hi := g.at(n, c)
				v += squaredDiffPart(x[lo:hi], F(m))
			}
			mean[c], variance[c] = F(m), F(v/count)
		}
	})
}

// squaredDiffPart returns the sum of (x-m)².
func squaredDiffPart[F Float](x []F, m F) float64 {
	if useSIMD[F]() && len(x) > 0 {
		var lanes [8]float32
		vecSquaredDiff(head(x), len(x), float32(m), &lanes[0])
		return sumLanes(&lanes)
	}
	s := 0.0
	for _, v := range x {
		d := float64(v - m)
		s += d * d
	}
	return s
}

// BatchNormForward computes y = (x-mean)*invStd*gamma + beta for each channel,
// with the batch's statistics in training and the running ones in evaluation,
// then ReLU if relu is true. gamma and beta nil mean 1 and 0.
func BatchNormForward[F Float](g BatchNorm, x, mean, invStd, gamma, beta, y []F, relu bool) {
	need("BatchNormForward", "x", x, g.size())
	need("BatchNormForward", "y", y, g.size())
	need("BatchNormForward", "mean", mean, g.C)
	need("BatchNormForward", "invStd", invStd, g.C)
	Parallel(g.N, max(1, vectorGrain/max(1, g.C*g.S)), func(first, last int) {
		for n := first; n < last; n++ {
			for c := range g.C {
				scale := invStd[c] * valueOr(gamma, c, 1)
				shift := valueOr(beta, c, 0) - mean[c]*scale
				lo, hi := g.at(n, c)
				affinePart(y[lo:hi], x[lo:hi], scale, shift)
				if relu {
					reluPart(y[lo:hi], y[lo:hi])
				}
			}
		}
	})
}

func valueOr[F Float](x []F, i int, fallback F) F {
	if x == nil {
		return fallback
	}
	return x[i]
}

// affinePart computes dst = scale*x + shift.
func affinePart[F Float](dst, x []F, scale, shift F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecAffine(head(dst), head(x), len(dst), float32(scale), float32(shift))
		return
	}
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = scale*x[i] + shift
	}
}

// BatchNormBackward computes dgamma = sum(dy*xhat), dbeta = sum(dy) and dx of a
// forward pass in training (train true: mean and invStd depend on x) or in
// evaluation (they are constants). dy is the gradient before any ReLU. dx,
// dgamma and dbeta may each be nil if not wanted.
func BatchNormBackward[F Float](g BatchNorm, x, mean, invStd, gamma, dy, dx, dgamma, dbeta []F, train bool) {
	need("BatchNormBackward", "x", x, g.size())
	need("BatchNormBackward", "dy", dy, g.size())
	if dx != nil {
		need("BatchNormBackward", "dx", dx, g.size())
	}
	Parallel(g.C, g.grain(), func(first, last int) {
		for c := first; c < last; c++ {
			batchNormBackwardChannel(g, c, x, mean[c], invStd[c], valueOr(gamma, c, 1), dy, dx, dgamma, dbeta, train)
		}
	})
}

func batchNormBackwardChannel[F Float](g BatchNorm, c int, x []F, mean, invStd, gamma F, dy, dx, dgamma, dbeta []F, train bool) {
	sum, dot := 0.0, 0.0 // of dy, and of dy*xhat
	for n := range g.N {
		lo, hi := g.at(n, c)
		s := sumPart(dy[lo:hi])
		sum += s
		dot += float64(invStd) * (dotPart(dy[lo:hi], x[lo:hi]) - float64(mean)*s)
	}
	if dgamma != nil {
		dgamma[c] = F(dot)
	}
	if dbeta != nil {
		dbeta[c] = F(sum)
	}
	if dx == nil {
		return
	}
	// dx = gamma*invStd*(dy - sum/m - xhat*dot/m) = a*dy + b*x + shift
	a, b, shift := gamma*invStd, F(0), F(0)
	if train {
		m := float64(g.N * g.S)
		bb := -float64(a) * float64(invStd) * dot / m
		b = F(bb)
		shift = F(-float64(a)*sum/m - bb*float64(mean))
	}
	for n := range g.N {
		lo, hi := g.at(n, c)
		affine2Part(dx[lo:hi], dy[lo:hi], a, x[lo:hi], b, shift)
	}
}

// affine2Part computes dst = a*x + b*y + shift.
func affine2Part[F Float](dst, x []F, a F, y []F, b, shift F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecAffine2(head(dst), head(x), head(y), len(dst), float32(a), float32(b), float32(shift))
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = a*x[i] + b*y[i] + shift
	}
}

// LayerNormForward computes y = (x-mean)*invStd*gamma + beta for each row of x
// [rows, cols], with the row's mean and biased variance, and stores mean and
// invStd, of length rows, for the backward pass. gamma and beta, of length
// cols, nil mean 1 and 0.
func LayerNormForward[F Float](x, gamma, beta, y, mean, invStd []F, rows, cols int, eps F) {
	need("LayerNormForward", "x", x, rows*cols)
	need("LayerNormForward", "y", y, rows*cols)
	need("LayerNormForward", "mean", mean, rows)
	need("LayerNormForward", "invStd", invStd, rows)
	Parallel(rows, rowGrain(cols), func(first, last int) {
		for i := first; i < last; i++ {
			xi, yi := x[i*cols:(i+1)*cols], y[i*cols:(i+1)*cols]
			m := sumPart(xi) / float64(cols)
			v := squaredDiffPart(xi, F(m)) / float64(cols)
			inv := 1 / math.Sqrt(v+float64(eps))
			mean[i], invStd[i] = F(m), F(inv)
			affinePart(yi, xi, F(inv), F(-m*inv))
			if gamma != nil {
				mulPart(yi, yi, gamma[:cols])
			}
			if beta != nil {
				addPart(yi, yi, beta[:cols])
			}
		}
	})
}

// LayerNormBackward computes dx, and dgamma and dbeta summed over the rows.
// Any of the three may be nil if not wanted; gamma nil means 1.
func LayerNormBackward[F Float](ws *Workspace, x, mean, invStd, gamma, dy, dx, dgamma, dbeta []F, rows, cols int) {
	need("LayerNormBackward", "x", x, rows*cols)
	need("LayerNormBackward", "dy", dy, rows*cols)
	if dx != nil {
		need("LayerNormBackward", "dx", dx, rows*cols)
	}
	blocks := (rows + layerNormBlock - 1) / layerNormBlock
	partial := sharedBuf[F](ws, bufPartial, 2*blocks*cols)
	clear(partial)
	forEach(blocks, max(1, vectorGrain/(layerNormBlock*max(cols, 1))), func(slot, first, last int) {
		scaled := slotBuf[F](ws, slot, slotPanel, 2*cols)
		for b := first; b < last; b++ {
			dg, db := partial[2*b*cols:(2*b+1)*cols], partial[(2*b+1)*cols:(2*b+2)*cols]
			for i := b * layerNormBlock; i < min((b+1)*layerNormBlock, rows); i++ {
				lo, hi := i*cols, (i+1)*cols
				layerNormBackwardRow(scaled, x[lo:hi], mean[i], invStd[i], gamma, dy[lo:hi], part(dx, lo, hi), dg, db)
			}
		}
	})
	sumPartials(part(dgamma, 0, cols), partial, blocks, 2*cols)
	if blocks > 0 {
		sumPartials(part(dbeta, 0, cols), partial[cols:], blocks, 2*cols)
	} else {
		clear(dbeta)
	}
}

// layerNormBlock is the number of rows whose contributions to dgamma and dbeta
// are added up on their own.
const layerNormBlock = 32

// part returns x[lo:hi], or nil for nil.
func part[F Float](x []F, lo, hi int) []F {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}

// layerNormBackwardRow adds the row's share to dg and db and computes its dx.
func layerNormBackwardRow[F Float](scratch, x []F, mean, invStd F, gamma, dy, dx, dg, db []F) {
	cols := len(x)
	xhat, d := scratch[:cols], scratch[cols:2*cols]
	affinePart(xhat, x, invStd, -mean*invStd)
	addPart(db, db, dy)
	mulPart(d, dy, xhat)
	addPart(dg, dg, d)
	if dx == nil {
		return
	}
	g := dy
	if gamma != nil {
		mulPart(d, dy, gamma[:cols])
		g = d
	}
	// dx = invStd*(g - sum(g)/cols - xhat*sum(g*xhat)/cols)
	sum, dot := sumPart(g)/float64(cols), dotPart(g, xhat)/float64(cols)
	affine2Part(dx, g, invStd, xhat, F(-float64(invStd)*dot), F(-float64(invStd)*sum))
}
