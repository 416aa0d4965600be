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
	series []plot.Series
	index  map[string]int
}

// mostPoints of a curve are kept; beyond, every other one is dropped. The log has all.
const mostPoints = 4096

func (c *curves) add(name string, s *train.State, value float64) {
	if c.index == nil {
		c.index = map[string]int{}
	}
	i, known := c.index[name]
	if !known {
		i = len(c.series)
		c.index[name] = i
		c.series = append(c.series, plot.Series{Name: name})
	}
	p := &c.series[i]
	if len(p.X) >= mostPoints {
		p.X, p.Y = everyOther(p.X), everyOther(p.Y)
	}
	p.X, p.Y = append(p.X, float64(s.Iteration)), append(p.Y, value)
}

func everyOther(v []float64) []float64 {
	for i := range len(v) / 2 {
		v[i] = v[2*i]
	}
	return v[:len(v)/2]
}

// save draws the curves in both formats; nothing when there are none.
func (c *curves) save(save train.SaveFunc, name string, line plot.Line) error {
	if len(c.series) == 0 {
		return nil
	}
	line.XLabel, line.Series = "iteration", c.series
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
