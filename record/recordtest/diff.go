package recordtest

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/actually-robust-training/art/record"
)

// Diff says where two streams of events differ; it is empty if they do not.
// Numbers are compared bit for bit, all NaN being one; times as instants; empty
// lists and maps are nil.
func Diff(want, got []record.Event) string {
	return cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(same))
}

func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}

// Emit sends the events and fails the test at the first error.
func Emit(t testing.TB, sink record.Sink, events ...record.Event) {
	t.Helper()
	for _, e := range events {
		if err := sink.Emit(e); err != nil {
			t.Fatalf("emitting event %d (%s %q): %v", e.Seq, e.Kind, e.Name, err)
		}
	}
}
