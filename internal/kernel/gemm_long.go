package kernel

import "runtime"

// A product of long columns, TransA with K the rows of a batch times the
// positions of a sequence, is the gradient of the weights of a layer for many
// rows. Both operands are long and were written by all cores, the result is small.

const (
	// A task has up to longRows rows and longPanels tiles' widths; its blocks of K
	// have longDepth.
	longRows, longPanels, longDepth = 128, 4, 64
	// A part of K has at least partRows rows, partShare elements of the operands for
	// each of its sums, which are written and read once more, and work for a core.
	partRows, partShare = 512, 4
)

// reach makes the tasks of a product of long columns, such as the gradient of
// the weights for many rows: several panels wide, because A comes from far and
// should come once, and in whole rounds for the cores.
func (p *gemmPlan[F]) reach() {
	p.depth, p.width, p.height = longDepth, longPanels*p.shape.cols, longRows
	p.divide()
	pairs, procs := p.batch.Outer*p.batch.Inner, runtime.GOMAXPROCS(0)
	for p.height > longRows/4 && pairs*p.strips*p.panels%procs != 0 {
		p.height -= p.shape.rows
		p.divide()
	}
	p.height = roundUp((p.g.M+p.strips-1)/p.strips, p.shape.rows) // strips of one size
	p.divide()
}

// partLength returns the length of the parts of K whose products are computed on
// their own and added in order: a core then reads the rows that it wrote in the
// operator before, and not all rows for a part of the columns. It depends on the
// shape alone, so that results do not depend on the number of threads. Without
// parts it is K.
func partLength[F Float](g *GemmArgs[F], b Batch) int {
	plain := g.TransA && !g.TransB && !g.Accumulate && !g.ReLU && g.BiasN == nil && g.BiasM == nil
	if !plain || b.Outer*b.Inner != 1 || g.LDC != g.N {
		return g.K
	}
	sums := g.M * g.N
	least := max(partRows, partShare*sums/(g.M+g.N), gemmGrain/sums)
	parts := g.K / least
	if parts < 2 {
		return g.K
	}
	return roundUp((g.K+parts-1)/parts, longDepth)
}

// gemmParts computes g in parts of K.
func gemmParts[F Float](ws *Workspace, g *GemmArgs[F], part int) {
	parts, one := (g.K+part-1)/part, g.M*g.N
	sums := *g
	sums.C = sharedBuf[F](ws, bufPartial, parts*one)
	plan := planGemm(&sums, Batch{Outer: parts, Inner: 1, AOuter: part * g.LDA, BOuter: part * g.LDB, COuter: one})
	plan.part = part
	n, grain := plan.tasks()
	forEach(n, grain, func(slot, lo, hi int) { plan.run(ws, slot, lo, hi) })
	sumPartials(g.C[:one], sums.C, parts, one)
}
