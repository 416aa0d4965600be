package datasets

import (
	"math"
	"math/rand/v2"
)

// distortion is a random change of shape. Every product is rounded by a
// conversion, so that no compiler fuses it with the sum that follows: results
// are the same on all architectures.
type distortion struct {
	xx, xy, yx, yy float64 // pixels for one unit of outline
	dx, dy         float64 // centre of the picture, in pixels
	bend           [4]float64
	weight         float64 // pixels added on each side of a stroke
}

// newDistortion draws a distortion of the given strength, 0 for none.
func newDistortion(r *rand.Rand, size int, strength float64) distortion {
	draw := func(spread float64) float64 { return float64(strength * spread * (2*r.Float64() - 1)) }
	pixels := float64(size)
	scale := 0.6 * pixels * (1 + draw(0.15)) // 0.6: height of a capital in pictures
	width, slant := 1+draw(0.2), draw(0.25)
	// (1−t²)/(1+t²) and 2t/(1+t²) are cosine and sine of 2·atan t: a rotation
	// without the functions of the library, which differ in the last bit.
	t := draw(0.15)
	cos, sin := (1-float64(t*t))/(1+float64(t*t)), 2*t/(1+float64(t*t))
	d := distortion{
		xx: scale * width * cos, xy: scale * (float64(slant*cos) - sin),
		yx: scale * width * sin, yy: scale * (float64(slant*sin) + cos),
		dx: pixels/2 + draw(0.07*pixels), dy: pixels/2 + draw(0.07*pixels),
		weight: pixels / 28 * (float64(0.15*strength) + draw(0.3)),
	}
	for i := range d.bend {
		d.bend[i] = draw(0.2)
	}
	return d
}

// apply bends an outline of unit height, maps it to pixels and moves its edges
// outward by the weight. The result is in 1/256 pixel.
func (d distortion) apply(o outline) [][]point {
	out := make([][]point, len(o))
	for i, contour := range o {
		moved := make([]vector, len(contour))
		for j, p := range contour {
			x := p.x + float64(d.bend[0]*p.y*p.y) + float64(d.bend[1]*p.x*p.y)
			y := p.y + float64(d.bend[2]*p.x*p.x) + float64(d.bend[3]*p.x*p.y)
			moved[j] = vector{
				d.dx + float64(d.xx*x) + float64(d.xy*y),
				d.dy + float64(d.yx*x) + float64(d.yy*y),
			}
		}
		out[i] = make([]point, len(moved))
		for j, p := range moved {
			n := normal(moved[(j+len(moved)-1)%len(moved)], moved[(j+1)%len(moved)])
			out[i][j] = point{
				int(math.RoundToEven(256 * (p.x + float64(d.weight*n.x)))),
				int(math.RoundToEven(256 * (p.y + float64(d.weight*n.y)))),
			}
		}
	}
	return out
}

// normal is the unit vector that points out of the ink at the point between two
// others of a contour. TrueType contours have the ink on the right where
// y goes up, so on the left here, where y goes down.
func normal(before, after vector) vector {
	dx, dy := after.x-before.x, after.y-before.y
	length := math.Sqrt(float64(dx*dx) + float64(dy*dy))
	if length == 0 {
		return vector{}
	}
	return vector{dy / length, -dx / length}
}

// rasterize fills contours given in 1/256 pixel by the non-zero rule and writes
// the covered share of each of size×size pixels, 0 to 1. Four lines a pixel are
// sampled, along which coverage is exact.
func rasterize(contours [][]point, size int, pixels []float32) {
	const lines, unit = 4, 256
	covered := make([]int, size*size) // in 1/(lines·unit)
	var crossings []crossing
	for line := range size * lines {
		y := line*unit/lines + unit/lines/2
		crossings = crossings[:0]
		for _, c := range contours {
			for i, a := range c {
				crossings = cross(crossings, a, c[(i+1)%len(c)], y)
			}
		}
		sortCrossings(crossings)
		winding := 0
		row := covered[line/lines*size:][:size]
		for i, c := range crossings {
			if winding != 0 {
				fillSpan(row, max(crossings[i-1].x, 0), min(c.x, size*unit))
			}
			winding += c.direction
		}
	}
	for i, c := range covered {
		pixels[i] = float32(c) / (lines * unit)
	}
}

// crossing is where an edge meets a line: +1 going down, −1 going up.
type crossing struct{ x, direction int }

func cross(to []crossing, a, b point, y int) []crossing {
	direction := 1
	if a.y > b.y {
		a, b, direction = b, a, -1
	}
	if y < a.y || y >= b.y {
		return to
	}
	return append(to, crossing{a.x + int(int64(y-a.y)*int64(b.x-a.x)/int64(b.y-a.y)), direction})
}

// sortCrossings sorts the few crossings of a line by insertion.
func sortCrossings(c []crossing) {
	for i := 1; i < len(c); i++ {
		for j := i; j > 0 && c[j].x < c[j-1].x; j-- {
			c[j], c[j-1] = c[j-1], c[j]
		}
	}
}

// fillSpan adds the part of a line from lo to hi, in 1/256 pixel, to the pixels
// below it.
func fillSpan(row []int, lo, hi int) {
	for lo < hi {
		end := min(hi, (lo/256+1)*256)
		row[lo/256] += end - lo
		lo = end
	}
}
