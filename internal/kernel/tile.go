package kernel

// tileJob is a strip of a matrix product: all rows of C for at most one tile's
// width of columns, C (+)= A·B + biases, then ReLU. Strides are in elements.
type tileJob[F Float] struct {
	k          int
	a          []F // element (i, p) at i*rowA + p*colA
	rowA, colA int
	rows       int
	b          []F // element (p, j) at p*rowB + j
	rowB       int
	c          []F // element (i, j) at i*rowC + j
	rowC       int
	cols       int // 1 to the tiling's cols
	add, relu  bool
	biasM      []F // one a row, or nil
	biasN      []F // one a column, or nil
}

func (t *tileJob[F]) run() {
	if useSIMD[F]() {
		tile32(t)
		return
	}
	for i := 0; i < t.rows; i += 4 {
		for j := 0; j < t.cols; j += 4 {
			if i+4 <= t.rows && j+4 <= t.cols {
				t.full4x4(i, j)
			} else {
				t.edge(i, min(i+4, t.rows), j, min(j+4, t.cols))
			}
		}
	}
}

// full4x4 computes a whole tile of 4 rows and 4 columns in local variables.
func (t *tileJob[F]) full4x4(i, j int) {
	var s [4][4]F
	var c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33 F
	a, ra := t.a[i*t.rowA:], t.rowA
	at, bt := 0, j
	for range t.k {
		b := t.b[bt : bt+4 : bt+4]
		b0, b1, b2, b3 := b[0], b[1], b[2], b[3]
		v := a[at]
		c00, c01, c02, c03 = c00+v*b0, c01+v*b1, c02+v*b2, c03+v*b3
		v = a[at+ra]
		c10, c11, c12, c13 = c10+v*b0, c11+v*b1, c12+v*b2, c13+v*b3
		v = a[at+2*ra]
		c20, c21, c22, c23 = c20+v*b0, c21+v*b1, c22+v*b2, c23+v*b3
		v = a[at+3*ra]
		c30, c31, c32, c33 = c30+v*b0, c31+v*b1, c32+v*b2, c33+v*b3
		at += t.colA
		bt += t.rowB
	}
	s[0] = [4]F{c00, c01, c02, c03}
	s[1] = [4]F{c10, c11, c12, c13}
	s[2] = [4]F{c20, c21, c22, c23}
	s[3] = [4]F{c30, c31, c32, c33}
	for r := range s {
		for q, v := range s[r] {
			t.store(i+r, j+q, v)
		}
	}
}

// edge computes what is left at the borders, element by element.
func (t *tileJob[F]) edge(i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		for j := j0; j < j1; j++ {
			var s F
			for p := range t.k {
				s += t.a[i*t.rowA+p*t.colA] * t.b[p*t.rowB+j]
			}
			t.store(i, j, s)
		}
	}
}

// store finishes element (i, j) of C.
func (t *tileJob[F]) store(i, j int, v F) {
	c := &t.c[i*t.rowC+j]
	*c = finish(v, t.add, t.relu, *c, valueOr(t.biasM, i, 0), valueOr(t.biasN, j, 0))
}

func finish[F Float](v F, add, relu bool, old, biasM, biasN F) F {
	if add {
		v += old
	}
	v += biasM
	v += biasN
	if relu && v <= 0 {
		v = 0
	}
	return v
}
