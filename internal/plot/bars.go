package plot

import (
	"fmt"
	"io"
	"math"
)

// BarSeries is one bar for each label.
type BarSeries struct {
	Name   string    // in the legend; without any names there is no legend
	Values []float64 // one a label
}

// Bars compares values of categories, such as the number of images of each
// class. Several series stand side by side. Values are written on the bars where
// there is room.
type Bars struct {
	Title, XLabel, YLabel string
	Labels                []string // one a category; long ones are turned, and thinned out if they are many
	Series                []BarSeries
	Width, Height         int // pixels, 0 for 900 and 560
}

// SVG writes the chart as SVG. It fails if a series has another number of values
// than there are labels, the size is unreasonable, or w fails.
func (b Bars) SVG(w io.Writer) error { return writeSVG(w, b) }

// PNG writes the chart as PNG; errors are those of SVG.
func (b Bars) PNG(w io.Writer) error { return writePNG(w, b) }

func (b Bars) size() (int, int) { return orDefault(b.Width, b.Height) }

func (b Bars) check() error {
	for i, s := range b.Series {
		if len(s.Values) != len(b.Labels) {
			return fmt.Errorf("bars %q: series %d %q has %d values for %d labels: give one a label, NaN for none", b.Title, i, s.Name, len(s.Values), len(b.Labels))
		}
	}
	return checkSize(b.Width, b.Height)
}

func (b Bars) draw(c *canvas) {
	var ys span
	ys.add(0)
	notFinite, drawn := 0, 0
	names := make([]Series, len(b.Series))
	for i, s := range b.Series {
		names[i].Name = s.Name
		for _, v := range s.Values {
			if drawable(v, false) {
				ys.add(v)
				drawn++
			} else {
				notFinite++
			}
		}
	}
	labels := layLabels(c, b.Labels, c.width-120)
	w := words{title: b.Title, note: leftOut(notFinite, 0), xLabel: b.XLabel, yLabel: b.YLabel, legend: legendOf(names), below: labels.height, indent: labels.indent}
	f := newFrame(c, w, func(int) axis { return axis{lo: 0, hi: float64(max(1, len(b.Labels)))} },
		func(height int) axis { // with room for the values at the ends of the bars
			return linearAxis(ys, ticksOn(height, 50), min(float64(tickSize+8)/float64(max(height, 1)), 0.3))
		})
	if drawn == 0 {
		f.noData()
	}
	for i := range b.Labels {
		b.drawGroup(f, i)
	}
	zero := f.py(0)
	c.line(muted, 1, nil, point{f.left, zero}, point{f.right, zero})
	labels.draw(f)
}

// drawGroup draws the bars of category i over the middle 80 % of its slot.
func (b Bars) drawGroup(f frame, i int) {
	zero := f.py(0)
	n := float64(len(b.Series))
	for k, s := range b.Series {
		v := s.Values[i]
		if !drawable(v, false) {
			continue
		}
		from := f.px(float64(i) + 0.1 + 0.8*float64(k)/n)
		to := max(f.px(float64(i)+0.1+0.8*float64(k+1)/n), from+1)
		if to-from > 5 {
			to--
		}
		color, _ := seriesColor(k)
		y := f.py(v)
		f.c.box(from, min(y, zero), to, max(y, zero), color)
		if text := decimal(v); f.c.textWidth(text, tickSize) <= to-from+6 {
			at := y - 4
			if v < 0 {
				at = y + tickSize
			}
			if at < f.bottom-2 {
				f.c.text(text, (from+to)/2, at, tickSize, center, ink, 0)
			}
		}
	}
}

// labelRow is how the labels of categories are laid under an axis.
type labelRow struct {
	texts  []string
	turned bool // at 45 degrees, ending under their slot
	height int  // pixels
	indent int  // pixels that turned labels need left of the plot area
}

// layLabels shortens labels to what fits under slots on width pixels, and turns
// them if they would not fit level.
func layLabels(c *canvas, labels []string, width int) labelRow {
	// A turned label takes at most a third of the picture either way.
	longest := min(210, int(float64(min(c.width, c.height))/3*math.Sqrt2))
	row := labelRow{height: tickSize + 8}
	slot := width / max(1, len(labels))
	widest := 0
	for _, s := range labels {
		widest = max(widest, c.textWidth(s, tickSize))
	}
	row.turned = widest > slot-6
	for _, s := range labels {
		if row.turned {
			s = c.fit(s, tickSize, longest)
		}
		row.texts = append(row.texts, s)
	}
	if row.turned {
		side := int(float64(min(widest, longest)) * math.Sqrt2 / 2)
		row.height, row.indent = side+tickSize+8, side
	}
	return row
}

func (l labelRow) draw(f frame) {
	end := math.MinInt
	for i, s := range l.texts {
		x := f.px(float64(i) + 0.5)
		if l.turned {
			if x >= end {
				f.c.text(s, x+4, f.bottom+tickSize+2, tickSize, right, ink, -math.Pi/4)
				end = x + tickSize + 5
			}
			continue
		}
		f.c.text(s, x, f.bottom+tickSize+6, tickSize, center, ink, 0)
	}
}
