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
		for k := 0; k < len(off); k += gatherDepth {
			part := off[k:min(k+gatherDepth, len(off))]
			gatherRuns512(head(panel[k*cols:]), 4*cols, head(image), unsafe.SliceData(part), len(part), &g.runs[0].from, g.n)
		}
		return
	}
	gatherRuns256(head(panel), 4*cols, head(image), unsafe.SliceData(off), len(off), &g.runs[0].from, g.n)
}

// gatherDepth is the number of offsets whose part of a panel is written
// together: it stays in the first-level cache from run to run.
const gatherDepth = 64
