package kernel

import "math"

// reduceGrain is the fixed block of a reduction: blocks are summed on their own
// and their sums added in order, whatever the number of threads.
const reduceGrain = 1 << 13

// reduce adds part over the blocks of [0, n), in order.
func reduce(n int, part func(lo, hi int) float64) float64 {
	if n <= reduceGrain {
		return part(0, n)
	}
	blocks := (n + reduceGrain - 1) / reduceGrain
	var local [64]float64
	sums := local[:]
	if blocks > len(local) {
		sums = make([]float64, blocks)
	}
	if n <= 4*reduceGrain {
		for b := range blocks {
			sums[b] = part(b*reduceGrain, min((b+1)*reduceGrain, n))
		}
	} else {
		Parallel(blocks, 1, func(lo, hi int) {
			for b := lo; b < hi; b++ {
				sums[b] = part(b*reduceGrain, min((b+1)*reduceGrain, n))
			}
		})
	}
	total := 0.0
	for _, s := range sums[:blocks] {
		total += s
	}
	return total
}

// Sum returns the sum of x, in an order that depends on len(x) alone.
func Sum[F Float](x []F) float64 {
	return reduce(len(x), func(lo, hi int) float64 { return sumPart(x[lo:hi]) })
}

func sumPart[F Float](x []F) float64 {
	if useSIMD[F]() && len(x) > 0 {
		var lanes [8]float32
		vecSum(head(x), len(x), &lanes[0])
		return sumLanes(&lanes)
	}
	var s [8]F
	i := 0
	for ; i+8 <= len(x); i += 8 {
		v := x[i : i+8 : i+8]
		for k := range s {
			s[k] += v[k]
		}
	}
	t := (float64(s[0]) + float64(s[4])) + (float64(s[1]) + float64(s[5])) +
		((float64(s[2]) + float64(s[6])) + (float64(s[3]) + float64(s[7])))
	for ; i < len(x); i++ {
		t += float64(x[i])
	}
	return t
}

// sumLanes adds the lanes of an assembly reduction.
func sumLanes(s *[8]float32) float64 {
	return (float64(s[0]) + float64(s[4])) + (float64(s[1]) + float64(s[5])) +
		((float64(s[2]) + float64(s[6])) + (float64(s[3]) + float64(s[7])))
}

// Dot returns the sum of x*y, in an order that depends on len(x) alone.
func Dot[F Float](x, y []F) float64 {
	same("Dot", len(x), len(y))
	return reduce(len(x), func(lo, hi int) float64 { return dotPart(x[lo:hi], y[lo:hi]) })
}

func dotPart[F Float](x, y []F) float64 {
	if useSIMD[F]() && len(x) > 0 {
		var lanes [8]float32
		vecDot(head(x), head(y), len(x), &lanes[0])
		return sumLanes(&lanes)
	}
	var s [8]F
	y = y[:len(x)]
	i := 0
	for ; i+8 <= len(x); i += 8 {
		a, b := x[i:i+8:i+8], y[i:i+8:i+8]
		for k := range s {
			s[k] += a[k] * b[k]
		}
	}
	t := (float64(s[0]) + float64(s[4])) + (float64(s[1]) + float64(s[5])) +
		((float64(s[2]) + float64(s[6])) + (float64(s[3]) + float64(s[7])))
	for ; i < len(x); i++ {
		t += float64(x[i] * y[i])
	}
	return t
}

// SumSquares returns the sum of x*x, in an order that depends on len(x) alone.
func SumSquares[F Float](x []F) float64 { return Dot(x, x) }

// Max returns the largest element; NaN if there is one, -Inf if x is empty.
func Max[F Float](x []F) F {
	if useSIMD[F]() && len(x) > 0 {
		var lanes [8]float32
		vecMax(head(x), len(x), &lanes[0])
		return F(maxOf(lanes[:]))
	}
	return maxOf(x)
}

func maxOf[F Float](x []F) F {
	best := F(math.Inf(-1))
	for _, v := range x {
		if v != v {
			return v
		}
		best = max(best, v)
	}
	return best
}

// sumTasks is the number of blocks that a gradient summed over images or rows is
// divided into: blocks are summed on their own and their sums added in order,
// whatever the number of threads.
const sumTasks = 8

// sumBlocks returns the length of a block of n images or rows, and how many there are.
func sumBlocks(n int) (block, tasks int) {
	block = max(1, (n+sumTasks-1)/sumTasks)
	return block, (n + block - 1) / block
}

// sumPartials sets dst to the sum of tasks vectors that start stride apart, in
// order.
func sumPartials[F Float](dst, partial []F, tasks, stride int) {
	Parallel(len(dst), vectorGrain/sumTasks, func(lo, hi int) {
		d := dst[lo:hi]
		clear(d)
		for t := range tasks {
			addPart(d, d, partial[t*stride+lo:t*stride+hi])
		}
	})
}

// ColSums sets dst[j] to the sum over i of x[i, j], for x [rows, cols]: the
// gradient of a bias along N. The order of additions depends on rows and cols alone.
// Tasks are rows, not columns: a core reads what it wrote as the producer of x.
func ColSums[F Float](ws *Workspace, dst, x []F, rows, cols int) {
	need("ColSums", "dst", dst, cols)
	need("ColSums", "x", x, rows*cols)
	dst = dst[:cols]
	if rows*cols < 2*vectorGrain {
		addRows(dst, x[:rows*cols])
		return
	}
	block, tasks := sumBlocks(rows)
	partial := sharedBuf[F](ws, bufPartial, tasks*cols)
	forEach(tasks, 1, func(_, lo, hi int) {
		for t := lo; t < hi; t++ {
			addRows(partial[t*cols:(t+1)*cols], x[t*block*cols:min((t+1)*block, rows)*cols])
		}
	})
	sumPartials(dst, partial, tasks, cols)
}

// addRows sets sum to the sum of the rows of x, each as long as sum.
func addRows[F Float](sum, x []F) {
	clear(sum)
	for n := len(sum); len(x) > 0; x = x[n:] {
		addPart(sum, sum, x[:n])
	}
}

// RowSums sets dst[i] to the sum over j of x[i, j], for x [rows, cols].
func RowSums[F Float](dst, x []F, rows, cols int) {
	need("RowSums", "dst", dst, rows)
	need("RowSums", "x", x, rows*cols)
	Parallel(rows, max(1, vectorGrain/max(cols, 1)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			dst[i] = F(sumPart(x[i*cols : (i+1)*cols]))
		}
	})
}

// AddRow computes dst[i, j] = x[i, j] + row[j] for x [rows, cols].
func AddRow[F Float](dst, x, row []F, rows, cols int) {
	need("AddRow", "dst", dst, rows*cols)
	need("AddRow", "x", x, rows*cols)
	need("AddRow", "row", row, cols)
	Parallel(rows, max(1, vectorGrain/max(cols, 1)), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			addPart(dst[i*cols:(i+1)*cols], x[i*cols:(i+1)*cols], row[:cols])
		}
	})
}
