package plot

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode"

	"github.com/go-analyze/charts/chartdraw"
	"github.com/go-analyze/charts/chartdraw/drawing"
)

// Sizes of text in pixels.
const (
	titleSize = 18
	labelSize = 14
	tickSize  = 12
)

// picture is what every chart of this package is to its writers.
type picture interface {
	size() (width, height int) // pixels
	check() error
	draw(c *canvas)
}

func writeSVG(w io.Writer, p picture) error { return write(w, p, chartdraw.SVG) }
func writePNG(w io.Writer, p picture) error { return write(w, p, chartdraw.PNG) }

func write(w io.Writer, p picture, renderer func(width, height int) chartdraw.Renderer) error {
	if err := p.check(); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	c := newCanvas(renderer, p)
	p.draw(c)
	if err := c.r.Save(w); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

// canvas draws lines, boxes and text in whole pixels, y downwards.
type canvas struct {
	r             chartdraw.Renderer
	width, height int
}

func newCanvas(renderer func(width, height int) chartdraw.Renderer, p picture) *canvas {
	c := &canvas{}
	c.width, c.height = p.size()
	c.r = renderer(c.width, c.height)
	c.r.SetDPI(72) // a point is a pixel
	c.r.SetFont(chartdraw.GetDefaultFont())
	c.box(0, 0, c.width, c.height, white)
	return c
}

// box fills the pixels from (left, top) up to, not including, (right, bottom).
func (c *canvas) box(left, top, right, bottom int, fill drawing.Color) {
	c.r.SetFillColor(fill)
	c.r.SetStrokeWidth(0)
	c.r.MoveTo(left, top)
	c.r.LineTo(right, top)
	c.r.LineTo(right, bottom)
	c.r.LineTo(left, bottom)
	c.r.Close()
	c.r.Fill()
}

type point struct{ x, y int }

func (c *canvas) line(color drawing.Color, width float64, dash []float64, points ...point) {
	c.r.SetStrokeColor(color)
	c.r.SetStrokeWidth(width)
	c.r.SetStrokeDashArray(dash)
	for i, p := range points {
		if i == 0 {
			c.r.MoveTo(p.x, p.y)
		} else {
			c.r.LineTo(p.x, p.y)
		}
	}
	c.r.Stroke()
	c.r.SetStrokeDashArray(nil)
}

func (c *canvas) dot(p point, radius float64, fill drawing.Color) {
	c.r.SetFillColor(fill)
	c.r.SetStrokeWidth(0)
	c.r.Circle(radius, p.x, p.y)
	c.r.Fill()
}

// align is which part of a text stands at its point, as a fraction of its width.
type align float64

const (
	left   align = 0
	center align = 0.5
	right  align = 1
)

// text writes s with the given part of its baseline at (x, y), turned clockwise
// by radians.
func (c *canvas) text(s string, x, y int, size float64, a align, color drawing.Color, radians float64) {
	s = printable(s)
	back := float64(a) * float64(c.textWidth(s, size))
	x -= int(math.Round(back * math.Cos(radians)))
	y -= int(math.Round(back * math.Sin(radians)))
	c.r.SetFontSize(size)
	c.r.SetFontColor(color)
	c.r.SetStrokeWidth(0)
	if radians != 0 {
		c.r.SetTextRotation(radians)
		defer c.r.ClearTextRotation()
	}
	c.r.Text(s, x, y)
}

func (c *canvas) textWidth(s string, size float64) int {
	c.r.SetFontSize(size)
	return c.r.MeasureText(printable(s)).Width()
}

// fit shortens s in its middle until it is at most width pixels wide: names of
// parameters differ at either end.
func (c *canvas) fit(s string, size float64, width int) string {
	s = printable(s)
	if c.textWidth(s, size) <= width {
		return s
	}
	runes := []rune(s)
	cut := func(keep int) string {
		head := (keep + 1) / 2
		return string(runes[:head]) + "…" + string(runes[len(runes)-(keep-head):])
	}
	low, high := 0, len(runes)-1 // cut(low) fits
	for low < high {
		mid := (low + high + 1) / 2
		if c.textWidth(cut(mid), size) <= width {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return cut(low)
}

// printable replaces what would break a line of text or an XML file.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == 0xFFFE || r == 0xFFFF {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
