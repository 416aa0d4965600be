package arttest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// The harness is what Step adds to the iterations of a step: a subtest, a goroutine,
// events and progress. It is measured with iterations of about 5 µs, a short enough
// time to show it, that report a loss each, against the same loop alone. New needs a
// *testing.T, so the recipe is run by a test that measures, not by a benchmark.

const iterations = 1000

// work is about 5 µs of arithmetic.
func work() float64 {
	x := 1.
	for range 3300 {
		x = x*1.0000001 + 1e-9
	}
	return x
}

// best is the least of several times of f: what else the machine does only adds.
func best(f func()) time.Duration {
	least := time.Duration(1 << 62)
	for range 15 {
		start := time.Now()
		f()
		least = min(least, time.Since(start))
	}
	return least
}

// TestOverhead keeps what the harness costs below 1 % of an iteration of 5 ms, and 3 %
// of one of 0.5 ms: 15 µs, with two events for each iteration as train.Loop has.
func TestOverhead(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	sum := 0.
	bare := best(func() {
		for range iterations {
			sum += work()
		}
	})
	r := arttest.New(t, arttest.Recipe{Name: "overhead", Data: traintest.Blobs(1, 8, 2)})
	var recipe time.Duration
	arttest.Step(r, arttest.StepFunc{Name: "iterations", Func: func(_ context.Context, s *arttest.Scope) error {
		recipe = best(func() {
			for i := range iterations {
				sum += work()
				s.Emit(record.Event{Kind: record.Scalar, Stage: train.Training, Name: train.LossName, Iteration: i, Value: sum})
				s.Emit(record.Event{Kind: record.Scalar, Stage: train.Training, Name: "learning-rate", Iteration: i, Value: 0.1})
				s.Progress(i+1, iterations, "")
			}
		})
		return nil
	}})
	steps := 0
	whole := best(func() {
		steps++
		arttest.Step(r, arttest.StepFunc{Name: fmt.Sprint("nothing-", steps), Options: arttest.Options{After: []string{}},
			Func: func(context.Context, *arttest.Scope) error { return nil }})
	})
	each := (recipe - bare) / iterations
	t.Logf("an iteration alone takes %v, in a recipe %v: %v more, with two events; a step that does nothing takes %v", bare/iterations, recipe/iterations, each, whole)
	if each > 15*time.Microsecond {
		t.Errorf("the harness costs %v an iteration, more than 3 %% of 0.5 ms", each)
	}
	if perStep := whole / iterations; each+perStep > 15*time.Microsecond {
		t.Errorf("with its share of the step, the harness costs %v an iteration", each+perStep)
	}
}

// BenchmarkFold is the cost of an event that stays in memory, BenchmarkEventFile of
// one that is written too: what Emit does but for the lock.
func BenchmarkFold(b *testing.B) { emit(b, &record.Run{}) }

func BenchmarkEventFile(b *testing.B) {
	f, err := record.Create(b.TempDir() + "/events.jsonl")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	emit(b, record.Tee(&record.Run{}, f))
}

func emit(b *testing.B, sink record.Sink) {
	b.ReportAllocs()
	stamp := record.Stamp{Sink: sink}
	if err := stamp.Emit(record.Event{Kind: record.StepStart, Step: "it"}); err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if err := stamp.Emit(record.Event{Kind: record.Scalar, Step: "it", Stage: train.Training, Name: train.LossName, Iteration: i, Value: float64(i)}); err != nil {
			b.Fatal(err)
		}
	}
}
