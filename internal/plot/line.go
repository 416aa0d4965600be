package plot

import (
	"fmt"
	"io"
	"math"
)

// Series is one named sequence of points.
type Series struct {
	Name string    // in the legend; without any names there is no legend
	X    []float64 // nil counts 0, 1, 2, …; else as long as Y
	Y    []float64
}

func (s Series) at(i int) (x, y float64) {
	if s.X == nil {
		return float64(i), s.Y[i]
	}
	return s.X[i], s.Y[i]
}

// Line is a chart of curves, such as losses over iterations. Points are joined
// in the order given. A series of more points than the picture has pixel columns
// is thinned: of neighbours in one column the first, the last, the least and the
// greatest are kept, so no spike is lost.
type Line struct {
	Title, XLabel, YLabel string
	LogY                  bool     // logarithmic y axis; values not above zero leave gaps
	Series                []Series // any number, each of any length
	Width, Height         int      // pixels, 0 for 900 and 560
}

// SVG writes the chart as SVG. It fails if X and Y of a series differ in length,
// the size is unreasonable, or w fails.
func (l Line) SVG(w io.Writer) error { return writeSVG(w, l) }

// PNG writes the chart as PNG; errors are those of SVG.
func (l Line) PNG(w io.Writer) error { return writePNG(w, l) }

func (l Line) size() (int, int) { return orDefault(l.Width, l.Height) }

func (l Line) check() error {
	for i, s := range l.Series {
		if s.X != nil && len(s.X) != len(s.Y) {
			return fmt.Errorf("line %q: series %d %q has %d X and %d Y: give as many, or no X", l.Title, i, s.Name, len(s.X), len(s.Y))
		}
	}
	return checkSize(l.Width, l.Height)
}

func (l Line) draw(c *canvas) {
	var xs, ys span
	xs.whole = true
	notFinite, notPositive := 0, 0
	for _, s := range l.Series {
		for i := range s.Y {
			x, y := s.at(i)
			switch {
			case !drawable(x, false) || !drawable(y, false):
				notFinite++
			case !drawable(y, l.LogY):
				notPositive++
			default:
				xs.add(x)
				ys.add(y)
			}
		}
	}
	f := newFrame(c, words{title: l.Title, note: leftOut(notFinite, notPositive), xLabel: l.XLabel, yLabel: l.YLabel, legend: legendOf(l.Series)},
		func(width int) axis { return linearAxis(xs, ticksOn(width, 90), 0) },
		func(height int) axis { return valueAxis(ys, height, l.LogY) })
	if !ys.any {
		f.noData()
		return
	}
	for i, s := range l.Series {
		f.drawSeries(s, i, l.LogY)
	}
}

// valueAxis is the vertical axis of a chart height pixels high.
func valueAxis(s span, height int, log bool) axis {
	if log {
		return logAxis(s, ticksOn(height, 40))
	}
	return linearAxis(s, ticksOn(height, 50), 0.05)
}

// legendOf returns the names of the series, nil if none has one.
func legendOf(series []Series) []string {
	var names []string
	named := false
	for i, s := range series {
		name := s.Name
		if name == "" {
			name = fmt.Sprintf("series %d", i+1)
		}
		named = named || s.Name != ""
		names = append(names, name)
	}
	if !named {
		return nil
	}
	return names
}

// drawSeries draws the stretches of a series between its gaps. A stretch of one
// point is a dot, and so is every point of a short series.
func (f frame) drawSeries(s Series, index int, log bool) {
	color, dash := seriesColor(index)
	markers := len(s.Y) <= 40
	var stretch []point
	flush := func() {
		if len(stretch) > 1 {
			f.c.line(color, 2, dash, thin(stretch)...)
		}
		if len(stretch) == 1 || markers {
			for _, p := range stretch {
				f.c.dot(p, 3, color)
			}
		}
		stretch = stretch[:0]
	}
	for i := range s.Y {
		x, y := s.at(i)
		if !drawable(x, false) || !drawable(y, log) {
			flush()
			continue
		}
		stretch = append(stretch, point{f.px(x), f.py(y)})
	}
	flush()
}

// thin keeps, of each run of points in one pixel column, the first, the last and
// the two extremes, in their order.
func thin(points []point) []point {
	var out []point
	for start := 0; start < len(points); {
		end, lowest, highest := start, start, start
		for ; end < len(points) && points[end].x == points[start].x; end++ {
			if points[end].y < points[lowest].y {
				lowest = end
			}
			if points[end].y > points[highest].y {
				highest = end
			}
		}
		last := math.MinInt
		for _, i := range []int{start, min(lowest, highest), max(lowest, highest), end - 1} {
			if i != last && (last == math.MinInt || points[i] != points[last]) {
				out = append(out, points[i])
			}
			last = i
		}
		start = end
	}
	return out
}
