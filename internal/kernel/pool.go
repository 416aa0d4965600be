package kernel

import "fmt"

// Pool is the geometry of a 2-D pooling: x [N, C, H, W] to y [N, C, OutH, OutW].
type Pool struct {
	N, C, H, W int
	// Window size in pixels.
	KH, KW int
	// Distance in pixels between two windows; 0 means the window size.
	StrideH, StrideW int
	// Border added on each of the two sides, at most half a window. Maxima
	// never choose it; averages count it as zeros unless ExcludePad is set.
	PadH, PadW int
	// ExcludePad divides averages by the number of real pixels in the window
	// instead of KH*KW.
	ExcludePad bool
}

// GlobalPool returns the geometry whose one window covers the whole image.
func GlobalPool(n, c, h, w int) Pool { return Pool{N: n, C: c, H: h, W: w, KH: h, KW: w} }

// OutH returns the height of the output; below 1 if the window does not fit.
func (g Pool) OutH() int { return outSize(g.H, g.KH, orElse(g.StrideH, g.KH), g.PadH, 1) }

// OutW returns the width of the output; below 1 if the window does not fit.
func (g Pool) OutW() int { return outSize(g.W, g.KW, orElse(g.StrideW, g.KW), g.PadW, 1) }

func orElse(v, fallback int) int {
	if v == 0 {
		return fallback
	}
	return v
}

// Check returns an error that names what is wrong with the geometry, or nil.
func (g Pool) Check() error {
	switch {
	case g.N < 0 || g.C < 1 || g.H < 1 || g.W < 1:
		return fmt.Errorf("pool input [%d, %d, %d, %d] (N, C, H, W) has an empty dimension", g.N, g.C, g.H, g.W)
	case g.KH < 1 || g.KW < 1:
		return fmt.Errorf("pool window %dx%d is empty", g.KH, g.KW)
	case min(g.StrideH, g.StrideW, g.PadH, g.PadW) < 0:
		return fmt.Errorf("pool stride %dx%d or pad %dx%d is negative", g.StrideH, g.StrideW, g.PadH, g.PadW)
	case 2*g.PadH > g.KH || 2*g.PadW > g.KW:
		return fmt.Errorf("pool pad %dx%d is more than half the window %dx%d", g.PadH, g.PadW, g.KH, g.KW)
	case g.OutH() < 1 || g.OutW() < 1:
		return fmt.Errorf("pool window %dx%d does not fit into %dx%d pixels with pad %dx%d",
			g.KH, g.KW, g.H, g.W, g.PadH, g.PadW)
	}
	return nil
}

func mustPool[F Float](op string, g Pool, x, y []F) {
	if err := g.Check(); err != nil {
		panic("kernel: " + op + ": " + err.Error())
	}
	need(op, "x", x, g.N*g.C*g.H*g.W)
	need(op, "y", y, g.N*g.C*g.OutH()*g.OutW())
}

// span is the part of one dimension that window i covers, clipped to the image.
func span(i, stride, pad, kernel, size int) (lo, hi int) {
	lo = i*stride - pad
	return max(lo, 0), min(lo+kernel, size)
}

// planeGrain is the number of image planes in one unit of parallel work.
func (g Pool) planeGrain() int { return max(1, (1<<14)/(g.H*g.W)) }

// MaxPoolForward sets y to the maximum of each window. argmax, unless nil, gets
// for each output the position of that maximum in its input plane, in
// [0, H*W), or -1 if relu clipped it. The first of equal maxima counts; a NaN
// is larger than any number. relu applies ReLU to the result, which equals
// pooling ReLU(x).
func MaxPoolForward[F Float](g Pool, x, y []F, argmax []int32, relu bool) {
	mustPool("MaxPoolForward", g, x, y)
	if argmax != nil {
		need("MaxPoolForward", "argmax", argmax, g.N*g.C*g.OutH()*g.OutW())
	}
	oh, ow := g.OutH(), g.OutW()
	in, out := g.H*g.W, oh*ow
	fast := useSIMD[F]() && g.quarters()
	Parallel(g.N*g.C, g.planeGrain(), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			xp, yp := x[p*in:(p+1)*in], y[p*out:(p+1)*out]
			var am []int32
			if argmax != nil {
				am = argmax[p*out : (p+1)*out]
			}
			if fast {
				maxPoolPlane32(yp, am, xp, g.W, oh, ow, relu)
			} else {
				maxPoolPlane(&g, xp, yp, am, relu)
			}
		}
	})
}

// quarters reports whether the windows are 2x2, side by side and without a
// border, for which there is assembly.
func (g Pool) quarters() bool {
	return g.KH == 2 && g.KW == 2 && orElse(g.StrideH, 2) == 2 && orElse(g.StrideW, 2) == 2 && g.PadH == 0 && g.PadW == 0
}

func maxPoolPlane[F Float](g *Pool, x, y []F, argmax []int32, relu bool) {
	oh, ow := g.OutH(), g.OutW()
	sh, sw := orElse(g.StrideH, g.KH), orElse(g.StrideW, g.KW)
	for i := range oh {
		h0, h1 := span(i, sh, g.PadH, g.KH, g.H)
		for j := range ow {
			w0, w1 := span(j, sw, g.PadW, g.KW, g.W)
			at := windowMax(x, g.W, h0, h1, w0, w1)
			v := x[at]
			if relu && v <= 0 {
				v, at = 0, -1
			}
			y[i*ow+j] = v
			if argmax != nil {
				argmax[i*ow+j] = int32(at)
			}
		}
	}
}

// windowMax returns the position of the first maximum in rows [h0, h1) and
// columns [w0, w1); the first NaN wins.
func windowMax[F Float](x []F, width, h0, h1, w0, w1 int) int {
	at := h0*width + w0
	best := x[at]
	for h := h0; h < h1; h++ {
		for k, v := range x[h*width+w0 : h*width+w1] {
			if !(v <= best) && best == best {
				best, at = v, h*width+w0+k
			}
		}
	}
	return at
}

// MaxPoolBackward computes dx from dy and the positions MaxPoolForward wrote.
func MaxPoolBackward[F Float](g Pool, dy []F, argmax []int32, dx []F) {
	mustPool("MaxPoolBackward", g, dx, dy)
	oh, ow := g.OutH(), g.OutW()
	in, out := g.H*g.W, oh*ow
	need("MaxPoolBackward", "argmax", argmax, g.N*g.C*out)
	fast := useSIMD[F]() && g.quarters()
	covers := fast && (g.H|g.W)&1 == 0 // the assembly writes every pixel
	Parallel(g.N*g.C, g.planeGrain(), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			dyp, am, dxp := dy[p*out:(p+1)*out], argmax[p*out:(p+1)*out], dx[p*in:(p+1)*in]
			if !covers {
				clear(dxp)
			}
			if fast {
				maxPoolPlaneBackward32(dxp, am, dyp, g.W, oh, ow)
			} else {
				scatter(dxp, am, dyp)
			}
		}
	})
}

// scatter adds each gradient to the position its maximum came from.
func scatter[F Float](dx []F, argmax []int32, dy []F) {
	for i, at := range argmax {
		if at >= 0 {
			dx[at] += dy[i]
		}
	}
}

// AvgPoolForward sets y to the mean of each window.
func AvgPoolForward[F Float](g Pool, x, y []F) {
	mustPool("AvgPoolForward", g, x, y)
	in, out := g.H*g.W, g.OutH()*g.OutW()
	Parallel(g.N*g.C, g.planeGrain(), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			xp, yp := x[p*in:(p+1)*in], y[p*out:(p+1)*out]
			g.eachWindow(func(at, h0, h1, w0, w1 int, count float64) {
				var s F
				for h := h0; h < h1; h++ {
					for _, v := range xp[h*g.W+w0 : h*g.W+w1] {
						s += v
					}
				}
				yp[at] = s / F(count)
			})
		}
	})
}

// AvgPoolBackward computes dx from dy.
func AvgPoolBackward[F Float](g Pool, dy, dx []F) {
	mustPool("AvgPoolBackward", g, dx, dy)
	in, out := g.H*g.W, g.OutH()*g.OutW()
	Parallel(g.N*g.C, g.planeGrain(), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			dxp, dyp := dx[p*in:(p+1)*in], dy[p*out:(p+1)*out]
			clear(dxp)
			g.eachWindow(func(at, h0, h1, w0, w1 int, count float64) {
				d := dyp[at] / F(count)
				for h := h0; h < h1; h++ {
					row := dxp[h*g.W+w0 : h*g.W+w1]
					for k := range row {
						row[k] += d
					}
				}
			})
		}
	})
}

// eachWindow calls fn for each output position of a plane with the window,
// clipped to the image, and the divisor of its mean.
func (g Pool) eachWindow(fn func(at, h0, h1, w0, w1 int, count float64)) {
	oh, ow := g.OutH(), g.OutW()
	sh, sw := orElse(g.StrideH, g.KH), orElse(g.StrideW, g.KW)
	for i := range oh {
		h0, h1 := span(i, sh, g.PadH, g.KH, g.H)
		for j := range ow {
			w0, w1 := span(j, sw, g.PadW, g.KW, g.W)
			count := g.KH * g.KW
			if g.ExcludePad {
				count = (h1 - h0) * (w1 - w0)
			}
			fn(i*ow+j, h0, h1, w0, w1, float64(count))
		}
	}
}
