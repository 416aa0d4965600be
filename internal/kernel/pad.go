package kernel

// padding lays the planes of an image out for a convolution: with a border, and
// with rows and columns of equal remainder modulo the stride together (a phase).
// Then every filter tap is one constant offset, and neighbouring outputs read
// neighbouring elements, whatever the stride, padding and dilation.
//
// Position (h, w) of the bordered plane is at
// ((h%sh*sw + w%sw)*rows + h/sh)*cols + w/sw, rows and cols those of a phase.
type padding struct {
	planes, h, w int // source
	top, left    int // border; negative crops
	sh, sw       int // strides
	rows, cols   int // of one phase
	slack        int // zeros after the last plane, for reads beyond a row
}

// newPadding lays out planes of h by w for windows that reach over height by
// width bordered positions.
func newPadding(planes, h, w, top, left, height, width, sh, sw int) padding {
	return padding{
		planes: planes, h: h, w: w, top: top, left: left, sh: sh, sw: sw,
		rows: (height + sh - 1) / sh, cols: (width + sw - 1) / sw, slack: width + 32,
	}
}

func (p *padding) plane() int { return p.sh * p.sw * p.rows * p.cols }

// size is the number of elements of the laid out image.
func (p *padding) size() int { return p.planes*p.plane() + p.slack }

// offset returns where position (h, w) of the bordered plane c is.
func (p *padding) offset(c, h, w int) int {
	return c*p.plane() + ((h%p.sh*p.sw+w%p.sw)*p.rows+h/p.sh)*p.cols + w/p.sw
}

// fill lays out one image.
func fillPadded[F Float](p *padding, dst, src []F) {
	clear(dst[:p.size()])
	// source rows and columns that lie in the bordered plane
	h0, h1 := max(0, -p.top), min(p.h, p.rows*p.sh-p.top)
	w0, w1 := max(0, -p.left), min(p.w, p.cols*p.sw-p.left)
	if h0 >= h1 || w0 >= w1 {
		return
	}
	for c := range p.planes {
		x := src[c*p.h*p.w : (c+1)*p.h*p.w]
		if p.sh == 1 && p.sw == 1 {
			copyRows(dst[p.offset(c, h0+p.top, w0+p.left):], p.cols, x[h0*p.w+w0:], p.w, h1-h0, w1-w0)
			continue
		}
		for h := h0; h < h1; h++ {
			for w := w0; w < w1; w++ {
				dst[p.offset(c, h+p.top, w+p.left)] = x[h*p.w+w]
			}
		}
	}
}
