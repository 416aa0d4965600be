package nn

import "github.com/actually-robust-training/art/internal/kernel"

// Batch norm of rows [features]: the kernels for pictures walk one channel after
// the other, which for rows would read single elements far apart. These walk row
// by row, a range of columns for each core, and add up every column in the order
// of its rows.

// columnGrain is the number of columns of one unit of parallel work.
const columnGrain = 64

// rowStatistics computes mean and biased variance of each column of x [rows,
// cols]; sums is scratch of cols elements.
func rowStatistics[F kernel.Float](x, mean, variance []F, sums []float64, rows, cols int) {
	kernel.Parallel(cols, columnGrain, func(lo, hi int) {
		n, s := float64(rows), sums[lo:hi]
		clear(s)
		for i := range rows {
			for j, v := range x[i*cols+lo : i*cols+hi] {
				s[j] += float64(v)
			}
		}
		m := mean[lo:hi]
		for j := range s {
			m[j] = F(s[j] / n)
		}
		clear(s)
		for i := range rows {
			for j, v := range x[i*cols+lo : i*cols+hi] {
				d := float64(v - m[j])
				s[j] += d * d
			}
		}
		for j := range s {
			variance[lo+j] = F(s[j] / n)
		}
	})
}

// rowNormalise computes y = (x−mean)·invStd·scale + shift, then ReLU if asked to.
// line is scratch of 2·cols elements.
func rowNormalise[F kernel.Float](x, mean, invStd, scale, shift, y, line []F, rows, cols int, relu bool) {
	factor, offset := line[:cols], line[cols:2*cols]
	for j := range factor {
		factor[j] = invStd[j] * scale[j]
		offset[j] = shift[j] - mean[j]*factor[j]
	}
	kernel.Parallel(rows, max(1, 1<<13/cols), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			yi := y[i*cols : (i+1)*cols]
			for j, v := range x[i*cols : (i+1)*cols] {
				yi[j] = v*factor[j] + offset[j]
			}
		}
	})
	if relu {
		kernel.ReLU(y, y)
	}
}

// rowGradients computes the gradients of rowNormalise; dx, dscale and dshift may
// be nil. batch says that mean and invStd are functions of x. sums is scratch of
// 2·cols elements.
func rowGradients[F kernel.Float](x, mean, invStd, scale, dy, dx, dscale, dshift []F, sums []float64, rows, cols int, batch bool) {
	kernel.Parallel(cols, columnGrain, func(lo, hi int) {
		sum, dot := sums[lo:hi], sums[cols+lo:cols+hi] // of dy and of dy·(x−mean)
		clear(sum)
		clear(dot)
		for i := range rows {
			xi := x[i*cols+lo : i*cols+hi]
			for j, d := range dy[i*cols+lo : i*cols+hi] {
				sum[j] += float64(d)
				dot[j] += float64(d) * float64(xi[j]-mean[lo+j])
			}
		}
		for j := range sum {
			if dshift != nil {
				dshift[lo+j] = F(sum[j])
			}
			if dscale != nil {
				dscale[lo+j] = F(dot[j] * float64(invStd[lo+j]))
			}
		}
		if dx == nil {
			return
		}
		if !batch {
			clear(sum)
			clear(dot)
		}
		n := float64(rows)
		for i := range rows {
			xi, dxi := x[i*cols+lo:i*cols+hi], dx[i*cols+lo:i*cols+hi]
			for j, d := range dy[i*cols+lo : i*cols+hi] {
				s := invStd[lo+j]
				xhat := (xi[j] - mean[lo+j]) * s
				dxi[j] = scale[lo+j] * s * (d - F(sum[j]/n) - xhat*F(dot[j]*float64(s)/n))
			}
		}
	})
}
