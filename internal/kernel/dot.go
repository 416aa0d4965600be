package kernel

// dotJob is a block of dot products: C (+)= A·Bᵀ + biases, then ReLU, where row
// i of A and row j of B are made of runs of contiguous elements. Strides are in
// elements.
type dotJob[F Float] struct {
	n, runs int // elements in a run, runs in a product
	a       []F // run r of row i at i*rowA + r*runA
	rows    int
	rowA    int
	runA    int
	b       []F   // run r of row j at off[j] + r*runB
	off     []int // whole groups of dotGroup; what is beyond cols is not used
	cols    int
	runB    int
	c       []F // element (i, j) at i*rowC + j, j < cols
	rowC    int
	add     bool
	relu    bool
	biasM   []F // one a row, or nil
	biasN   []F // one a column, or nil
}

// dotGroup is the number of columns the assembly computes together; offsets for
// it come in whole groups.
const dotGroup = 4

func (t *dotJob[F]) run() {
	if t.rows == 0 || t.cols == 0 {
		return
	}
	if useSIMD[F]() {
		dot32(t)
		return
	}
	for i := range t.rows {
		for j, off := range t.off[:t.cols] {
			var s F
			for r := range t.runs {
				a := t.a[i*t.rowA+r*t.runA:]
				b := t.b[off+r*t.runB:]
				for p, v := range a[:t.n] {
					s += v * b[p]
				}
			}
			c := &t.c[i*t.rowC+j]
			*c = finish(s, t.add, t.relu, *c, valueOr(t.biasM, i, 0), valueOr(t.biasN, j, 0))
		}
	}
}
