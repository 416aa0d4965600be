package kernel

// A product is computed in tasks of one strip of C each: up to gemmRows rows by
// one tile's width of columns. A task walks along K in blocks of gemmDepth, so
// that its panel of B stays in the nearest caches while the rows of A pass by.
const (
	gemmRows  = 256
	gemmDepth = 256
	// gemmGrain is the number of multiply-adds that make a unit of parallel
	// work, some microseconds.
	gemmGrain = 1 << 18
	// packRows is the number of rows from which copying a panel of B into
	// contiguous memory costs less than reading it in place each time.
	packRows = 48
	// With at most shortDepth products in a sum, as in the gradient of the weights
	// for a small batch, writing C takes the time: tasks have shortRows rows and
	// shortPanels tiles' widths, so that C is written from front to back, and read
	// B in place.
	shortDepth, shortRows, shortPanels = 32, 64, 9
	// dotRowsMax is the number of rows up to which A·Bᵀ runs as dot products,
	// which need no transposed copy of B, if K is at least dotDepthMin.
	dotRowsMax, dotDepthMin = 32, 96
)

// gemmPlan is the division of one product, or a batch of equal ones, into tasks.
type gemmPlan[F Float] struct {
	g      *GemmArgs[F]
	batch  Batch
	shape  tiling
	dots   bool
	turned bool
	width  int // columns of a task
	height int // rows of a task
	depth  int // length of a block of K
	part   int // length of a part of K that is a product of its own, a pair of the batch; 0 = all of it
	panels int // tasks along N
	strips int // tasks along M
}

func planGemm[F Float](g *GemmArgs[F], b Batch) gemmPlan[F] {
	p := gemmPlan[F]{g: g, batch: b, shape: tilingFor[F](), height: gemmRows, depth: gemmDepth}
	p.width = p.shape.cols
	if g.K <= shortDepth {
		p.height, p.width = shortRows, shortPanels*p.shape.cols
	}
	if g.TransB && !g.TransA && g.M <= dotRowsMax && g.K >= dotDepthMin {
		p.dots, p.width = true, dotWidth
		if turns(g, b) {
			p.dots, p.turned, p.width = false, true, turnedWidth
		}
	}
	p.divide()
	if g.TransA && g.K > gemmDepth {
		p.reach()
	}
	return p
}

func (p *gemmPlan[F]) divide() {
	p.strips = max(1, (p.g.M+p.height-1)/p.height)
	p.panels = (p.g.N + p.width - 1) / p.width
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// dotWidth is the number of columns of a task of dot products.
const dotWidth = 32

// tasks returns the number of tasks and how many make a unit of parallel work.
func (p *gemmPlan[F]) tasks() (n, grain int) {
	work := min(p.g.M, p.height) * p.width * max(p.g.K, 1)
	return p.batch.Outer * p.batch.Inner * p.strips * p.panels, max(1, gemmGrain/max(work, 1))
}

func gemm[F Float](ws *Workspace, g *GemmArgs[F], b Batch) {
	if g.M == 0 || g.N == 0 {
		return
	}
	if part := partLength(g, b); part < g.K {
		gemmParts(ws, g, part)
		return
	}
	plan := planGemm(g, b)
	if plan.turned {
		turn(ws, g)
	}
	n, grain := plan.tasks()
	if n <= grain {
		plan.run(ws, 0, 0, n)
		return
	}
	args := *g // the copy moves to the heap, g stays where it is
	shared := planGemm(&args, b)
	forEach(n, grain, func(slot, lo, hi int) { shared.run(ws, slot, lo, hi) })
}

// run does the tasks [lo, hi).
func (p *gemmPlan[F]) run(ws *Workspace, slot, lo, hi int) {
	g := p.g
	for t := lo; t < hi; t++ {
		panel := t % p.panels
		strip := t / p.panels % p.strips
		pair := t / (p.panels * p.strips)
		i, j := pair/p.batch.Inner, pair%p.batch.Inner
		s := gemmStrip[F]{
			a: g.A[i*p.batch.AOuter+j*p.batch.AInner:],
			b: g.B[i*p.batch.BOuter+j*p.batch.BInner:],
			c: g.C[i*p.batch.COuter+j*p.batch.CInner:],
			i: strip * p.height, j: panel * p.width, k: g.K,
		}
		if p.part > 0 {
			s.k = min(p.part, g.K-i*p.part)
		}
		s.rows, s.cols = min(p.height, g.M-s.i), min(p.width, g.N-s.j)
		switch {
		case p.turned:
			s.turned(ws, slot, g)
		case p.dots:
			s.dots(g)
		default:
			s.tiles(ws, slot, g, p.shape, p.depth)
		}
	}
}

// gemmStrip is one task: rows [i, i+rows) and columns [j, j+cols) of C.
type gemmStrip[F Float] struct {
	a, b, c          []F
	i, j, rows, cols int
	k                int // length of the sums
}

func (s *gemmStrip[F]) tiles(ws *Workspace, slot int, g *GemmArgs[F], shape tiling, depth int) {
	rowA, colA := strides(g.LDA, g.TransA)
	t := tileJob[F]{rowA: rowA, colA: colA, rows: s.rows, rowB: g.LDB, rowC: g.LDC, add: g.Accumulate}
	for p := 0; ; p += depth {
		t.k = min(depth, s.k-p)
		last := p+t.k >= s.k // the last block finishes the sums
		if last {
			t.relu, t.biasM = g.ReLU, from(g.BiasM, s.i)
		}
		if t.k == 0 {
			t.rowA = 0 // A may be empty
		} else {
			t.a = s.a[s.i*rowA+p*colA:]
		}
		for j := s.j; j < s.j+s.cols; j += shape.cols {
			t.cols = min(shape.cols, s.j+s.cols-j)
			t.c = s.c[s.i*g.LDC+j:]
			if last {
				t.biasN = from(g.BiasN, j)
			}
			if t.k > 0 {
				t.b, t.rowB = s.panel(ws, slot, g, shape, j, t.cols, p, t.k)
			}
			t.run()
		}
		if last {
			return
		}
		t.add = true
	}
}

// from returns x[i:], or nil for nil.
func from[F Float](x []F, i int) []F {
	if x == nil {
		return nil
	}
	return x[i:]
}

// panel returns rows [p, p+k) of the strip's columns of op(B) and the distance
// between them: in place, or copied if that pays or B is transposed.
func (s *gemmStrip[F]) panel(ws *Workspace, slot int, g *GemmArgs[F], shape tiling, j, cols, p, k int) (b []F, row int) {
	if g.TransB {
		dst := slotBuf[F](ws, slot, slotPanel, k*shape.cols)
		transpose(dst, shape.cols, s.b[j*g.LDB+p:], g.LDB, cols, k)
		return dst, shape.cols
	}
	src := s.b[p*g.LDB+j:]
	if s.rows < packRows || g.K <= shortDepth || g.LDB == cols {
		return src, g.LDB
	}
	dst := slotBuf[F](ws, slot, slotPanel, k*shape.cols)
	copyRows(dst, shape.cols, src, g.LDB, k, cols)
	return dst, shape.cols
}

// dots computes the strip as dot products of rows of A and rows of stored B.
func (s *gemmStrip[F]) dots(g *GemmArgs[F]) {
	var off [dotWidth]int
	for j := range off {
		off[j] = min(j, s.cols-1) * g.LDB
	}
	t := dotJob[F]{
		n: g.K, a: s.a[s.i*g.LDA:], rows: s.rows, rowA: g.LDA,
		b: s.b[s.j*g.LDB:], off: off[:], cols: s.cols, c: s.c[s.i*g.LDC+s.j:], rowC: g.LDC,
		add: g.Accumulate, relu: g.ReLU, biasM: from(g.BiasM, s.i), biasN: from(g.BiasN, s.j),
	}
	t.run()
}
