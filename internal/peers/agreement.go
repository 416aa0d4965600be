package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"time"
)

// Engines must agree within this share on the loss of the first iterations, from
// the same weights on the same batch: what is compared is then the same
// computation, forward, backward and update.
const (
	agreementShare      = 1e-3
	agreementIterations = 5
)

// agree has our engine write weights and batch of each row to a folder of its
// name, and the others train from them. The result has, for each row and engine
// that disagrees or fails, what is wrong.
func (c *comparison) agree(ctx context.Context) error {
	threads := c.Threads[len(c.Threads)-1]
	crew := newCrew(threads)
	defer crew.stop()
	for _, row := range c.Rows {
		folder := filepath.Join(c.dir, row.Name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		request := Request{Op: "export", Row: &row, Folder: folder}
		if _, err := crew.ask(ctx, c.engines[0], request, time.Minute); err != nil {
			return fmt.Errorf("%s: writing weights: %w", row.Name, err)
		}
		request.Op, request.Iterations = "losses", agreementIterations
		want, err := crew.ask(ctx, c.engines[0], request, time.Minute)
		if err != nil {
			return fmt.Errorf("%s: %w", row.Name, err)
		}
		worst := 0.0
		for _, e := range c.engines[1:] {
			if !e.Runs(row) {
				continue
			}
			request.Variant = e.Variants(row)[0]
			got, err := crew.ask(ctx, e, request, 5*time.Minute)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err == nil {
				var d float64
				d, err = difference(want.Losses, got.Losses)
				worst = max(worst, d)
			}
			if err != nil {
				c.Wrong[e.Name+" "+row.Name] = err.Error()
				c.progress.note("%s, %s: %v", row.Name, e.Name, err)
			}
		}
		c.progress.finish(agreementSeconds, "%s: losses of %d iterations agree within %.1e", row.Name, agreementIterations, worst)
	}
	return nil
}

// agreementSeconds is about what a row takes.
const agreementSeconds = 2

// difference is the largest relative difference, and an error if it is too large.
func difference(want, got []float64) (float64, error) {
	if len(got) != len(want) {
		return math.Inf(1), fmt.Errorf("%d losses, want %d", len(got), len(want))
	}
	worst := 0.0
	for i := range want {
		d := math.Abs(got[i]-want[i]) / math.Max(math.Abs(want[i]), 1e-3)
		if !(d <= agreementShare) {
			return d, fmt.Errorf("computes something else: loss %.6g in iteration %d, ours %.6g", got[i], i, want[i])
		}
		worst = max(worst, d)
	}
	return worst, nil
}
