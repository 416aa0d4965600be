package arttest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

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

// TestOverhead measures what the harness adds to an iteration with two events, as
// train.Loop has them, and what a step costs that does nothing. It keeps the first free of
// allocations; how long they take, run it with -v to see.
func TestOverhead(t *testing.T) {
	sum := 0.
	bare := best(func() {
		for range iterations {
			sum += work()
		}
	})
	r := arttest.New(t, arttest.Recipe{Name: "overhead", Data: traintest.Blobs(1, 8, 2)})
	var recipe time.Duration
	var allocations float64
	arttest.Step(r, arttest.StepFunc{Name: "iterations", Func: func(_ context.Context, s *arttest.Scope) error {
		report := func(i int) {
			s.Emit(record.Event{Kind: record.Scalar, Stage: train.Training, Name: train.LossName, Iteration: i, Value: sum})
			s.Emit(record.Event{Kind: record.Scalar, Stage: train.Training, Name: "learning-rate", Iteration: i, Value: 0.1})
			s.Progress(i+1, iterations, "")
		}
		recipe = best(func() {
			for i := range iterations {
				sum += work()
				report(i)
			}
		})
		allocations = testing.AllocsPerRun(iterations, func() { report(0) })
		return nil
	}})
	assert.Less(t, allocations, 1., "an iteration of the harness allocates")
	steps := 0 // without a fingerprint, which costs milliseconds, once: see package fingerprint
	whole := best(func() {
		steps++
		arttest.Step(r, arttest.StepFunc{Name: fmt.Sprint("nothing-", steps), Options: arttest.Options{After: []string{}, Fresh: true},
			Func: func(context.Context, *arttest.Scope) error { return nil }})
	})
	t.Logf("an iteration alone takes %v, in a recipe %v: %v more, with two events; a step that does nothing takes %v",
		bare/iterations, recipe/iterations, (recipe-bare)/iterations, whole)
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
