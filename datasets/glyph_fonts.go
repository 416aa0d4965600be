package datasets

import (
	"fmt"

	"github.com/go-fonts/liberation/liberationmonobold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifbold"
	"github.com/go-fonts/liberation/liberationserifitalic"
	"github.com/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomediumitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/gomonobold"
	"golang.org/x/image/font/gofont/gomonobolditalic"
	"golang.org/x/image/font/gofont/gomonoitalic"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/gofont/gosmallcaps"
	"golang.org/x/image/font/gofont/gosmallcapsitalic"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// glyphFont is a font that characters are drawn in. The Go fonts (Bigelow &
// Holmes, BSD licence) are sans-serif and slab mono; Liberation (SIL Open Font
// License) adds faces with serifs.
type glyphFont struct {
	name string
	ttf  []byte
}

func glyphFonts() []glyphFont {
	return []glyphFont{
		{"Go Regular", goregular.TTF}, {"Go Bold", gobold.TTF}, {"Go Italic", goitalic.TTF},
		{"Go Bold Italic", gobolditalic.TTF}, {"Go Medium", gomedium.TTF}, {"Go Medium Italic", gomediumitalic.TTF},
		{"Go Mono", gomono.TTF}, {"Go Mono Bold", gomonobold.TTF}, {"Go Mono Italic", gomonoitalic.TTF},
		{"Go Mono Bold Italic", gomonobolditalic.TTF}, {"Go Smallcaps", gosmallcaps.TTF},
		{"Go Smallcaps Italic", gosmallcapsitalic.TTF}, {"Liberation Sans", liberationsansregular.TTF},
		{"Liberation Serif", liberationserifregular.TTF}, {"Liberation Serif Italic", liberationserifitalic.TTF},
		{"Liberation Serif Bold", liberationserifbold.TTF}, {"Liberation Mono Bold", liberationmonobold.TTF},
	}
}

type (
	vector  struct{ x, y float64 }
	point   struct{ x, y int }
	outline [][]vector // closed contours; a capital is 1 high, the middle is at 0, y goes down
)

// loadOutlines reads the outlines of characters: [character][font].
func loadOutlines(characters []rune) [][]outline {
	outlines := make([][]outline, len(characters))
	for _, f := range glyphFonts() {
		parsed, err := sfnt.Parse(f.ttf)
		if err != nil {
			panic(fmt.Sprintf("datasets.Glyphs: font %s: %v", f.name, err))
		}
		var buffer sfnt.Buffer
		metrics, err := parsed.Metrics(&buffer, glyphUnits, font.HintingNone)
		if err != nil {
			panic(fmt.Sprintf("datasets.Glyphs: font %s: %v", f.name, err))
		}
		for i, c := range characters {
			index, err := parsed.GlyphIndex(&buffer, c)
			if err == nil && index == 0 {
				err = fmt.Errorf("the font does not have it: leave it out of Characters")
			}
			var segments sfnt.Segments
			if err == nil {
				segments, err = parsed.LoadGlyph(&buffer, index, glyphUnits, nil)
			}
			if err == nil && len(segments) == 0 {
				err = fmt.Errorf("it leaves no ink: leave it out of Characters")
			}
			if err != nil {
				panic(fmt.Sprintf("datasets.Glyphs: character %q of font %s: %v", c, f.name, err))
			}
			outlines[i] = append(outlines[i], flatten(segments, float64(metrics.CapHeight)))
		}
	}
	return outlines
}

// glyphUnits is the size at which outlines are read: large, so that the 1/64 of
// a pixel to which they are rounded is far below what can be seen.
var glyphUnits = fixed.I(1024)

// flatten turns curves into chains of lines, centres the character and scales a
// capital to height 1.
func flatten(segments sfnt.Segments, capital float64) outline {
	var o outline
	at := func(p fixed.Point26_6) vector { return vector{float64(p.X), float64(p.Y)} }
	for _, s := range segments {
		if s.Op == sfnt.SegmentOpMoveTo {
			o = append(o, []vector{at(s.Args[0])})
			continue
		}
		last := len(o) - 1
		o[last] = append(o[last], curve(o[last][len(o[last])-1], s.Op, at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))...)
	}
	lo, hi := o[0][0], o[0][0]
	for i, contour := range o {
		if n := len(contour); n > 1 && contour[0] == contour[n-1] {
			o[i] = contour[:n-1] // contours close by themselves
		}
		for _, p := range contour {
			lo = vector{min(lo.x, p.x), min(lo.y, p.y)}
			hi = vector{max(hi.x, p.x), max(hi.y, p.y)}
		}
	}
	for _, contour := range o {
		for j, p := range contour {
			contour[j] = vector{(p.x - (lo.x+hi.x)/2) / capital, (p.y - (lo.y+hi.y)/2) / capital}
		}
	}
	return o
}

// curve is the points of a segment after its first. Outlines are whole numbers
// and steps powers of two, so that every product is exact.
func curve(a vector, op sfnt.SegmentOp, b, c, d vector) []vector {
	const steps = 8
	var points []vector
	switch op {
	case sfnt.SegmentOpLineTo:
		points = []vector{b}
	case sfnt.SegmentOpQuadTo:
		for i := 1; i <= steps; i++ {
			t := float64(i) / steps
			u := 1 - t
			points = append(points, vector{u*u*a.x + 2*t*u*b.x + t*t*c.x, u*u*a.y + 2*t*u*b.y + t*t*c.y})
		}
	case sfnt.SegmentOpCubeTo:
		for i := 1; i <= steps; i++ {
			t := float64(i) / steps
			u := 1 - t
			points = append(points, vector{
				u*u*u*a.x + 3*t*u*u*b.x + 3*t*t*u*c.x + t*t*t*d.x,
				u*u*u*a.y + 3*t*u*u*b.y + 3*t*t*u*c.y + t*t*t*d.y,
			})
		}
	}
	return points
}
