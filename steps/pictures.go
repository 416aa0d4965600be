package steps

import (
	"fmt"
	"io"
	"math"
	"path"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/plot"
	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// saveTraining keeps what people look at after a training: the loss curve, the
// confusion matrices, and the weights.
func (t *trial) saveTraining() error {
	if t.silent || t.bare || t.scope.Dry() {
		return nil
	}
	if err := t.savePlot("loss", t.lossCurve()); err != nil {
		return err
	}
	for _, c := range t.series() {
		p, ok := c.Last()
		if !ok || len(p.Shape) != 2 {
			continue
		}
		if err := t.savePlot(c.Name+"-"+c.Stage, t.heatmap(c.Name+" on "+c.Stage+" data", p)); err != nil {
			return err
		}
	}
	return t.saveWeights()
}

// picture is a plot that can be written in both formats.
type picture interface {
	SVG(io.Writer) error
	PNG(io.Writer) error
}

func (t *trial) savePlot(name string, p picture) error {
	if err := t.scope.Save(t.file(name+".svg"), p.SVG); err != nil {
		return err
	}
	return t.scope.Save(t.file(name+".png"), p.PNG)
}

// file is a name in the folder of the trial.
func (t *trial) file(name string) string {
	if t.name == "" {
		return name
	}
	return path.Join(checks.Slug(t.name), name)
}

// series are those of this trial.
func (t *trial) series() []*record.Series {
	var own []*record.Series
	for _, c := range t.scope.Step().Series {
		if c.Trial == t.name && c.Model == t.model.Name {
			own = append(own, c)
		}
	}
	return own
}

// lossCurve draws the loss of every iteration and that of the validation data.
func (t *trial) lossCurve() plot.Line {
	p := plot.Line{Title: fmt.Sprintf("loss of %s", t.model.Name), XLabel: "iteration", YLabel: "loss", LogY: true}
	for _, c := range t.series() {
		if c.Name != train.LossName || c.Whole && c.Stage != train.Validation {
			continue
		}
		s := plot.Series{Name: "training, each batch"}
		if c.Whole {
			s.Name = "validation, whole"
		}
		for _, q := range thin(c.Points, 600) {
			s.X, s.Y = append(s.X, float64(q.Iteration)), append(s.Y, q.Value)
			if q.Value <= 0 {
				p.LogY = false
			}
		}
		p.Series = append(p.Series, s)
	}
	return p
}

// thin leaves out points of a long series: of every group of neighbours, it
// keeps the lowest and the highest.
func thin(points []record.Point, most int) []record.Point {
	if len(points) <= most {
		return points
	}
	var kept []record.Point
	for i := range most / 2 {
		group := points[2*i*len(points)/most : 2*(i+1)*len(points)/most]
		low, high := 0, 0
		for k, p := range group {
			if p.Value < group[low].Value {
				low = k
			}
			if p.Value > group[high].Value {
				high = k
			}
		}
		kept = append(kept, group[min(low, high)])
		if low != high {
			kept = append(kept, group[max(low, high)])
		}
	}
	return kept
}

func (t *trial) heatmap(title string, p record.Point) plot.Heatmap {
	h := plot.Heatmap{Title: title, XLabel: "predicted", YLabel: "actual", RowLabels: t.data.Classes, ColumnLabels: t.data.Classes}
	rows, columns := p.Shape[0], p.Shape[1]
	if len(t.data.Classes) != rows {
		h.RowLabels, h.ColumnLabels = nil, nil
	}
	for i := range rows {
		h.Values = append(h.Values, p.Values[i*columns:(i+1)*columns])
	}
	return h
}

// saveWeights keeps the trained parameters in the form that Python reads too.
func (t *trial) saveWeights() error {
	var arrays []tensorfile.Array
	for _, p := range t.learner.Params() {
		a, err := tensorfile.New(p.Name, p.Shape, p.Value)
		if err != nil {
			return fmt.Errorf("weights: %w", err)
		}
		arrays = append(arrays, a)
	}
	if len(arrays) == 0 {
		return nil
	}
	metadata := map[string]string{"model": t.model.Name, "seed": fmt.Sprint(t.scope.Seed())}
	if loss, ok := t.scope.Step().Score(train.LossName, train.Training); ok && !math.IsNaN(loss.Value) {
		metadata["loss"] = checks.Number(loss.Value)
	}
	return t.scope.Save(t.file("weights.safetensors"), func(w io.Writer) error {
		return tensorfile.WriteSafetensors(w, arrays, metadata)
	})
}
