package loggers_test

import (
	"io"
	"log/slog"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/record"
)

// scalar is what a training loop reports in every iteration.
func scalar() record.Event {
	return record.Event{
		Seq: 1, Time: time.Unix(1769860800, 0), Kind: record.Scalar, Step: "overfit", Model: "mlp",
		Stage: "training", Name: "loss", Iteration: 1, Value: 0.5,
	}
}

// BenchmarkScalar is what one scalar costs the goroutine that trains.
func BenchmarkScalar(b *testing.B) {
	for name, sink := range sinks(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			e := scalar()
			for b.Loop() {
				e.Seq++
				e.Iteration++
				e.Value += math.Sqrt2
				e.Time = e.Time.Add(time.Millisecond)
				if err := sink.Emit(e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func sinks(tb testing.TB) map[string]record.Sink {
	dir := tb.TempDir()
	all := map[string]record.Sink{
		"JSONLines":   &loggers.JSONLines{Path: filepath.Join(dir, "runs.jsonl")},
		"CSV":         &loggers.CSV{Path: filepath.Join(dir, "curves.csv")},
		"TensorBoard": &loggers.TensorBoard{Dir: dir},
		"Console":     &loggers.Console{W: io.Discard},
		"Slog":        &loggers.Slog{Logger: slog.New(slog.NewTextHandler(io.Discard, nil))},
		"Filter":      &loggers.Filter{Sink: record.Discard, Names: []string{"loss"}, Interval: time.Second},
	}
	tb.Cleanup(func() {
		for _, s := range all {
			if c, ok := s.(io.Closer); ok {
				c.Close()
			}
		}
	})
	return all
}

func TestScalarsAllocateNothing(t *testing.T) {
	for name, sink := range sinks(t) {
		e := scalar()
		allocs := testing.AllocsPerRun(200, func() {
			e.Iteration++
			if err := sink.Emit(e); err != nil {
				panic(err)
			}
		})
		assert.Zero(t, allocs, name)
	}
}
