package kernel

import "fmt"

// GemmArgs describes C = act(op(A)·op(B) + bias), or C += … with Accumulate.
// op(A) is [M, K], op(B) is [K, N], C is [M, N]. C must not overlap A or B.
type GemmArgs[F Float] struct {
	M, N, K int
	// A is stored [M, K], or [K, M] with TransA; LDA is the distance between
	// the starts of its stored rows (0 = rows touch). B and C likewise.
	A      []F
	LDA    int
	TransA bool
	B      []F
	LDB    int
	TransB bool
	C      []F
	LDC    int
	// Accumulate adds to C instead of overwriting it.
	Accumulate bool
	// BiasN, of length N, is added to every row; BiasM, of length M, to every
	// column. nil means none.
	BiasN, BiasM []F
	// ReLU replaces each result v by v if v > 0 or NaN, else 0, after the bias.
	ReLU bool
}

// Gemm computes the matrix product that g describes. K = 0 gives the bias
// alone. It panics if a slice is too short for its shape.
func Gemm[F Float](ws *Workspace, g GemmArgs[F]) {
	g.defaults()
	g.check(0, 0, 0)
	gemm(ws, &g, Batch{Outer: 1, Inner: 1})
}

// Batch says where the matrices of a batched product lie. Matrix (i, j), with
// i < Outer and j < Inner, starts at element i*AOuter + j*AInner of A, and so
// on for B and C: attention reads its heads in place with Outer the sequences
// and Inner the heads. Matrices of C must not overlap one another.
type Batch struct {
	Outer, Inner                                   int
	AOuter, AInner, BOuter, BInner, COuter, CInner int
}

// GemmBatch computes Outer*Inner products of the shape g describes, on several
// cores. The biases are shared by all products.
func GemmBatch[F Float](ws *Workspace, g GemmArgs[F], b Batch) {
	if b.Outer <= 0 || b.Inner <= 0 {
		return
	}
	g.defaults()
	o, i := b.Outer-1, b.Inner-1
	g.check(o*b.AOuter+i*b.AInner, o*b.BOuter+i*b.BInner, o*b.COuter+i*b.CInner)
	gemm(ws, &g, b)
}

func (g *GemmArgs[F]) defaults() {
	g.LDA = leading(g.LDA, g.TransA, g.M, g.K)
	g.LDB = leading(g.LDB, g.TransB, g.K, g.N)
	if g.LDC == 0 {
		g.LDC = g.N
	}
}

// leading returns ld, or the length of a stored row of a [rows, cols] operand.
func leading(ld int, trans bool, rows, cols int) int {
	switch {
	case ld != 0:
		return ld
	case trans:
		return rows
	default:
		return cols
	}
}

// check panics unless the operands that start at the given offsets fit.
func (g *GemmArgs[F]) check(offA, offB, offC int) {
	if g.M < 0 || g.N < 0 || g.K < 0 {
		panic(fmt.Sprintf("kernel: Gemm: negative size M=%d N=%d K=%d", g.M, g.N, g.K))
	}
	g.checkOperand("A", g.A, offA, g.LDA, g.TransA, g.M, g.K)
	g.checkOperand("B", g.B, offB, g.LDB, g.TransB, g.K, g.N)
	g.checkOperand("C", g.C, offC, g.LDC, false, g.M, g.N)
	if g.BiasN != nil {
		need("Gemm", "BiasN", g.BiasN, g.N)
	}
	if g.BiasM != nil {
		need("Gemm", "BiasM", g.BiasM, g.M)
	}
}

func (g *GemmArgs[F]) checkOperand(name string, x []F, off, ld int, trans bool, rows, cols int) {
	if trans {
		rows, cols = cols, rows
	}
	if rows == 0 || cols == 0 {
		return
	}
	if ld < cols {
		panic(fmt.Sprintf("kernel: Gemm: LD%s is %d, but a stored row of %s has %d elements", name, ld, name, cols))
	}
	need("Gemm", name, x, off+(rows-1)*ld+cols)
}

// strides returns the distance between rows and between columns of op(X).
func strides(ld int, trans bool) (row, col int) {
	if trans {
		return 1, ld
	}
	return ld, 1
}
