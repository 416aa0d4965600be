package plot

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"github.com/go-analyze/charts/chartdraw"
)

// Image is one picture of a [ContactSheet].
type Image struct {
	W, H, C int       // pixels across, pixels down, channels: 1 is grey, 3 red, green, blue
	Pixels  []float32 // C·H·W values in the order C, H, W, on any scale
	Caption string    // under the picture, shortened to its room
}

// ContactSheet shows images side by side, such as a batch as the model sees it.
// One scale holds for the sheet: its least finite value is black, its greatest
// white (a constant sheet is grey), so that brightness can be compared between
// images. Pixels that are NaN or infinite are orange-red, and the title counts
// them. Small images are enlarged by a whole factor until the longest side in
// the sheet is at least 84 pixels: 28x28 is shown as 84x84.
type ContactSheet struct {
	Title   string
	Images  []Image
	Columns int // 0 chooses about as many as rows
}

const (
	leastSide      = 84       // pixels that the longest side of an image is shown as
	widestCaption  = 160      // pixels a caption may widen a small image's cell to
	mostSheetPixel = 50 << 20 // 200 MB in memory
)

// PNG writes the sheet as PNG. It fails if an image is not C·H·W values or has
// neither 1 nor 3 channels, the sheet would be too large, or w fails.
func (s ContactSheet) PNG(w io.Writer) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("plot: contact sheet %q: %w", s.Title, err)
	}
	probe := newCanvas(chartdraw.PNG, blank{1, 1}) // measures captions
	l := s.layOut(probe)
	if l.width*l.height > mostSheetPixel {
		return fmt.Errorf("plot: contact sheet %q of %d images would have %dx%d pixels: hand over fewer or smaller images", s.Title, len(s.Images), l.width, l.height)
	}
	c := newCanvas(chartdraw.PNG, blank{l.width, l.height})
	lo, hi, notFinite := s.extremes()
	drawTitle(c, words{title: s.Title, note: leftOut(notFinite, 0)})
	for i, m := range s.Images {
		x, y := l.cell(i)
		c.text(c.fit(m.Caption, tickSize, l.cellW), x+l.cellW/2, y+l.imageH+tickSize+4, tickSize, center, ink, 0)
	}
	if len(s.Images) == 0 {
		c.text("no images", l.width/2, l.height-20, labelSize, center, muted, 0)
	}
	var sheet rgba
	if err := c.r.Save(&sheet); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	for i, m := range s.Images {
		x, y := l.cell(i)
		m.paint(sheet.image, x+(l.cellW-m.W*l.zoom)/2, y, l.zoom, lo, hi)
	}
	if err := png.Encode(w, sheet.image); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return nil
}

func (s ContactSheet) check() error {
	if s.Columns < 0 {
		return fmt.Errorf("%d columns: take 0 to choose", s.Columns)
	}
	for i, m := range s.Images {
		if m.C != 1 && m.C != 3 {
			return fmt.Errorf("image %d %q has %d channels: 1 (grey) or 3 (red, green, blue) can be shown; hand over each channel as an image", i, m.Caption, m.C)
		}
		if m.W < 1 || m.H < 1 || m.W > 1<<14 || m.H > 1<<14 {
			return fmt.Errorf("image %d %q is %dx%d pixels, 1 to %d a side can be shown", i, m.Caption, m.W, m.H, 1<<14)
		}
		if len(m.Pixels) != m.W*m.H*m.C {
			return fmt.Errorf("image %d %q of %dx%dx%d (C, H, W) takes %d values, has %d", i, m.Caption, m.C, m.H, m.W, m.C*m.H*m.W, len(m.Pixels))
		}
	}
	return nil
}

// sheetLayout is the grid of a sheet in pixels.
type sheetLayout struct {
	width, height, columns, zoom int
	cellW, imageH, cellH, top    int
}

const sheetGap = 12

func (l sheetLayout) cell(i int) (x, y int) {
	return sheetGap + i%l.columns*(l.cellW+sheetGap), l.top + i/l.columns*(l.cellH+sheetGap)
}

func (s ContactSheet) layOut(c *canvas) sheetLayout {
	widest, highest, caption := 1, 1, 0
	for _, m := range s.Images {
		widest, highest = max(widest, m.W), max(highest, m.H)
		caption = max(caption, c.textWidth(m.Caption, tickSize))
	}
	l := sheetLayout{zoom: 1, top: sheetGap}
	longest := max(widest, highest)
	l.zoom = (leastSide + longest - 1) / longest
	l.imageH = highest * l.zoom
	l.cellW = max(widest*l.zoom, min(caption, widestCaption))
	l.cellH = l.imageH
	if caption > 0 {
		l.cellH += tickSize + 8
	}
	n := len(s.Images)
	l.columns = s.Columns
	if l.columns == 0 {
		l.columns = int(math.Ceil(math.Sqrt(float64(n))))
	}
	l.columns = max(1, min(l.columns, n))
	rows := max(1, (n+l.columns-1)/l.columns)
	l.width = max(240, sheetGap+l.columns*(l.cellW+sheetGap))
	if _, _, bad := s.extremes(); s.Title != "" || bad > 0 {
		l.top = 16 + titleSize + 14
	}
	l.height = l.top + rows*(l.cellH+sheetGap)
	return l
}

// extremes returns the range of the finite values and the number of others.
func (s ContactSheet) extremes() (lo, hi float32, notFinite int) {
	lo, hi = float32(math.Inf(1)), float32(math.Inf(-1))
	for _, m := range s.Images {
		for _, v := range m.Pixels {
			if finite(v) {
				lo, hi = min(lo, v), max(hi, v)
			} else {
				notFinite++
			}
		}
	}
	return lo, hi, notFinite
}

func finite(v float32) bool { return v-v == 0 }

// paint draws the image enlarged zoom times with its upper left corner at (x, y).
func (m Image) paint(to *image.RGBA, x, y, zoom int, lo, hi float32) {
	plane := m.W * m.H
	for i := range plane {
		p := color.RGBA{A: 255}
		channels := [3]*uint8{&p.R, &p.G, &p.B}
		for k, c := range channels {
			v := m.Pixels[i+plane*(k%m.C)]
			if !finite(v) {
				p = color.RGBA{alarm.R, alarm.G, alarm.B, 255}
				break
			}
			*c = shade(v, lo, hi)
		}
		left, top := x+i%m.W*zoom, y+i/m.W*zoom
		for dy := range zoom {
			for dx := range zoom {
				to.SetRGBA(left+dx, top+dy, p)
			}
		}
	}
}

// shade maps lo to 0 and hi to 255, a constant to the middle.
func shade(v, lo, hi float32) uint8 {
	if lo == hi {
		return 128
	}
	return uint8((float64(v)-float64(lo))/(float64(hi)-float64(lo))*255 + 0.5)
}

// blank is an empty picture of a size.
type blank struct{ width, height int }

func (b blank) size() (int, int) { return b.width, b.height }
func (blank) check() error       { return nil }
func (blank) draw(*canvas)       {}

// rgba takes the pixels of the renderer instead of a file.
type rgba struct{ image *image.RGBA }

func (r *rgba) SetRGBA(i *image.RGBA)     { r.image = i }
func (*rgba) Write(p []byte) (int, error) { return len(p), nil }
