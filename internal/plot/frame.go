package plot

import (
	"fmt"
	"math"
	"strings"
)

// The default size of a chart, pixels.
const (
	chartWidth  = 900
	chartHeight = 560
)

// frame is the plot area of a chart with its axes, in pixels of the canvas.
type frame struct {
	c                        *canvas
	left, top, right, bottom int
	x, y                     axis
}

func (f frame) px(v float64) int {
	return f.left + int(math.Round(f.x.at(v)*float64(f.right-f.left)))
}

func (f frame) py(v float64) int {
	return f.bottom - int(math.Round(f.y.at(v)*float64(f.bottom-f.top)))
}

// words are the texts around the plot area.
type words struct {
	title, note    string // note is what was left out; it is never shortened
	xLabel, yLabel string
	legend         []string // one entry a series; nil for no legend
	below          int      // height for labels of the x axis that the caller draws, 0 for ticks
	indent         int      // width that those labels need left of the plot area
}

// newFrame draws everything around the plot area and the grid in it.
func newFrame(c *canvas, w words, x func(width int) axis, y func(height int) axis) frame {
	f := frame{c: c, top: drawTitle(c, w), bottom: c.height - 16}
	if len(w.legend) > 0 {
		f.top = drawLegend(c, w.legend, f.top)
	}
	f.top += 14
	if w.xLabel != "" {
		f.bottom -= labelSize + 8
	}
	f.bottom -= max(w.below, tickSize+8)
	f.y = y(f.bottom - f.top)
	f.left = 16
	if w.yLabel != "" {
		f.left += labelSize + 8
	}
	widest := 0
	for _, t := range f.y.ticks {
		widest = max(widest, c.textWidth(t.label, tickSize))
	}
	f.left = max(f.left+widest+8, w.indent)
	f.right = c.width - 32
	f.x = x(f.right - f.left)
	f.drawGrid()
	color := ink
	if w.xLabel != "" {
		c.text(c.fit(w.xLabel, labelSize, f.right-f.left), (f.left+f.right)/2, c.height-16, labelSize, center, color, 0)
	}
	if w.yLabel != "" {
		c.text(c.fit(w.yLabel, labelSize, f.bottom-f.top), 16+labelSize-3, (f.top+f.bottom)/2, labelSize, center, color, -math.Pi/2)
	}
	return f
}

// drawTitle returns the y below it.
func drawTitle(c *canvas, w words) int {
	note := w.note
	if w.title == "" && note == "" {
		return 12
	}
	room := c.width - 32
	if note != "" {
		note = " (" + note + ")"
		room -= c.textWidth(note, titleSize)
	}
	text := strings.TrimSpace(c.fit(w.title, titleSize, room) + note)
	c.text(text, c.width/2, 16+titleSize, titleSize, center, ink, 0)
	return 16 + titleSize + 10
}

func (f frame) drawGrid() {
	for _, t := range f.y.ticks {
		y := f.py(t.value)
		f.c.line(grid, 1, nil, point{f.left, y}, point{f.right, y})
		f.c.text(t.label, f.left-8, y+tickSize/2-2, tickSize, right, ink, 0)
	}
	end := math.MinInt // of the label before
	for _, t := range f.x.ticks {
		x := f.px(t.value)
		f.c.line(grid, 1, nil, point{x, f.top}, point{x, f.bottom})
		half := f.c.textWidth(t.label, tickSize) / 2
		if x-half > end+6 && x+half < f.c.width {
			f.c.text(t.label, x, f.bottom+tickSize+6, tickSize, center, ink, 0)
			end = x + half
		}
	}
	f.c.line(muted, 1, nil, point{f.left, f.top}, point{f.left, f.bottom}, point{f.right, f.bottom})
}

// ticksOn returns how many ticks an axis of so many pixels should have.
func ticksOn(pixels, apart int) int { return max(4, pixels/apart) }

// noData says in the middle of the plot area that there is nothing to show.
func (f frame) noData() {
	f.c.text("no data", (f.left+f.right)/2, (f.top+f.bottom)/2, titleSize, center, muted, 0)
}

// legendRows bounds the height of a legend; what does not fit is counted.
func legendRows(height int) int {
	if height < 400 {
		return 1
	}
	return 3
}

// drawLegend writes the names in rows from y down and returns the y below.
func drawLegend(c *canvas, names []string, y int) int {
	const key, gap = 28, 22 // pixels of the sample line and between entries
	row, x, last := 0, 24, legendRows(c.height)-1
	for i, name := range names {
		name = c.fit(name, labelSize, min(260, c.width/3))
		width := key + 6 + c.textWidth(name, labelSize) + gap
		more := fmt.Sprintf("and %d more", len(names)-i)
		room := c.width - 24
		if row == last && i < len(names)-1 {
			room -= c.textWidth(more, labelSize) + gap
		}
		if x+width > room && x > 24 {
			if row == last {
				c.text(more, x, y+labelSize, labelSize, left, muted, 0)
				break
			}
			row, x, y = row+1, 24, y+labelSize+6
		}
		color, dash := seriesColor(i)
		c.line(color, 3, dash, point{x, y + labelSize/2 + 2}, point{x + key, y + labelSize/2 + 2})
		c.text(name, x+key+6, y+labelSize, labelSize, left, ink, 0)
		x += width
	}
	return y + labelSize + 4
}

// leftOut describes the points that could not be drawn, "" if there are none.
func leftOut(notFinite, notPositive int) string {
	var parts []string
	if notFinite > 0 {
		parts = append(parts, fmt.Sprintf("%d not finite", notFinite))
	}
	if notPositive > 0 {
		parts = append(parts, fmt.Sprintf("%d not above 0", notPositive))
	}
	return strings.Join(parts, ", ")
}

// orDefault returns the size to draw in, or the default where a field is zero.
func orDefault(width, height int) (int, int) {
	if width == 0 {
		width = chartWidth
	}
	if height == 0 {
		height = chartHeight
	}
	return width, height
}

// checkSize keeps a chart between what is readable and what is sane.
func checkSize(width, height int) error {
	width, height = orDefault(width, height)
	if width < 320 || height < 240 || width > 8000 || height > 8000 {
		return fmt.Errorf("size %dx%d: take 320x240 to 8000x8000 pixels, or 0x0 for %dx%d", width, height, chartWidth, chartHeight)
	}
	return nil
}
