package kernel

// A product of few rows and stored rows of B, the forward pass of a small batch,
// is turned around: Cᵀ = B·Aᵀ. The tiles then walk down the rows of B, which are
// the weights and come from far, once and in the order of memory, and the few
// rows of A lie side by side in their registers. Dot products would read B once
// for every four rows and add up the lanes of every sum.

const (
	// turnedRows is the least number of rows of A to turn: fewer leave lanes empty.
	turnedRows = 9
	// turnedWidth is the number of columns of C, rows of B, of a task.
	turnedWidth = 64
)

// turns reports whether to turn a product that could run as dot products.
func turns[F Float](g *GemmArgs[F], b Batch) bool {
	return simd == levelAVX512 && useSIMD[F]() && g.M >= turnedRows && !g.Accumulate && b.Outer*b.Inner == 1
}

// turnedLanes is the distance between the rows of Aᵀ, in whole registers.
func turnedLanes(rows int) int { return roundUp(rows, maxRunLength) }

// turn writes Aᵀ to the shared buffer that the tasks read.
func turn[F Float](ws *Workspace, g *GemmArgs[F]) {
	lanes := turnedLanes(g.M)
	transpose(sharedBuf[F](ws, bufTurned, g.K*lanes), lanes, g.A, g.LDA, g.M, g.K)
}

// turned computes the strip's columns of all rows of C.
func (s *gemmStrip[F]) turned(ws *Workspace, slot int, g *GemmArgs[F]) {
	lanes := turnedLanes(g.M)
	c := slotBuf[F](ws, slot, slotPanel, s.cols*lanes)
	t := tileJob[F]{
		k: g.K, a: s.b[s.j*g.LDB:], rowA: g.LDB, colA: 1, rows: s.cols,
		b: sharedBuf[F](ws, bufTurned, g.K*lanes), rowB: lanes, c: c, rowC: lanes, cols: g.M,
		relu: g.ReLU, biasM: from(g.BiasN, s.j), biasN: g.BiasM,
	}
	t.run()
	transpose(s.c[s.j:], g.LDC, c, lanes, s.cols, g.M)
}
