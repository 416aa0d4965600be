package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

var nan, inf = math.NaN(), math.Inf(1)

type chart interface {
	picture
	SVG(w io.Writer) error
	PNG(w io.Writer) error
}

// small charts, one a kind, are the goldens.
func small() map[string]chart {
	return map[string]chart{
		"line": Line{Title: "Loss", XLabel: "epoch", YLabel: "nats", Width: 400, Height: 300, Series: []Series{
			{Name: "training", Y: []float64{2.3, 1.1, nan, 0.4, 0.3}}, {Name: "validation", X: []float64{0, 2, 4}, Y: []float64{2.3, 0.9, inf}}}},
		"line_log":  Line{Title: "Gradient norm", LogY: true, Width: 400, Height: 300, Series: []Series{{Y: []float64{100, 1, 0.01, 0, -1}}}},
		"histogram": Histogram{Title: "Weights", XLabel: "weight", Width: 400, Height: 300, Bins: 4, Values: []float64{-1, -0.4, 0, 0.1, 0.2, 1, nan}},
		"bars": Bars{Title: "Classes", YLabel: "images", Width: 400, Height: 300, Labels: []string{"cat", "dog", "a <b> & \"c\""},
			Series: []BarSeries{{"training", []float64{10, -4, nan}}, {"validation", []float64{3, 2, 1}}}},
		"heatmap": Heatmap{Title: "Confusion", XLabel: "predicted", YLabel: "true", Width: 400, Height: 300,
			RowLabels: []string{"cat", "dog"}, ColumnLabels: []string{"cat", "dog"}, Values: [][]float64{{9, 1}, {nan, 7}}},
	}
}

func svgOf(t *testing.T, c chart) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, c.SVG(&out))
	return out.String()
}

func pngOf(t *testing.T, c interface{ PNG(io.Writer) error }) (image.Image, []byte) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, c.PNG(&out))
	img, err := png.Decode(bytes.NewReader(out.Bytes()))
	require.NoError(t, err)
	return img, out.Bytes()
}

func TestSVGGoldens(t *testing.T) {
	for name, c := range small() {
		t.Run(name, func(t *testing.T) {
			got := svgOf(t, c)
			path := filepath.Join("testdata", name+".svg")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, string(want), got)
		})
	}
}

func TestSameBytesEveryTime(t *testing.T) {
	for name, c := range small() {
		t.Run(name, func(t *testing.T) {
			svg := svgOf(t, c)
			_, first := pngOf(t, c)
			require.Equal(t, svg, svgOf(t, c))
			_, again := pngOf(t, c)
			require.True(t, bytes.Equal(first, again))
		})
	}
}

// awkward is what every kind of chart has to survive.
func awkward() map[string][]float64 {
	long := make([]float64, 100_000)
	for i := range long {
		long[i] = math.Sin(float64(i) / 1000)
	}
	return map[string][]float64{
		"empty":         nil,
		"single":        {0.5},
		"zero":          {0},
		"constant":      {0.1, 0.1, 0.1},
		"large whole":   {1e9, 1e9, 1e9},
		"not finite":    {nan, inf, -inf},
		"mixed":         {nan, 1, nan, 2, inf, 3},
		"beyond":        {math.MaxFloat64, -math.MaxFloat64, 1e300, -1e300},
		"denormal":      {5e-324, 1e-320, 0},
		"negative":      {-3, -2, -1},
		"tiny span":     {1e9, 1e9 + 1e-6},
		"many decades":  {1e-300, 1, 1e300},
		"hundred thous": long,
	}
}

func charts(values []float64, width, height int) map[string]chart {
	labels := make([]string, min(len(values), 200))
	for i := range labels {
		labels[i] = "encoder.block." + strconv.Itoa(i) + ".attention.weight"
	}
	few := values[:len(labels)]
	out := map[string]chart{
		"histogram":     Histogram{Title: "t", XLabel: "x", Values: values, Width: width, Height: height},
		"histogram log": Histogram{Values: values, LogY: true, Width: width, Height: height},
		"bars": Bars{Title: "t", XLabel: "x", YLabel: "y", Labels: labels, Series: []BarSeries{{"a", few}, {"b", few}},
			Width: width, Height: height},
		"heatmap row": Heatmap{Title: "t", XLabel: "x", YLabel: "y", Values: [][]float64{few}, ColumnLabels: labels, Width: width, Height: height},
	}
	column := make([][]float64, len(few))
	for i := range few {
		column[i] = few[i : i+1]
	}
	out["heatmap column"] = Heatmap{Values: column, RowLabels: labels, Width: width, Height: height}
	for _, log := range []bool{false, true} {
		out[fmt.Sprint("line log=", log)] = Line{Title: strings.Repeat("title ", 40), XLabel: "x", YLabel: "y", LogY: log, Width: width, Height: height,
			Series: []Series{{Name: "a", Y: values}, {Name: "b"}, {Name: "x is y", X: values, Y: values}}}
	}
	return out
}

var number = regexp.MustCompile(`-?\d+(\.\d+)?`)

// requireInside checks that every path of an SVG stays on its canvas.
func requireInside(t *testing.T, svg string, width, height int) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "path" {
			continue
		}
		for _, a := range element.Attr {
			if a.Name.Local != "d" {
				continue
			}
			for i, text := range number.FindAllString(a.Value, -1) {
				v, err := strconv.ParseFloat(text, 64)
				require.NoError(t, err)
				require.True(t, v >= 0 && v <= float64([2]int{width, height}[i%2]), "path leaves the canvas: %.200s", a.Value)
			}
		}
	}
}

func TestAwkwardDataNeverBreaksAPicture(t *testing.T) {
	for what, values := range awkward() {
		for _, size := range [][2]int{{0, 0}, {320, 240}} {
			for kind, c := range charts(values, size[0], size[1]) {
				t.Run(fmt.Sprint(what, "/", kind, "/", size[0]), func(t *testing.T) {
					width, height := c.size()
					svg := svgOf(t, c)
					requireInside(t, svg, width, height)
					require.NotRegexp(t, `NaN|Inf`, svg)
					require.Less(t, len(svg), 1<<20)
					if size[0] == 0 || testing.Short() && what != "mixed" {
						return // pixels take their time under -race; the layout is that of the SVG
					}
					img, _ := pngOf(t, c)
					require.Equal(t, image.Rect(0, 0, width, height), img.Bounds())
					require.Equal(t, color.RGBA{255, 255, 255, 255}, color.RGBAModel.Convert(img.At(1, height/2)))
				})
			}
		}
	}
}

func TestTitleCountsWhatIsLeftOut(t *testing.T) {
	values := []float64{1, nan, inf, -1, 0}
	require.Contains(t, svgOf(t, Line{Title: "Loss", LogY: true, Series: []Series{{Y: values}}}), ">Loss (2 not finite, 2 not above 0)<")
	require.Contains(t, svgOf(t, Line{Series: []Series{{Y: values}}}), ">(2 not finite)<")
	require.Contains(t, svgOf(t, Line{Title: strings.Repeat("very long ", 40), Series: []Series{{Y: values}}}), "(2 not finite)<")
	require.Contains(t, svgOf(t, Histogram{Title: "W", Values: values}), ">W (2 not finite)<")
	require.Contains(t, svgOf(t, Bars{Title: "B", Labels: make([]string, 5), Series: []BarSeries{{"", values}}}), ">B (2 not finite)<")
	require.Contains(t, svgOf(t, Heatmap{Title: "H", Values: [][]float64{values}}), ">H (2 not finite)<")
	require.Contains(t, svgOf(t, Line{Title: "Loss", Series: []Series{{Y: []float64{1, 2}}}}), ">Loss<")
}

func TestEmptyPicturesSaySo(t *testing.T) {
	for _, c := range []chart{Line{}, Histogram{}, Bars{}, Heatmap{}, Line{Series: []Series{{Name: "a", Y: []float64{nan}}}}} {
		require.Contains(t, svgOf(t, c), ">no data<")
	}
}

func TestTextIsEscaped(t *testing.T) {
	svg := svgOf(t, Line{Title: "a <b> & \"c\"\x00\n\xff 日本 🦊", Series: []Series{{Name: "</svg>", Y: []float64{1}}}})
	requireInside(t, svg, chartWidth, chartHeight)
	require.Contains(t, svg, "a &lt;b&gt; &amp; \"c\"")
	require.NotContains(t, strings.TrimSuffix(svg, "</svg>"), "</svg>")
	pngOf(t, Line{Title: "日本 🦊 \xff"})
}

func TestMisuse(t *testing.T) {
	for want, c := range map[string]chart{
		`plot: line "L": series 1 "s" has 1 X and 2 Y`:           Line{Title: "L", Series: []Series{{}, {Name: "s", X: []float64{1}, Y: []float64{1, 2}}}},
		"plot: size 5x560: take 320x240":                         Line{Width: 5},
		`plot: histogram "H": 501 bins`:                          Histogram{Title: "H", Bins: 501},
		"plot: size 900x9000":                                    Histogram{Height: 9000},
		`plot: bars "B": series 0 "s" has 1 values for 0 labels`: Bars{Title: "B", Series: []BarSeries{{"s", []float64{1}}}},
		`plot: heatmap "M": row 1 has 1 values, row 0 has 2`:     Heatmap{Title: "M", Values: [][]float64{{1, 2}, {1}}},
		`plot: heatmap "M": 1 labels for 2 rows`:                 Heatmap{Title: "M", Values: [][]float64{{1}, {1}}, RowLabels: []string{"a"}},
		`plot: heatmap "M": 3 labels for 1 columns`:              Heatmap{Title: "M", Values: [][]float64{{1}}, ColumnLabels: []string{"a", "b", "c"}},
	} {
		require.ErrorContains(t, c.SVG(io.Discard), want)
		require.ErrorContains(t, c.PNG(io.Discard), want)
	}
	broken := Line{}
	require.ErrorIs(t, broken.SVG(full{}), errFull)
	require.ErrorIs(t, broken.PNG(full{}), errFull)
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestPicturesMayBeDrawnAtOnce(t *testing.T) {
	want := svgOf(t, small()["line"])
	var wg sync.WaitGroup
	got := make([]bytes.Buffer, 4)
	for i := range got {
		wg.Go(func() {
			if err := small()["line"].SVG(&got[i]); err != nil {
				t.Error(err)
			}
			if err := small()["line"].PNG(io.Discard); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for i := range got {
		require.Equal(t, want, got[i].String())
	}
}
