package plot

import "github.com/go-analyze/charts/chartdraw/drawing"

func rgb(hex uint32) drawing.Color {
	return drawing.Color{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 255}
}

var (
	white  = rgb(0xFFFFFF)
	ink    = rgb(0x1F2328) // text
	muted  = rgb(0x59636E) // axis lines, second-rate text
	grid   = rgb(0xE4E7EA)
	absent = rgb(0xD0D4D9) // a cell without a value
	alarm  = rgb(0xD55E00) // a pixel without a value
)

// seriesColor returns the colour and dashes (nil for a full line) of series i.
func seriesColor(i int) (drawing.Color, []float64) {
	palette := [...]uint32{0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x000000}
	dashes := [...][]float64{nil, {8, 4}, {2, 3}, {10, 4, 2, 4}}
	return rgb(palette[i%len(palette)]), dashes[i/len(palette)%len(dashes)]
}

// mix returns the colour at t in [0,1] on the way through stops.
func mix(t float64, stops ...uint32) drawing.Color {
	t = min(max(t, 0), 1) * float64(len(stops)-1)
	i := min(int(t), len(stops)-2)
	a, b, f := rgb(stops[i]), rgb(stops[i+1]), t-float64(i)
	part := func(a, b uint8) uint8 { return uint8(float64(a) + f*(float64(b)-float64(a)) + 0.5) }
	return drawing.Color{R: part(a.R, b.R), G: part(a.G, b.G), B: part(a.B, b.B), A: 255}
}

// readableOn returns the text colour for a background: dark unless it is dark.
func readableOn(c drawing.Color) drawing.Color {
	if 299*int(c.R)+587*int(c.G)+114*int(c.B) < 128*1000 {
		return white
	}
	return ink
}
