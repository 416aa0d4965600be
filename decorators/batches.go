package decorators

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/actually-robust-training/art/internal/plot"
	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/train"
)

// BatchSaver saves the exact tensors that enter the network: "visualise just
// before the net" (Karpathy 2019). For each batch it saves inputs.npy and
// targets.npy, bit for bit, and inputs.png where the inputs are pictures, [rows,
// 1 or 3, height, width], with their targets as captions.
type BatchSaver struct {
	// First is how many batches are saved from the beginning of the loop. Default
	// 2, or 0 when Iterations is set.
	First int
	// Iterations are others to save, counted from 0.
	Iterations []int
	// Pictures is how many rows inputs.png shows. Default 64.
	Pictures int
	// Name is the folder of the files, below it one for each iteration. Default
	// "batches".
	Name string
}

// Decorate is a [train.Decorator].
func (b BatchSaver) Decorate(next train.UpdateFunc) train.UpdateFunc {
	if b.First == 0 && len(b.Iterations) == 0 {
		b.First = 2
	}
	if b.Pictures == 0 {
		b.Pictures = 64
	}
	if b.Name == "" {
		b.Name = "batches"
	}
	saved := 0
	return func(ctx context.Context, s *train.State) error {
		if saved >= b.First && !slices.Contains(b.Iterations, s.Iteration) {
			return next(ctx, s)
		}
		saved++
		if err := b.save(s); err != nil {
			return fmt.Errorf("decorators.BatchSaver: %w", err)
		}
		return next(ctx, s)
	}
}

func (b BatchSaver) save(s *train.State) error {
	folder := fmt.Sprintf("%s/%06d/", b.Name, s.Iteration)
	npy := func(t train.Tensor) func(io.Writer) error {
		return func(w io.Writer) error { return tensorfile.WriteNPY(w, t.Shape, t.Data) }
	}
	if err := s.Save(folder+"inputs.npy", npy(s.Batch.Inputs)); err != nil {
		return err
	}
	if err := s.Save(folder+"targets.npy", npy(s.Batch.Targets)); err != nil {
		return err
	}
	if shape := s.Batch.Inputs.Shape; len(shape) != 4 || shape[1] != 1 && shape[1] != 3 || train.Size(shape) == 0 {
		return nil
	}
	sheet := b.sheet(s)
	return s.Save(folder+"inputs.png", sheet.PNG)
}

func (b BatchSaver) sheet(s *train.State) plot.ContactSheet {
	inputs, targets := s.Batch.Inputs, s.Batch.Targets
	sheet := plot.ContactSheet{Title: fmt.Sprintf("batch of iteration %d", s.Iteration)}
	for i := range min(s.Batch.Len(), max(b.Pictures, 1)) {
		p := plot.Image{C: inputs.Shape[1], H: inputs.Shape[2], W: inputs.Shape[3], Pixels: inputs.Row(i)}
		if t := targets.Row(i); len(t) > 0 {
			p.Caption = fmt.Sprint(t[0])
			if len(t) > 1 {
				p.Caption = fmt.Sprint(t[:min(len(t), 4)])
			}
		}
		sheet.Images = append(sheet.Images, p)
	}
	return sheet
}
