package plot

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// Histogram shows how values are distributed, such as the weights or gradients of
// a layer.
type Histogram struct {
	Title, XLabel string
	YLabel        string    // "" for "count"
	LogY          bool      // logarithmic counts, to see the tails
	Values        []float64 // in any order
	Bins          int       // of equal width, at most 500; 0 chooses 5 to 80 by the rule of Freedman and Diaconis (1981)
	Width, Height int       // pixels, 0 for 900 and 560
}

// SVG writes the chart as SVG. It fails if Bins or the size is unreasonable, or
// w fails.
func (h Histogram) SVG(w io.Writer) error { return writeSVG(w, h) }

// PNG writes the chart as PNG; errors are those of SVG.
func (h Histogram) PNG(w io.Writer) error { return writePNG(w, h) }

func (h Histogram) size() (int, int) { return orDefault(h.Width, h.Height) }

func (h Histogram) check() error {
	if h.Bins < 0 || h.Bins > 500 {
		return fmt.Errorf("histogram %q: %d bins, take 1 to 500, or 0 to choose by the data", h.Title, h.Bins)
	}
	return checkSize(h.Width, h.Height)
}

func (h Histogram) draw(c *canvas) {
	values := slices.DeleteFunc(slices.Clone(h.Values), func(v float64) bool { return !drawable(v, false) })
	slices.Sort(values)
	lo, hi, counts := binned(values, h.Bins)
	tallest := 0
	for _, n := range counts {
		tallest = max(tallest, n)
	}
	yLabel := h.YLabel
	if yLabel == "" {
		yLabel = "count"
	}
	w := words{title: h.Title, note: leftOut(len(h.Values)-len(values), 0), xLabel: h.XLabel, yLabel: yLabel}
	f := newFrame(c, w,
		func(width int) axis { return linearAxis(span{lo, hi, true, false}, ticksOn(width, 90), 0.02) },
		func(height int) axis { return countAxis(tallest, height, h.LogY) })
	if len(values) == 0 {
		f.noData()
		return
	}
	color, _ := seriesColor(0)
	for i, n := range counts {
		if n == 0 {
			continue
		}
		edge := func(i int) int {
			t := float64(i) / float64(len(counts))
			return f.px(lo*(1-t) + hi*t)
		}
		from, to := edge(i), edge(i+1)
		if to-from > 3 {
			to-- // a gap between bars that have room for one
		}
		c.box(from, min(f.py(float64(n)), f.bottom-1), max(to, from+1), f.bottom, color)
	}
}

// countAxis starts at zero, or just below one on a logarithmic scale.
func countAxis(tallest, height int, log bool) axis {
	if log {
		a := logAxis(span{1, float64(max(tallest, 10)), true, true}, ticksOn(height, 40))
		a.ticks = slices.DeleteFunc(a.ticks, func(t tick) bool { return t.value < 1 })
		return a
	}
	return linearAxis(span{0, float64(max(tallest, 1)), true, true}, ticksOn(height, 50), 0.05)
}

// binned counts sorted values in bins equal parts of [lo, hi].
func binned(sorted []float64, bins int) (lo, hi float64, counts []int) {
	if len(sorted) == 0 {
		return 0, 1, nil
	}
	lo, hi = sorted[0], sorted[len(sorted)-1]
	if size := max(math.Abs(lo), math.Abs(hi)); hi-lo <= size*1e-9 || hi-lo < 1/limit {
		half := size / 20 // all the same: one bar around it
		if half < 1/limit {
			half = 0.5
		}
		return lo - half, hi + half, []int{len(sorted)}
	}
	if bins == 0 {
		bins = freedmanDiaconis(sorted)
	}
	counts = make([]int, bins)
	for _, v := range sorted {
		counts[min(int((v-lo)/(hi-lo)*float64(bins)), bins-1)]++
	}
	return lo, hi, counts
}

// freedmanDiaconis returns range / (2·IQR·n^(-1/3)), between 5 and 80.
func freedmanDiaconis(sorted []float64) int {
	n := len(sorted)
	iqr := sorted[n*3/4] - sorted[n/4]
	width := 2 * iqr / math.Cbrt(float64(n))
	bins := math.Ceil((sorted[n-1] - sorted[0]) / width)
	if !(bins <= 80) { // infinite when half of the values are one
		return 80
	}
	return max(5, int(bins))
}
