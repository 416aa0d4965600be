package kernel

import "unsafe"

func copyRows32[F Float](dst []F, rowDst int, src []F, rowSrc, rows, cols int) {
	copyBlock(head(dst), 4*rowDst, head(src), 4*rowSrc, rows, cols)
}

func transpose32[F Float](dst []F, rowDst int, src []F, rowSrc, blocks int) {
	transpose8(head(dst), 4*rowDst, head(src), 4*rowSrc, blocks)
}

func gatherPanel32[F Float](g *gather, panel []F, cols int, image []F, off []int) {
	if simd == levelAVX512 {
		gatherRuns512(head(panel), 4*cols, head(image), unsafe.SliceData(off), len(off), &g.runs[0], g.n)
		return
	}
	gatherRuns256(head(panel), 4*cols, head(image), unsafe.SliceData(off), len(off), &g.runs[0], g.n)
}
