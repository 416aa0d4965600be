package kernel

// dotJob is a block of dot products: C (+)= A·Bᵀ + biases, then ReLU, with the
// rows of A and B contiguous. Strides are in elements.
type dotJob[F Float] struct {
	n     int // elements in a product
	a     []F // row i at i*rowA
	rows  int
	rowA  int
	b     []F   // row j at off[j]
	off   []int // whole groups of dotGroup; what is beyond cols must be valid but is not used
	cols  int
	c     []F // element (i, j) at i*rowC + j
	rowC  int
	add   bool
	relu  bool
	biasM []F // one a row, or nil
	biasN []F // one a column, or nil
}

// dotGroup is the number of columns the assembly computes together.
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
		a := t.a[i*t.rowA:][:t.n]
		for j, off := range t.off[:t.cols] {
			b := t.b[off:][:t.n]
			var s F
			for p, v := range a {
				s += v * b[p]
			}
			c := &t.c[i*t.rowC+j]
			*c = finish(s, t.add, t.relu, *c, valueOr(t.biasM, i, 0), valueOr(t.biasN, j, 0))
		}
	}
}
