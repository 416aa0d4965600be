package kernel

func gemm[F Float](ws *Workspace, g *GemmArgs[F]) {
	grain := max(1, (1<<16)/max(1, g.N*g.K))
	Parallel(g.M, grain, func(lo, hi int) { gemmRows(g, lo, hi) })
}

func gemmBatch[F Float](ws *Workspace, g *GemmArgs[F], b Batch) {
	Parallel(b.Outer*b.Inner, 1, func(lo, hi int) {
		for t := lo; t < hi; t++ {
			i, j := t/b.Inner, t%b.Inner
			one := *g
			one.A = g.A[i*b.AOuter+j*b.AInner:]
			one.B = g.B[i*b.BOuter+j*b.BInner:]
			one.C = g.C[i*b.COuter+j*b.CInner:]
			gemmRows(&one, 0, g.M)
		}
	})
}

func gemmRows[F Float](g *GemmArgs[F], lo, hi int) {
	ra, ca := strides(g.LDA, g.TransA)
	rb, cb := strides(g.LDB, g.TransB)
	for i := lo; i < hi; i++ {
		c := g.C[i*g.LDC : i*g.LDC+g.N]
		for j := range c {
			var s F
			for k := range g.K {
				s += g.A[i*ra+k*ca] * g.B[k*rb+j*cb]
			}
			if g.Accumulate {
				s += c[j]
			}
			if g.BiasN != nil {
				s += g.BiasN[j]
			}
			if g.BiasM != nil {
				s += g.BiasM[i]
			}
			if g.ReLU && s <= 0 {
				s = 0
			}
			c[j] = s
		}
	}
}
