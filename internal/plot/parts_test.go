package plot

import (
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func labels(a axis) string {
	var out []string
	for _, t := range a.ticks {
		if t.label != "" {
			out = append(out, t.label)
		}
	}
	return strings.Join(out, " ")
}

func TestLinearAxis(t *testing.T) {
	for _, tt := range []struct {
		lo, hi float64
		whole  bool
		want   string
	}{
		{0, 1, false, "0 0.2 0.4 0.6 0.8 1.0"},
		{0, 3, true, "0 1 2 3"},
		{0.08, 2.5, false, "0.5 1.0 1.5 2.0 2.5"},
		{-0.02, 0.03, false, "-0.02 -0.01 0 0.01 0.02 0.03"},
		{0, 60000, true, "0 20000 40000 60000"},
		{0, 5e6, true, "0 1e6 2e6 3e6 4e6 5e6"},
		{1e9, 1e9 + 50, true, "1e9 1.00000001e9 1.00000002e9 1.00000003e9 1.00000004e9 1.00000005e9"},
		{1e-7, 4e-7, false, "1e-7 2e-7 3e-7 4e-7"},
		{5, 5, true, "4 5 6"},
		{0, 0, false, "-1.0 -0.5 0 0.5 1.0"},
	} {
		got := linearAxis(span{tt.lo, tt.hi, true, tt.whole}, 5, 0)
		require.Equal(t, tt.want, labels(got), "%v to %v", tt.lo, tt.hi)
	}
}

func TestLogAxis(t *testing.T) {
	for _, tt := range []struct {
		lo, hi float64
		want   string
	}{
		{0.01, 100, "0.01 0.1 1 10 100"},
		{1, 9, "1 2 5 10"},
		{2.1, 2.4, "2.0 2.2 2.4 2.6"},
		{1e-12, 1, "1e-12 1e-10 1e-8 1e-6 1e-4 0.01 1"},
		{3, 3, "1 2 5"},
		{1e4, 1e7, "10000 100000 1e6 1e7"},
	} {
		require.Equal(t, tt.want, labels(logAxis(span{tt.lo, tt.hi, true, false}, 8)), "%v to %v", tt.lo, tt.hi)
	}
	a := logAxis(span{1, 100, true, false}, 8)
	require.InDelta(t, 0.5, a.at(10), 1e-9)
}

func TestThinKeepsExtremes(t *testing.T) {
	var points []point
	for i := range 100_000 {
		points = append(points, point{i / 125, 200 + i%7})
	}
	points[50_020].y, points[50_090].y = 5, 395
	got := thin(points)
	require.LessOrEqual(t, len(got), 4*800)
	require.Contains(t, got, point{400, 5})
	require.Contains(t, got, point{400, 395})
	require.Equal(t, points[0], got[0])
	require.Equal(t, points[len(points)-1], got[len(got)-1])
	require.True(t, slices.IsSortedFunc(got, func(a, b point) int { return a.x - b.x }))

	zigzag := []point{{0, 1}, {1, 1}, {2, 5}, {1, 4}}
	require.Equal(t, zigzag, thin(zigzag), "what has a column for itself stays, in order")
	require.Equal(t, []point{{3, 3}}, thin([]point{{3, 3}, {3, 3}, {3, 3}}))
}

func TestBinned(t *testing.T) {
	lo, hi, counts := binned([]float64{-1, -0.6, 0, 0.4, 1}, 4)
	require.Equal(t, []float64{-1, 1}, []float64{lo, hi})
	require.Equal(t, []int{2, 0, 2, 1}, counts, "the greatest value is in the last bin")
	_, _, counts = binned([]float64{7, 7}, 10)
	require.Equal(t, []int{2}, counts)
	require.Equal(t, 80, freedmanDiaconis([]float64{0, 0, 0, 0, 0, 1}), "no spread between the quartiles")
	require.Equal(t, 5, freedmanDiaconis([]float64{0, 1, 2, 3}))
}

func TestHeatmapReducesToTheStrongest(t *testing.T) {
	h := Heatmap{Values: [][]float64{{1, -5, 2}, {nan, 3, 0}}}
	require.Equal(t, -5.0, h.strongest(0, 0, 2, 2))
	require.Equal(t, 2.0, h.strongest(0, 2, 2, 2))
	require.True(t, math.IsNaN(h.strongest(1, 0, 1, 1)))
	large := Heatmap{Values: make([][]float64, 3000)}
	for i := range large.Values {
		large.Values[i] = make([]float64, 50)
	}
	large.Values[1500][25] = 1 // one cell in three thousand rows stays visible
	require.Contains(t, svgOf(t, large), "fill:rgb(8,48,107)")
}

func at(t *testing.T, s ContactSheet, x, y int) color.RGBA {
	img, _ := pngOf(t, s)
	return color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
}

func grey(v uint8) color.RGBA { return color.RGBA{v, v, v, 255} }

func TestContactSheetPixels(t *testing.T) {
	s := ContactSheet{Columns: 2, Images: []Image{
		{W: 2, H: 2, C: 1, Pixels: []float32{-1, 1, 0, float32(nan)}},
		{W: 2, H: 2, C: 3, Pixels: []float32{1, 0, 0, 0, -1, 0, 0, 0, -1, 1, 1, 1}},
	}}
	img, _ := pngOf(t, s)
	top, side := 16+titleSize+14, 84
	require.Equal(t, 240, img.Bounds().Dx())
	require.Equal(t, top+side+sheetGap, img.Bounds().Dy())
	require.Equal(t, grey(0), at(t, s, sheetGap, top), "the least is black")
	require.Equal(t, grey(0), at(t, s, sheetGap+41, top+41), "enlarged 42 times")
	require.Equal(t, grey(255), at(t, s, sheetGap+42, top), "the greatest is white")
	require.Equal(t, grey(128), at(t, s, sheetGap, top+42))
	require.Equal(t, color.RGBA{alarm.R, alarm.G, alarm.B, 255}, at(t, s, sheetGap+42, top+42), "NaN")
	second := sheetGap + side + sheetGap
	require.Equal(t, color.RGBA{255, 0, 0, 255}, at(t, s, second, top), "channels lie one after the other")
	require.Equal(t, color.RGBA{128, 128, 255, 255}, at(t, s, second+42, top))
	require.Equal(t, grey(255), at(t, s, 2, 2), "white around")
}

func TestContactSheetSizes(t *testing.T) {
	pixels := make([]float32, 28*28)
	s := ContactSheet{Images: slices.Repeat([]Image{{W: 28, H: 28, C: 1, Pixels: pixels}}, 10)}
	img, first := pngOf(t, s)
	require.Equal(t, 4*(84+sheetGap)+sheetGap, img.Bounds().Dx(), "4 columns")
	require.Equal(t, 3*(84+sheetGap)+sheetGap, img.Bounds().Dy(), "3 rows")
	_, again := pngOf(t, s)
	require.Equal(t, first, again)
	require.Equal(t, grey(128), at(t, s, 20, 20), "a constant sheet is grey")
	pngOf(t, ContactSheet{})
	pngOf(t, ContactSheet{Title: "one, captioned", Images: []Image{{W: 1, H: 300, C: 1, Pixels: make([]float32, 300), Caption: strings.Repeat("long ", 30)}}})

	for want, bad := range map[string]ContactSheet{
		`sheet "S": image 0 "x" has 2 channels`:                 {Title: "S", Images: []Image{{W: 1, H: 1, C: 2, Caption: "x"}}},
		"image 0 \"\" of 1x2x2 (C, H, W) takes 4 values, has 3": {Images: []Image{{W: 2, H: 2, C: 1, Pixels: make([]float32, 3)}}},
		"is 0x2 pixels":   {Images: []Image{{W: 0, H: 2, C: 1}}},
		"-1 columns":      {Columns: -1},
		"hand over fewer": {Images: slices.Repeat([]Image{{W: 1, H: 1, C: 1, Pixels: []float32{0}}}, 10_000)},
	} {
		require.ErrorContains(t, bad.PNG(full{}), want)
	}
	require.ErrorIs(t, s.PNG(full{}), errFull)
}

func TestPNGColours(t *testing.T) {
	img, _ := pngOf(t, Bars{Labels: []string{"a"}, Series: []BarSeries{{"", []float64{1}}}})
	require.Equal(t, color.RGBA{0x00, 0x72, 0xB2, 255}, color.RGBAModel.Convert(img.At(450, 400)))
	img, _ = pngOf(t, Heatmap{Values: [][]float64{{0, 1}}})
	require.Equal(t, grey(255), color.RGBAModel.Convert(img.At(100, 100)))
	require.Equal(t, color.RGBA{0x08, 0x30, 0x6B, 255}, color.RGBAModel.Convert(img.At(580, 100)))
}
