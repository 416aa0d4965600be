package steps

import (
	"fmt"
	"io"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/plot"
	"github.com/actually-robust-training/art/internal/tensorfile"
)

// artifacts saves the data card, the first rows, and pictures.
func (x exploration) artifacts() error {
	s := &x.sample
	files := []struct {
		name  string
		write func(io.Writer) error
	}{
		{"data-card.md", x.card},
		{"sample.npy", func(w io.Writer) error {
			return tensorfile.WriteNPY(w, append([]int{s.first}, x.shape...), s.inputs)
		}},
		{"sample-targets.npy", func(w io.Writer) error {
			return tensorfile.WriteNPY(w, append([]int{s.first}, x.targetShape...), s.targets)
		}},
	}
	for _, f := range files {
		if err := x.save(f.name, f.write); err != nil {
			return err
		}
	}
	if len(s.sheet) > 0 {
		if err := x.save("contact-sheet.png", x.contactSheet().PNG); err != nil {
			return err
		}
	}
	if len(x.data.Classes) > 0 {
		bars := x.classBars()
		if err := x.chart("class-counts", bars.SVG, bars.PNG); err != nil {
			return err
		}
	}
	return x.histograms()
}

// chart saves a picture in both formats.
func (x exploration) chart(name string, svg, png func(io.Writer) error) error {
	if err := x.save(name+".svg", svg); err != nil {
		return err
	}
	return x.save(name+".png", png)
}

// contactSheet shows the first pictures of each class, a class a row if there is room.
func (x exploration) contactSheet() plot.ContactSheet {
	sheet := plot.ContactSheet{Title: x.data.Name + ", training"}
	if len(x.sample.sheet) > 1 {
		sheet.Columns = x.sample.examples
	}
	for class, examples := range x.sample.sheet {
		for _, e := range examples {
			caption := checks.Number(float64(e.target))
			if len(x.data.Classes) > 0 && class < len(x.data.Classes) {
				caption = x.data.Classes[class]
			}
			sheet.Images = append(sheet.Images, plot.Image{
				W: x.shape[2], H: x.shape[1], C: x.shape[0], Pixels: e.pixels, Caption: fmt.Sprintf("%s · %d", caption, e.row)})
		}
	}
	return sheet
}

func (x exploration) classBars() plot.Bars {
	bars := plot.Bars{Title: "rows of each class", YLabel: "rows", Labels: x.data.Classes}
	if !x.indicator && len(x.targetShape) > 0 {
		bars.Title, bars.YLabel = "positions of each class", "positions"
	}
	for _, f := range x.stages {
		bars.Series = append(bars.Series, plot.BarSeries{Name: f.name, Values: x.counts(f)})
	}
	return bars
}

// histogramsApart is the number of features up to which each has a histogram of its own.
const histogramsApart = 8

// histograms shows the values of each feature or channel, or of all together.
func (x exploration) histograms() error {
	if x.groups == 0 {
		return nil
	}
	if x.groups == 1 || x.groups > histogramsApart || x.data.Tokens > 0 {
		return x.histogram("inputs", "all inputs", 0, x.groups*x.span)
	}
	for g := range x.groups {
		name := checks.Slug(x.group(g))
		if g < len(x.data.Features) {
			name = checks.Slug(x.data.Features[g])
		}
		if err := x.histogram(fmt.Sprintf("%d-%s", g, name), x.group(g), g*x.span, (g+1)*x.span); err != nil {
			return err
		}
	}
	return nil
}

func (x exploration) histogram(file, title string, from, to int) error {
	h := plot.Histogram{Title: title + ", training", XLabel: "value"}
	for _, row := range x.sample.reservoir {
		for _, v := range row[from:to] {
			h.Values = append(h.Values, float64(v))
		}
	}
	return x.chart("histograms/"+file, h.SVG, h.PNG)
}
