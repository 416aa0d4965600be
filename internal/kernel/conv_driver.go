package kernel

// eachTap calls fn with the flat positions in image, filter and output of every
// product of image n's convolution with filter oc.
func eachTap(g Conv, oc int, fn func(xi, wi, yi int)) {
	oh, ow := g.OutH(), g.OutW()
	for c := range g.C {
		for kh := range g.KH {
			for kw := range g.KW {
				wi := ((oc*g.C+c)*g.KH+kh)*g.KW + kw
				for i := range oh {
					h := i*g.StrideH + kh*g.DilH - g.PadH
					if h < 0 || h >= g.H {
						continue
					}
					for j := range ow {
						if w := j*g.StrideW + kw*g.DilW - g.PadW; w >= 0 && w < g.W {
							fn((c*g.H+h)*g.W+w, wi, (oc*oh+i)*ow+j)
						}
					}
				}
			}
		}
	}
}

func convForward[F Float](_ *Workspace, g Conv, x, w, bias, y []F, relu bool) {
	in, plane := g.C*g.H*g.W, g.OutH()*g.OutW()
	Parallel(g.N, 1, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			xn, yn := x[n*in:(n+1)*in], y[n*g.OutC*plane:(n+1)*g.OutC*plane]
			clear(yn)
			for oc := range g.OutC {
				eachTap(g, oc, func(xi, wi, yi int) { yn[yi] += xn[xi] * w[wi] })
				for p := oc * plane; p < (oc+1)*plane; p++ {
					if bias != nil {
						yn[p] += bias[oc]
					}
					if relu && yn[p] <= 0 {
						yn[p] = 0
					}
				}
			}
		}
	})
}

func convBackwardInput[F Float](_ *Workspace, g Conv, dy, w, dx []F) {
	in, out := g.C*g.H*g.W, g.OutC*g.OutH()*g.OutW()
	Parallel(g.N, 1, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			dxn, dyn := dx[n*in:(n+1)*in], dy[n*out:(n+1)*out]
			clear(dxn)
			for oc := range g.OutC {
				eachTap(g, oc, func(xi, wi, yi int) { dxn[xi] += dyn[yi] * w[wi] })
			}
		}
	})
}

func convBackwardWeights[F Float](_ *Workspace, g Conv, x, dy, dw, db []F) {
	in, plane := g.C*g.H*g.W, g.OutH()*g.OutW()
	out, filter := g.OutC*plane, g.C*g.KH*g.KW
	Parallel(g.OutC, 1, func(lo, hi int) {
		for oc := lo; oc < hi; oc++ {
			clear(dw[oc*filter : (oc+1)*filter])
			var sum F
			for n := range g.N {
				xn, dyn := x[n*in:(n+1)*in], dy[n*out:(n+1)*out]
				eachTap(g, oc, func(xi, wi, yi int) { dw[wi] += dyn[yi] * xn[xi] })
				for _, v := range dyn[oc*plane : (oc+1)*plane] {
					sum += v
				}
			}
			if db != nil {
				db[oc] = sum
			}
		}
	})
}
