package record_test

import (
	"bytes"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// scalar is what a training loop reports in every iteration.
func scalar(i int) record.Event {
	return record.Event{
		Seq: int64(i + 1), Time: time.Unix(1769860800, int64(i)*1_234_567), Kind: record.Scalar, Step: "overfit", Model: "mlp",
		Stage: "training", Name: "loss", Iteration: i, Epoch: i / 100, Value: math.Sqrt(float64(i)),
	}
}

func BenchmarkWriterScalar(b *testing.B) { benchmarkScalar(b, record.NewWriter(io.Discard)) }

func BenchmarkFileScalar(b *testing.B) {
	f, err := record.Create(filepath.Join(b.TempDir(), "events.jsonl"))
	require.NoError(b, err)
	defer f.Close()
	benchmarkScalar(b, f)
}

func BenchmarkRunScalar(b *testing.B) { benchmarkScalar(b, &record.Run{}) }

func BenchmarkStampedFileAndRunScalar(b *testing.B) {
	f, err := record.Create(filepath.Join(b.TempDir(), "events.jsonl"))
	require.NoError(b, err)
	defer f.Close()
	benchmarkScalar(b, &record.Stamp{Sink: record.Tee(f, &record.Run{})})
}

func benchmarkScalar(b *testing.B, sink record.Sink) {
	b.ReportAllocs()
	e := scalar(0)
	for b.Loop() {
		e.Seq++
		e.Iteration++
		e.Value += math.Sqrt2
		e.Time = e.Time.Add(time.Millisecond)
		if err := sink.Emit(e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFoldMillion reads a run of a million scalars from its file; it
// reports the memory that the Run keeps.
func BenchmarkFoldMillion(b *testing.B) {
	var file bytes.Buffer
	w := record.NewWriter(&file)
	for i := range 1_000_000 {
		if err := w.Emit(scalar(i)); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(file.Len()))
	var kept uint64
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		run, err := record.Fold(bytes.NewReader(file.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		kept = after.HeapAlloc - before.HeapAlloc
		runtime.KeepAlive(run)
	}
	b.ReportMetric(float64(kept)/1e6, "MB-kept")
}

func TestScalarsAreWrittenWithoutAllocating(t *testing.T) {
	f, err := record.Create(filepath.Join(t.TempDir(), "events.jsonl"))
	require.NoError(t, err)
	defer f.Close()
	for name, sink := range map[string]record.Sink{
		"writer": record.NewWriter(io.Discard),
		"stamp":  &record.Stamp{Sink: record.NewWriter(io.Discard)},
		"file":   f,
		"tee":    record.Tee(f, record.NewWriter(io.Discard)),
	} {
		e := scalar(12345)
		assert.Zero(t, testing.AllocsPerRun(200, func() {
			e.Seq++
			e.Value *= 1.1
			if sink.Emit(e) != nil {
				panic("emit")
			}
		}), name)
	}
}

// Folding costs the same an event however many there are, over one series or
// many steps.
func TestFoldIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	fold := func(n int) time.Duration {
		best := time.Duration(math.MaxInt64)
		for range 3 {
			var run record.Run
			begin := time.Now()
			for i := range n {
				e := scalar(i)
				e.Step = string(rune('a' + i%5000))
				recordtest.Emit(t, &run, e)
			}
			best = min(best, time.Since(begin))
		}
		return best
	}
	small, large := fold(50_000), fold(400_000)
	assert.Less(t, float64(large)/float64(small), 8*4., "8 times the events took %v after %v", large, small)
}
