package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

func TestWriter(t *testing.T) {
	recordtest.TestSink(t, func(*testing.T) (record.Sink, func() ([]record.Event, error)) {
		var file bytes.Buffer
		return record.NewWriter(&file), func() ([]record.Event, error) { return readAll(&file) }
	})
}

func TestTee(t *testing.T) {
	recordtest.TestSink(t, func(*testing.T) (record.Sink, func() ([]record.Event, error)) {
		var a, b bytes.Buffer
		return record.Tee(record.NewWriter(&a), record.NewWriter(&b)), func() ([]record.Event, error) {
			if !bytes.Equal(a.Bytes(), b.Bytes()) {
				return nil, errors.New("the two sinks took in different events")
			}
			return readAll(&b)
		}
	})
}

func TestTeeSendsOnAfterErrorsAndClosesAll(t *testing.T) {
	bad := record.SinkFunc(func(record.Event) error { return errors.New("bad") })
	one, two := &closer{err: errors.New("one")}, &closer{err: errors.New("two")}
	var n int
	sink := record.Tee(bad, one, record.SinkFunc(func(record.Event) error { n++; return nil }), bad, two)
	assert.EqualError(t, sink.Emit(record.Event{}), "bad\nbad")
	assert.Equal(t, 1, n)
	require.Implements(t, (*io.Closer)(nil), sink)
	assert.EqualError(t, sink.(io.Closer).Close(), "one\ntwo")
}

type closer struct{ err error }

func (*closer) Emit(record.Event) error { return nil }
func (c *closer) Close() error          { return c.err }

func TestRandomEventsRoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sent := make([]record.Event, 2000)
	var file bytes.Buffer
	w := record.NewWriter(&file)
	for i := range sent {
		sent[i] = randomEvent(random)
		require.NoError(t, w.Emit(sent[i]))
	}
	got, err := readAll(&file)
	require.NoError(t, err)
	assert.Empty(t, recordtest.Diff(sent, got))
}

// randomEvent leaves out each field half of the time; numbers have random bits.
func randomEvent(r *rand.Rand) record.Event {
	kinds := []record.Kind{record.RunStart, record.RunEnd, record.StepStart, record.StepEnd, record.Scalar, record.Score,
		record.Vector, record.Text, record.ArtifactSaved, record.Judged, "a kind of tomorrow"}
	e := record.Event{Seq: int64(r.Uint64()), Kind: kinds[r.IntN(len(kinds))]}
	texts := []*string{&e.Step, &e.Trial, &e.Model, &e.Stage, &e.Name, &e.Text, (*string)(&e.Outcome)}
	for _, s := range texts {
		*s = randomText(r)
	}
	for _, n := range []*int{&e.Iteration, &e.Epoch, &e.Rows} {
		if r.IntN(2) == 0 {
			*n = int(r.Uint64()) >> r.IntN(64)
		}
	}
	e.Duration = time.Duration(r.Uint64()) >> r.IntN(64)
	if r.IntN(2) == 0 {
		e.Time = time.Unix(r.Int64N(4e9), r.Int64N(1e9)).In(time.FixedZone("", r.IntN(40000)-20000))
	}
	e.Value = randomFloat(r)
	for range r.IntN(4) {
		e.Values = append(e.Values, randomFloat(r))
		e.Shape = append(e.Shape, int(r.Uint64())>>r.IntN(64))
	}
	for range r.IntN(3) {
		if e.Settings == nil {
			e.Settings = map[string]string{}
		}
		e.Settings[randomText(r)] = randomText(r)
	}
	if r.IntN(3) == 0 {
		e.Verdict = &record.Verdict{Check: randomText(r), Mark: record.Pass, Got: randomText(r), Try: []string{randomText(r)}}
		e.Artifact = &record.Artifact{Name: randomText(r), Bytes: r.Int64(), Shape: e.Shape}
	}
	return e
}

func randomFloat(r *rand.Rand) float64 {
	switch r.IntN(8) {
	case 0:
		return 0
	case 1:
		return math.Copysign(0, -1)
	case 2:
		return math.NaN()
	case 3:
		return math.Inf(r.IntN(2)*2 - 1)
	case 4:
		return float64(r.IntN(100))
	}
	return math.Float64frombits(r.Uint64())
}

func randomText(r *rand.Rand) string {
	alphabet := []rune("ab \x00\x1f\x7f\"\\/\n\r\tß→🎯\u2028\ufffd{}[]:,0")
	var b strings.Builder
	for range r.IntN(3) * r.IntN(40) {
		b.WriteRune(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

func TestWriterWritesALineACallAndTheSchemaFirst(t *testing.T) {
	var calls []string
	w := record.NewWriter(writeFunc(func(p []byte) (int, error) { calls = append(calls, string(p)); return len(p), nil }))
	recordtest.Emit(t, w,
		record.Event{Seq: 1, Kind: record.Scalar, Step: "s", Name: "loss", Value: 0},
		record.Event{Seq: 2, Kind: record.Score, Name: "loss", Value: math.Copysign(0, -1), Rows: 3, Time: time.Date(2026, 1, 2, 3, 4, 5, 60, time.FixedZone("", 3600))},
		record.Event{Seq: 3, Kind: record.Vector, Values: []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e21}, Shape: []int{2, 2}, Duration: time.Second},
		record.Event{Seq: 4, Kind: record.Text, Text: "a\xffb\xc3", Settings: map[string]string{"b": "2", "a": "1"}},
	)
	assert.Equal(t, []string{
		`{"schema":1,"seq":1,"kind":"scalar","step":"s","name":"loss","value":0}` + "\n",
		`{"seq":2,"time":"2026-01-02T02:04:05.00000006Z","kind":"score","name":"loss","value":-0,"rows":3}` + "\n",
		`{"seq":3,"kind":"vector","values":["NaN","+Inf","-Inf",1e+21],"shape":[2,2],"duration":1000000000}` + "\n",
		`{"seq":4,"kind":"text","text":"a` + "\ufffd" + `b` + "\ufffd" + `","settings":{"a":"1","b":"2"}}` + "\n",
	}, calls)
}

func TestWriterRefusesWhatNoLineCanSay(t *testing.T) {
	for _, c := range []struct {
		name, want string
		event      record.Event
	}{
		{"no kind", "Event.Kind", record.Event{Seq: 7}},
		{"a year of five digits", "year outside", record.Event{Kind: record.Text, Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}},
		{"too long", "save it as an artifact", record.Event{Kind: record.Text, Text: strings.Repeat("x", record.MaxLine)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var file bytes.Buffer
			w := record.NewWriter(&file)
			assert.ErrorContains(t, w.Emit(c.event), c.want)
			assert.Zero(t, file.Len())
			require.NoError(t, w.Emit(record.Event{Seq: 1, Kind: record.Text}))
			assert.Equal(t, `{"schema":1,"seq":1,"kind":"text"}`+"\n", file.String())
		})
	}
}

// A destination that fails at random, in the middle of lines too, and recovers
// gets every event once, in order.
func TestWriterSurvivesAFailingDestination(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var file bytes.Buffer
	w := record.NewWriter(writeFunc(func(p []byte) (int, error) {
		if random.IntN(3) > 0 {
			return file.Write(p)
		}
		n := random.IntN(len(p) + 1)
		file.Write(p[:n])
		if n < len(p) && random.IntN(2) == 0 {
			return n, nil // a short write without an error
		}
		return n, errors.New("disk full")
	}))
	var failures int
	sent := recordtest.Example()
	for _, e := range sent {
		if w.Emit(e) != nil {
			failures++
		}
	}
	for w.Flush() != nil {
	}
	assert.NotZero(t, failures)
	got, err := readAll(&file)
	require.NoError(t, err)
	assert.Empty(t, recordtest.Diff(sent, got))
}

func TestWriterBoundsWhatItKeeps(t *testing.T) {
	var file bytes.Buffer
	full := true
	w := record.NewWriter(writeFunc(func(p []byte) (int, error) {
		if full {
			return 0, errors.New("disk full")
		}
		return file.Write(p)
	}))
	var lost []int64
	for i := range int64(200) {
		err := w.Emit(record.Event{Seq: i + 1, Kind: record.Text, Text: strings.Repeat("x", 10_000)})
		require.ErrorContains(t, err, "disk full")
		if strings.Contains(err.Error(), fmt.Sprintf("event %d (text) is lost", i+1)) {
			lost = append(lost, i+1)
		}
	}
	full = false
	recordtest.Emit(t, w, record.Event{Seq: 201, Kind: record.Text})
	got, err := readAll(&file)
	require.NoError(t, err)
	assert.Len(t, got, 201-len(lost))
	assert.InDelta(t, 105, len(got), 2, "a megabyte of events of 10 kB")
	for i, e := range got[:len(got)-1] {
		assert.Equal(t, int64(i+1), e.Seq)
	}
}

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(p []byte) (int, error) { return f(p) }

func readAll(r io.Reader) ([]record.Event, error) {
	var events []record.Event
	for e, err := range record.NewReader(r).All() {
		if err != nil {
			return events, err
		}
		events = append(events, e)
	}
	return events, nil
}

func TestStamp(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	var got []record.Event
	fail := errors.New("full")
	s := &record.Stamp{
		Sink: record.SinkFunc(func(e record.Event) error { got = append(got, e); return fail }),
		Now:  func() time.Time { now = now.Add(time.Second); return now },
		Seq:  41,
	}
	for range 2 {
		assert.ErrorIs(t, s.Emit(record.Event{Kind: record.Text, Seq: 9}), fail)
	}
	want := []record.Event{
		{Seq: 42, Kind: record.Text, Time: now.Add(-time.Second)},
		{Seq: 43, Kind: record.Text, Time: now},
	}
	assert.Empty(t, recordtest.Diff(want, got))
	assert.NoError(t, s.Close())
	assert.EqualError(t, (&record.Stamp{Sink: &closer{err: fail}}).Close(), "full")

	before := time.Now()
	s = &record.Stamp{Sink: record.SinkFunc(func(e record.Event) error { got = append(got, e); return nil })}
	recordtest.Emit(t, s, record.Event{})
	assert.WithinRange(t, got[2].Time, before, time.Now())
	assert.Equal(t, int64(1), got[2].Seq)
}
