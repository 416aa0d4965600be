package main

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
)

// comparison measures rows with all engines.
type comparison struct {
	*Report
	engines        []Engine
	dir            string // scratch, with a folder of weights for each row
	kernel         string // test binary of internal/kernel
	progress       *progress
	warmUp, window float64 // seconds
}

// Seconds that things are expected to take beside their measurement.
const (
	startSeconds   = 10 // workers of a round, with the import of torch
	compileSeconds = 25
	besideSeconds  = 0.3
	peakSeconds    = 4
)

// plan says how much there is to do. Compiled variants are expected to lose.
func (c *comparison) plan() {
	c.progress.plan(float64(len(c.Rows)) * agreementSeconds)
	for round := range c.Rounds {
		for range c.Threads {
			c.progress.plan(startSeconds + peakSeconds)
			for _, row := range c.Rows {
				c.progress.plan(c.expected(row, round))
			}
		}
	}
}

func (c *comparison) expected(row Row, round int) float64 {
	seconds := 0.0
	for _, e := range c.engines {
		for _, v := range e.Variants(row) {
			switch {
			case !e.Runs(row):
			case round > 0 && slow(v):
			case slow(v):
				seconds += compileSeconds
				fallthrough
			default:
				seconds += c.warmUp + c.window + besideSeconds
			}
		}
	}
	return seconds
}

// measure runs all rounds. In each, and for each number of threads, fresh
// processes take turns row by row, so that whatever else the machine does meets
// all engines alike.
func (c *comparison) measure(ctx context.Context) error {
	for round := range c.Rounds {
		for _, threads := range c.Threads {
			if err := c.round(ctx, round, threads); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *comparison) round(ctx context.Context, round, threads int) error {
	peak, err := peakRate(ctx, c.kernel, threads)
	if err != nil {
		return fmt.Errorf("measuring the peak: %w", err)
	}
	c.Peaks[threads] = append(c.Peaks[threads], peak)
	c.progress.finish(peakSeconds, "round %d of %d, %s: peak %.0f GFLOP/s", round+1, c.Rounds, threadsOf(threads), peak)
	crew := newCrew(threads)
	defer crew.stop()
	for _, e := range c.engines {
		reply, err := crew.ask(ctx, e, Request{Op: "about"}, 3*time.Minute)
		if err != nil {
			c.progress.note("%s: %v", e.Name, err)
		}
		for name, version := range reply.Versions {
			c.Versions[name] = version
		}
	}
	c.progress.finish(startSeconds, "round %d of %d, %s: workers are up", round+1, c.Rounds, threadsOf(threads))
	for _, row := range c.Rows {
		said := c.row(ctx, crew, round, row)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.progress.finish(c.expected(row, round), "round %d of %d, %s, %s: %s", round+1, c.Rounds, threadsOf(threads), row.Name, said)
	}
	return nil
}

// row measures one row once with every engine and variant, and says what it found.
// The engine that begins changes from round to round.
func (c *comparison) row(ctx context.Context, crew *crew, round int, row Row) string {
	var said []string
	for i := range c.engines {
		e := c.engines[(i+round)%len(c.engines)]
		if !e.Runs(row) {
			continue
		}
		for _, variant := range e.Variants(row) {
			s := c.Samples.Of(row.Name, crew.threads, e.Name, variant)
			if wrong := c.Wrong[e.Name+" "+row.Name]; wrong != "" {
				s.Problem = wrong
			}
			if s.Problem != "" || s.Dropped {
				continue
			}
			reply, err := crew.ask(ctx, e, Request{Op: "measure", Row: &row, Variant: variant,
				Folder: c.dir + "/" + row.Name, WarmUp: c.warmUp, Window: c.window}, 10*time.Minute)
			if ctx.Err() != nil {
				return ""
			}
			if err != nil {
				s.Problem = err.Error()
				c.progress.note("%s, %s %s: %v", row.Name, e.Name, variant, err)
				continue
			}
			s.Rounds[round] = reply.Milliseconds
		}
		if best := c.Samples.Best(row.Name, crew.threads, e.Name); best != nil && !math.IsNaN(best.Median()) {
			said = append(said, fmt.Sprintf("%s %s", strings.TrimSpace(e.Name+" "+best.Variant), milliseconds(best.Rounds[round])))
		}
		if round == 0 {
			c.Samples.DropLosers(row.Name, crew.threads, e.Name)
		}
	}
	return strings.Join(said, ", ")
}

// threadsOf is "1 thread", "2 threads".
func threadsOf(n int) string {
	if n == 1 {
		return "1 thread"
	}
	return fmt.Sprintf("%d threads", n)
}
