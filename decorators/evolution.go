package decorators

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/actually-robust-training/art/internal/plot"
	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/train"
)

// EvolutionSaver follows the predictions of a fixed batch through training:
// "visualise prediction dynamics" (Karpathy 2019). Every so many updates it
// predicts in inference mode, logs "prediction-change", the mean absolute change
// since the last time, and at the end saves a plot and an archive:
//
//   - evolution.npz: "iteration" [times], "predictions" [times, rows, …] (the
//     probabilities of a classifier, else the outputs), "inputs" and "targets";
//   - evolution.svg and .png: one curve a row, the probability of its class, or its
//     first output.
//
// Predictions are those after the update of an iteration. They cost one
// forward pass each.
type EvolutionSaver struct {
	// Every is the number of iterations from one look to the next. Default 10.
	Every int
	// Batch is what is predicted. Default: the first batch of the loop.
	Batch train.Batch
	// Rows is how many rows of it are. Default 16.
	Rows int
	// Name of the files, without extension. Default "evolution".
	Name string
}

// mostLooks are kept.
const mostLooks = 1000

// Decorate is a [train.Decorator].
func (o EvolutionSaver) Decorate(next train.UpdateFunc) train.UpdateFunc {
	if o.Name == "" {
		o.Name = "evolution"
	}
	if o.Rows == 0 {
		o.Rows = 16
	}
	o.Every = every(o.Every)
	var seen *evolution
	return func(ctx context.Context, s *train.State) error {
		if seen == nil {
			b := o.Batch
			if b.Len() == 0 {
				b = s.Batch
			}
			if err := b.Check(); err != nil {
				return fmt.Errorf("decorators.EvolutionSaver: the field Batch: %w", err)
			}
			seen = &evolution{looks: thinned[look]{most: mostLooks}, batch: b.Slice(0, min(b.Len(), max(o.Rows, 1))).Clone()}
			save := s.Save
			s.OnEnd(func() error { return seen.save(save, o.Name) })
		}
		// The prediction comes after the update: what is inside the learner until
		// then belongs to the batch of the loop, and others may look at it.
		if err := next(ctx, s); err != nil || !due(s, o.Every) {
			return err
		}
		if err := seen.look(s); err != nil {
			return fmt.Errorf("decorators.EvolutionSaver: %w", err)
		}
		return nil
	}
}

// evolution is what one loop has seen.
type evolution struct {
	batch   train.Batch
	shape   []int // of the predictions of one look
	classes bool  // they are probabilities
	looks   thinned[look]
}

type look struct {
	iteration   int
	predictions []float32
}

func (e *evolution) look(s *train.State) error {
	p, err := s.Learner.Predict(e.batch)
	if err != nil {
		return fmt.Errorf("predicting the fixed batch: %w", err)
	}
	t := p.Probabilities
	if e.classes = len(t.Data) > 0; !e.classes {
		t = p.Outputs
	}
	if last := e.looks.last.predictions; len(last) > 0 && len(last) == len(t.Data) {
		sum := 0.
		for i, v := range t.Data {
			sum += math.Abs(float64(v) - float64(last[i]))
		}
		s.Log("prediction-change", sum/float64(max(len(t.Data), 1)))
	}
	e.shape = slices.Clone(t.Shape)
	e.looks.add(look{s.Iteration, slices.Clone(t.Data)})
	return nil
}

func (e *evolution) save(save train.SaveFunc, name string) error {
	if e.looks.seen == 0 {
		return nil
	}
	line := e.line()
	return errors.Join(save(name+".npz", e.write), save(name+".svg", line.SVG), save(name+".png", line.PNG))
}

func (e *evolution) write(w io.Writer) error {
	var iterations, predictions []float32
	for _, l := range e.looks.all() {
		iterations, predictions = append(iterations, float32(l.iteration)), append(predictions, l.predictions...)
	}
	looks := len(iterations)
	var arrays []tensorfile.Array
	for _, a := range []struct {
		name  string
		shape []int
		data  []float32
	}{
		{"iteration", []int{looks}, iterations},
		{"predictions", append([]int{looks}, e.shape...), predictions},
		{"inputs", e.batch.Inputs.Shape, e.batch.Inputs.Data},
		{"targets", e.batch.Targets.Shape, e.batch.Targets.Data},
	} {
		array, err := tensorfile.New(a.name, a.shape, a.data)
		if err != nil {
			return err
		}
		arrays = append(arrays, array)
	}
	return tensorfile.WriteNPZ(w, arrays)
}

// line is one curve a row.
func (e *evolution) line() plot.Line {
	l := plot.Line{Title: "predictions of a fixed batch", XLabel: "iteration", YLabel: "first output"}
	if e.classes {
		l.YLabel = "probability of the class"
	}
	looks, rows := e.looks.all(), e.batch.Len()
	size := len(looks[0].predictions) / rows
	for row := range rows {
		at, name := row*size, fmt.Sprintf("row %d", row)
		if targets := e.batch.Targets.Row(row); e.classes && len(targets) > 0 {
			name = fmt.Sprintf("row %d: class %v", row, targets[0])
			if c := int(targets[0]); c >= 0 && c < e.shape[len(e.shape)-1] {
				at += c
			}
		}
		series := plot.Series{Name: name}
		for _, look := range looks {
			series.X = append(series.X, float64(look.iteration))
			series.Y = append(series.Y, float64(look.predictions[at]))
		}
		l.Series = append(l.Series, series)
	}
	return l
}
