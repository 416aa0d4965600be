package loggers

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/record"
)

// BenchmarkWandBEmit is what one scalar of a recipe costs the goroutine that trains,
// while the service does not answer.
func BenchmarkWandBEmit(b *testing.B) {
	s := toService(b)
	s.Inject(wandbtest.Fault{Drop: true})
	w := &WandB{Spool: b.TempDir(), Address: s.URL, W: io.Discard, Grace: time.Millisecond}
	require.NoError(b, w.Emit(record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"}))
	b.ReportAllocs()
	e := scalars(2, 2)[0]
	for b.Loop() {
		e.Seq++
		e.Iteration++
		if err := w.Emit(e); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	require.Error(b, w.Close())
}

// BenchmarkWandBLog is what a call of Log costs, offline. TestCosts has the table
// beside the official client.
func BenchmarkWandBLog(b *testing.B) {
	for name, width := range map[string]int{"1": 1, "10": 10} {
		b.Run(name, func(b *testing.B) {
			run, err := (&WandB{Mode: "offline", Spool: b.TempDir(), W: io.Discard}).Start()
			require.NoError(b, err)
			row := map[string]any{}
			for i := range width {
				row["m"+string(rune('0'+i))] = 0.5
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				row["m0"] = float64(n) / 7
				if err := run.Log(row); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, run.Finish(0))
		})
	}
}

// BenchmarkWandBPoints sends a hundred thousand scalars to a service that takes
// everything: points a second until it has the last one, and what is held in memory.
func BenchmarkWandBPoints(b *testing.B) {
	const points = 100_000
	events := scalars(2, points+1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		s := toService(b)
		b.Setenv("WANDB_API_KEY", s.Key())
		w := &WandB{Spool: b.TempDir(), Address: s.URL, W: io.Discard, Grace: time.Minute}
		require.NoError(b, w.Emit(record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"}))
		for _, e := range events {
			if err := w.Emit(e); err != nil {
				b.Fatal(err)
			}
		}
		require.NoError(b, w.Close())
		if got := len(s.Runs()[0].History); got != points {
			b.Fatalf("%d points have arrived", got)
		}
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(points*float64(b.N)/b.Elapsed().Seconds(), "points/s")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(points*b.N), "B/point")
}
