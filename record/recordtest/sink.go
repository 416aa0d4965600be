package recordtest

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actually-robust-training/art/record"
)

// Open makes an empty sink, and a function that reads back what it took in.
// Read is called once, after the sink has been closed if it is an [io.Closer].
type Open func(t *testing.T) (sink record.Sink, read func() ([]record.Event, error))

// TestSink proves that a sink keeps everything, in order, as [record.Sink]
// says: all kinds of events, every float64, any text in UTF-8 up to a megabyte.
// It copies what it keeps; an event it cannot take does not hurt the others. If
// it is an [io.Closer], closing it twice is as closing it once, and what comes
// later is an error.
func TestSink(t *testing.T, open Open) {
	t.Helper()
	TestLossy(t, Lossy{}, open)
}

// Lossy says what a sink is allowed to lose.
type Lossy struct {
	// Keeps returns what can be read back of an event, and whether it is kept
	// at all. Nil means everything.
	Keeps func(record.Event) (record.Event, bool)
	// Grouped means that order is kept only among events of one kind, step,
	// trial, model, stage and name.
	Grouped bool
}

// TestLossy is [TestSink] for a sink that is not meant to keep everything.
func TestLossy(t *testing.T, lossy Lossy, open Open) {
	t.Helper()
	for _, c := range []struct {
		name   string
		events []record.Event
	}{
		{"nothing", nil},
		{"a whole recipe", Example()},
		{"every number", numbers()},
		{"odd texts", texts()},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink, read := open(t)
			Emit(t, sink, c.events...)
			finish(t, sink)
			lossy.compare(t, c.events, read)
		})
	}
	t.Run("what is passed is copied", func(t *testing.T) { testCopies(t, lossy, open) })
	t.Run("a refused event hurts no other", func(t *testing.T) { testRefused(t, lossy, open) })
	t.Run("after Close", func(t *testing.T) { testClosed(t, lossy, open) })
}

func (l Lossy) compare(t *testing.T, sent []record.Event, read func() ([]record.Event, error)) {
	t.Helper()
	got, err := read()
	if err != nil {
		t.Fatalf("reading back: %v", err)
	}
	var want []record.Event
	for _, e := range sent {
		keep := true
		if l.Keeps != nil {
			e, keep = l.Keeps(e)
		}
		if keep {
			want = append(want, e)
		}
	}
	if l.Grouped {
		slices.SortStableFunc(want, byGroup)
		slices.SortStableFunc(got, byGroup)
	}
	if diff := Diff(want, got); diff != "" {
		t.Errorf("what was read back differs from what was sent (-sent +read):\n%s", diff)
	}
}

func byGroup(a, b record.Event) int {
	group := func(e record.Event) string {
		return fmt.Sprintf("%q", []string{string(e.Kind), e.Step, e.Trial, e.Model, e.Stage, e.Name})
	}
	return strings.Compare(group(a), group(b))
}

// finish closes the sink, twice, if it can be closed.
func finish(t *testing.T, sink record.Sink) (closed bool) {
	t.Helper()
	c, ok := sink.(io.Closer)
	if !ok {
		return false
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Fatalf("closing: %v", err)
		}
	}
	return true
}

func testCopies(t *testing.T, lossy Lossy, open Open) {
	sink, read := open(t)
	sent := Example()
	for _, e := range Example() {
		Emit(t, sink, e)
		spoil(e)
	}
	finish(t, sink)
	lossy.compare(t, sent, read)
}

// spoil overwrites all memory that an event shares with its caller.
func spoil(e record.Event) {
	for i := range e.Values {
		e.Values[i] = -1
	}
	for i := range e.Shape {
		e.Shape[i] = -1
	}
	for name := range e.Settings {
		e.Settings[name] = "spoilt"
	}
	if a := e.Artifact; a != nil {
		for i := range a.Shape {
			a.Shape[i] = -1
		}
		*a = record.Artifact{Name: "spoilt"}
	}
	if v := e.Verdict; v != nil {
		for _, list := range [][]string{v.Evidence, v.Likely, v.Try, v.Files} {
			for i := range list {
				list[i] = "spoilt"
			}
		}
		*v = record.Verdict{Check: "spoilt"}
	}
}

// testRefused sends an event that no line has room for between others. The
// sink may keep it or refuse it with an error.
func testRefused(t *testing.T, lossy Lossy, open Open) {
	sink, read := open(t)
	events := numbers()
	Emit(t, sink, events[:2]...)
	huge := record.Event{Seq: events[2].Seq, Time: events[2].Time, Kind: record.Text, Step: "s", Name: "huge", Text: strings.Repeat("x", record.MaxLine)}
	refused := sink.Emit(huge) != nil
	Emit(t, sink, events[3:]...)
	finish(t, sink)
	if refused {
		lossy.compare(t, slices.Delete(events, 2, 3), read)
		return
	}
	events[2] = huge
	lossy.compare(t, events, read)
}

func testClosed(t *testing.T, lossy Lossy, open Open) {
	sink, read := open(t)
	events := numbers()
	Emit(t, sink, events...)
	if !finish(t, sink) {
		t.Skip("the sink need not be closed")
	}
	if late := events[0]; sink.Emit(late) == nil {
		t.Error("an event after Close was lost without an error")
	}
	lossy.compare(t, events, read)
}

// numbers returns one step with all float64 that codecs get wrong.
func numbers() []record.Event {
	odd := []float64{
		0, math.Copysign(0, -1), 1, -1, 0.1, 1. / 3, 1e21, 1e-7, 123456789012345680, 1 << 53, 1<<53 + 1,
		math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.MaxFloat32, 2.2250738585072011e-308,
		math.NaN(), math.Inf(1), math.Inf(-1),
	}
	x := &example{}
	x.add(record.Event{Kind: record.StepStart, Step: "s", Model: "m"})
	for i, v := range odd {
		x.add(record.Event{Kind: record.Scalar, Step: "s", Model: "m", Stage: "training", Name: "loss", Iteration: i, Value: v})
		x.add(record.Event{Kind: record.Score, Step: "s", Model: "m", Stage: "test", Name: "loss", Iteration: i, Value: v, Rows: i})
	}
	x.add(record.Event{Kind: record.Vector, Step: "s", Model: "m", Name: "all", Values: odd})
	x.add(record.Event{Kind: record.Vector, Step: "s", Model: "m", Name: "none"})
	return x.events
}

// texts returns names and texts that files and protocols get wrong.
func texts() []record.Event {
	odd := []string{
		"two\nlines", "carriage\rreturn", "\ttab", `"quoted" and back\slashed`, "<b>&amp;</b>", "comma, semicolon; {brace}", "'single'",
		"zero\x00byte", "escape \x1b[31m", "delete \x7f", "separator \u2028 \u2029", "größe → 大きさ 🎯", "\ufeffmark", "\ufffd",
		" padded ", "NaN", "null", "=1+1", "%s%d%!", strings.Repeat("long ", 200_000),
	}
	x := &example{}
	x.add(record.Event{Kind: record.RunStart, Name: "texts", Text: odd[0], Settings: map[string]string{"": "empty name", odd[3]: odd[1]}})
	for i, s := range odd {
		x.add(record.Event{Kind: record.Text, Step: "s", Name: "stdout", Text: s})
		if len(s) < 100 {
			x.add(record.Event{Kind: record.Scalar, Step: s, Trial: s, Model: s, Stage: "training", Name: s, Iteration: i, Value: 1, Epoch: 1})
			x.add(record.Event{Kind: record.Judged, Step: s, Verdict: &record.Verdict{Check: "c", Mark: record.Pass, Claim: s, Evidence: []string{s, ""}}})
		}
	}
	x.add(record.Event{Kind: record.RunEnd, Outcome: record.Passed, Duration: time.Duration(math.MaxInt64)})
	return x.events
}
