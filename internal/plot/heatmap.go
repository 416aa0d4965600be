package plot

import (
	"fmt"
	"io"
	"math"
	"strconv"
)

// Heatmap shows a matrix as coloured cells, such as a confusion matrix (rows the
// true class, columns the predicted one). Without negative values white is the
// least and dark blue the greatest; with them white is zero, blue negative and
// brown positive. Values stand in the cells where there is room. A matrix of more
// cells than pixels is reduced, each block to its value of greatest magnitude.
type Heatmap struct {
	Title, XLabel, YLabel   string
	RowLabels, ColumnLabels []string    // as many as rows and columns, or none for their numbers
	Values                  [][]float64 // rows of equal length, the first on top
	Width, Height           int         // pixels, 0 for 720 and 640
}

// SVG writes the chart as SVG. It fails if rows or labels differ in length, the
// size is unreasonable, or w fails.
func (h Heatmap) SVG(w io.Writer) error { return writeSVG(w, h) }

// PNG writes the chart as PNG; errors are those of SVG.
func (h Heatmap) PNG(w io.Writer) error { return writePNG(w, h) }

func (h Heatmap) size() (int, int) {
	width, height := h.Width, h.Height
	if width == 0 {
		width = 720
	}
	if height == 0 {
		height = 640
	}
	return width, height
}

func (h Heatmap) columns() int {
	if len(h.Values) == 0 {
		return 0
	}
	return len(h.Values[0])
}

func (h Heatmap) check() error {
	for i, row := range h.Values {
		if len(row) != h.columns() {
			return fmt.Errorf("heatmap %q: row %d has %d values, row 0 has %d", h.Title, i, len(row), h.columns())
		}
	}
	if n := len(h.RowLabels); n != 0 && n != len(h.Values) {
		return fmt.Errorf("heatmap %q: %d labels for %d rows", h.Title, n, len(h.Values))
	}
	if n := len(h.ColumnLabels); n != 0 && n != h.columns() {
		return fmt.Errorf("heatmap %q: %d labels for %d columns", h.Title, n, h.columns())
	}
	return checkSize(h.size())
}

// scale maps values to colours.
type scale struct{ lo, hi float64 }

func (s scale) color(v float64) (fill [3]uint32, t float64) {
	if s.lo < 0 { // white in the middle
		return [3]uint32{0x2166AC, 0xFFFFFF, 0x8C510A}, s.fraction(v)
	}
	return [3]uint32{0xFFFFFF, 0x6BAED6, 0x08306B}, s.fraction(v)
}

func (s scale) fraction(v float64) float64 {
	if s.hi == s.lo {
		return 0.5
	}
	return (v - s.lo) / (s.hi - s.lo)
}

func (h Heatmap) draw(c *canvas) {
	var values span
	notFinite := 0
	for _, row := range h.Values {
		for _, v := range row {
			if drawable(v, false) {
				values.add(v)
			} else {
				notFinite++
			}
		}
	}
	s := scale{values.lo, values.hi}
	if s.lo < 0 { // symmetric, so that white is zero
		size := max(-s.lo, s.hi)
		s = scale{-size, size}
	}
	rows, columns := len(h.Values), h.columns()
	f := h.frame(c, leftOut(notFinite, 0))
	if rows == 0 || columns == 0 {
		f.noData()
		return
	}
	h.drawCells(f, s)
	drawColorBar(f, s, values.any)
	f.drawLabels(h.RowLabels, h.ColumnLabels, rows, columns)
}

// frame makes room for the labels and the colour bar.
func (h Heatmap) frame(c *canvas, note string) frame {
	f := frame{c: c, top: drawTitle(c, words{title: h.Title, note: note}) + 8, bottom: c.height - 16, left: 16, right: c.width - 110}
	if h.YLabel != "" {
		f.left += labelSize + 10
	}
	widest := c.textWidth("0000", tickSize)
	for _, s := range h.RowLabels {
		widest = max(widest, min(c.textWidth(s, tickSize), 140))
	}
	row := layLabels(c, h.ColumnLabels, f.right-f.left-widest-8)
	f.left = max(f.left+widest+8, row.indent)
	if h.XLabel != "" {
		f.bottom -= labelSize + 8
	}
	f.bottom -= row.height
	f.x, f.y = axis{lo: 0, hi: float64(max(1, h.columns()))}, axis{lo: 0, hi: float64(max(1, len(h.Values)))}
	if h.XLabel != "" {
		c.text(c.fit(h.XLabel, labelSize, f.right-f.left), (f.left+f.right)/2, c.height-16, labelSize, center, ink, 0)
	}
	if h.YLabel != "" {
		c.text(c.fit(h.YLabel, labelSize, f.bottom-f.top), 16+labelSize-3, (f.top+f.bottom)/2, labelSize, center, ink, -math.Pi/2)
	}
	return f
}

// row returns the y of the upper edge of row i of n.
func (f frame) row(i int) int { return f.top + f.bottom - f.py(float64(i)) }

func (h Heatmap) drawCells(f frame, s scale) {
	rowStep := (len(h.Values)-1)/max(1, f.bottom-f.top) + 1
	columnStep := (h.columns()-1)/max(1, f.right-f.left) + 1
	for i := 0; i < len(h.Values); i += rowStep {
		for j := 0; j < h.columns(); j += columnStep {
			v := h.strongest(i, j, rowStep, columnStep)
			left, right := f.px(float64(j)), f.px(float64(min(j+columnStep, h.columns())))
			top, bottom := f.row(i), f.row(min(i+rowStep, len(h.Values)))
			fill, text := absent, "–"
			if drawable(v, false) {
				stops, t := s.color(v)
				fill, text = mix(t, stops[:]...), decimal(v)
			}
			f.c.box(left, top, right, bottom, fill)
			if bottom-top >= tickSize+4 && f.c.textWidth(text, tickSize)+4 <= right-left {
				f.c.text(text, (left+right)/2, (top+bottom)/2+tickSize/2-2, tickSize, center, readableOn(fill), 0)
			}
		}
	}
	f.c.line(muted, 1, nil, point{f.left, f.top}, point{f.right, f.top}, point{f.right, f.bottom}, point{f.left, f.bottom}, point{f.left, f.top})
}

// strongest returns the value of greatest magnitude in a block, NaN if it has
// none that can be drawn.
func (h Heatmap) strongest(row, column, rows, columns int) float64 {
	best := math.NaN()
	for i := row; i < min(row+rows, len(h.Values)); i++ {
		for _, v := range h.Values[i][column:min(column+columns, h.columns())] {
			if drawable(v, false) && !(math.Abs(v) <= math.Abs(best)) {
				best = v
			}
		}
	}
	return best
}

// drawLabels writes labels, or round numbers from 0, beside rows and under
// columns, leaving out those that would touch.
func (f frame) drawLabels(rowLabels, columnLabels []string, rows, columns int) {
	const line, number = tickSize + 4, 40 // pixels that a label takes up
	height, width := max(1, f.bottom-f.top), max(1, f.right-f.left)
	step := int(niceStep(float64(rows*line)/float64(height), true))
	for i := 0; i < rows; i += step {
		text := strconv.Itoa(i)
		if len(rowLabels) > 0 {
			text = f.c.fit(rowLabels[i], tickSize, 140)
		}
		f.c.text(text, f.left-8, (f.row(i)+f.row(i+1))/2+tickSize/2-2, tickSize, right, ink, 0)
	}
	if len(columnLabels) > 0 {
		layLabels(f.c, columnLabels, width).draw(f)
		return
	}
	step = int(niceStep(float64(columns*number)/float64(width), true))
	for j := 0; j < columns; j += step {
		f.c.text(strconv.Itoa(j), f.px(float64(j)+0.5), f.bottom+tickSize+6, tickSize, center, ink, 0)
	}
}

// drawColorBar draws the scale to the right of the cells.
func drawColorBar(f frame, s scale, any bool) {
	if !any {
		return
	}
	const steps, width = 64, 16
	from := f.right + 18
	y := func(i int) int { return f.bottom - (f.bottom-f.top)*i/steps }
	for i := range steps {
		stops, _ := s.color(s.lo)
		f.c.box(from, y(i+1), from+width, y(i), mix((float64(i)+0.5)/steps, stops[:]...))
	}
	f.c.line(muted, 1, nil, point{from, f.top}, point{from + width, f.top}, point{from + width, f.bottom}, point{from, f.bottom}, point{from, f.top})
	for _, t := range []struct {
		value float64
		y     int
	}{{s.hi, f.top + tickSize}, {s.lo + (s.hi-s.lo)/2, (f.top+f.bottom)/2 + tickSize/2 - 2}, {s.lo, f.bottom}} {
		f.c.text(decimal(t.value), from+width+6, t.y, tickSize, left, ink, 0)
	}
}
