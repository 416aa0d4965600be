package decorators

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/actually-robust-training/art/internal/plot"
	"github.com/actually-robust-training/art/train"
)

// curves collects numbers for a plot, one curve a name, in order of appearance.
type curves struct {
	names []string
	of    map[string]*thinned[point]
}

type point struct{ x, y float64 }

// mostPoints of a curve are kept for the plot; the log has all.
const mostPoints = 4096

func (c *curves) add(name string, s *train.State, value float64) {
	if c.of == nil {
		c.of = map[string]*thinned[point]{}
	}
	if c.of[name] == nil {
		c.of[name] = &thinned[point]{most: mostPoints}
		c.names = append(c.names, name)
	}
	c.of[name].add(point{float64(s.Iteration), value})
}

// save draws the curves in both formats; nothing when there are none.
func (c *curves) save(save train.SaveFunc, name string, line plot.Line) error {
	if len(c.names) == 0 {
		return nil
	}
	line.XLabel = "iteration"
	for _, name := range c.names {
		series := plot.Series{Name: name}
		for _, p := range c.of[name].all() {
			series.X, series.Y = append(series.X, p.x), append(series.Y, p.y)
		}
		line.Series = append(line.Series, series)
	}
	return errors.Join(save(name+".svg", line.SVG), save(name+".png", line.PNG))
}

// table collects lines of cells and writes them in columns.
type table struct{ lines []string }

func (t *table) add(cells ...any) {
	texts := make([]string, len(cells))
	for i, c := range cells {
		switch v := c.(type) {
		case float64:
			texts[i] = fmt.Sprintf("%.5g", v)
		default:
			texts[i] = fmt.Sprint(v)
		}
	}
	t.lines = append(t.lines, strings.Join(texts, "\t"))
}

func (t *table) write(w io.Writer) error {
	columns := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, line := range t.lines {
		if _, err := fmt.Fprintln(columns, line); err != nil {
			return err
		}
	}
	return columns.Flush()
}
