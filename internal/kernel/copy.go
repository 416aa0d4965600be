package kernel

// copyRows copies a [rows, cols] block between matrices with the given
// distances between their rows.
func copyRows[F Float](dst []F, rowDst int, src []F, rowSrc, rows, cols int) {
	if useSIMD[F]() && rows > 0 && cols > 0 {
		copyRows32(dst, rowDst, src, rowSrc, rows, cols)
		return
	}
	for i := range rows {
		copy(dst[i*rowDst:i*rowDst+cols], src[i*rowSrc:i*rowSrc+cols])
	}
}

// transpose sets dst[j, i] = src[i, j] for a [rows, cols] block of src.
func transpose[F Float](dst []F, rowDst int, src []F, rowSrc, rows, cols int) {
	i := 0
	if useSIMD[F]() && cols >= 8 {
		for ; i+8 <= rows; i += 8 {
			transpose32(dst[i:], rowDst, src[i*rowSrc:], rowSrc, cols/8)
			transposeEdge(dst[i:], rowDst, src[i*rowSrc:], rowSrc, 0, 8, cols&^7, cols)
		}
	}
	transposeEdge(dst, rowDst, src, rowSrc, i, rows, 0, cols)
}

func transposeEdge[F Float](dst []F, rowDst int, src []F, rowSrc, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		for j := j0; j < j1; j++ {
			dst[j*rowDst+i] = src[i*rowSrc+j]
		}
	}
}
