package record_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// The file of every schema is kept for ever. It is never written again.
func TestSchema1IsReadForEver(t *testing.T) {
	file, err := os.ReadFile("testdata/schema-1.jsonl")
	require.NoError(t, err)
	events, err := readAll(bytes.NewReader(file))
	require.NoError(t, err)
	var again bytes.Buffer
	recordtest.Emit(t, record.NewWriter(&again), events...)
	assert.Equal(t, string(file), again.String(), "what is read is written back unchanged")

	run, err := record.Fold(bytes.NewReader(file))
	require.NoError(t, err)
	assert.Equal(t, "iris 7Q2K fail", run.Recipe+" "+run.ID+" "+string(run.Outcome))
	assert.Equal(t, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), run.Started)
	assert.Equal(t, `go test -run 'TestIris' -v`, run.Settings["command"])
	require.Len(t, run.Steps, 7)
	overfit := run.Step("overfit")
	assert.Len(t, overfit.Series, 4)
	p, ok := overfit.Score("accuracy", "validation")
	assert.True(t, ok)
	assert.Equal(t, record.Point{Iteration: 11, Epoch: 2, Value: 2. / 3, Rows: 30}, p)
	assert.Equal(t, "weight decay 0.001", run.Step("regularize").Scores("accuracy", "validation").Trial)
	assert.Equal(t, []string{"more weight decay", "a smaller network"}, run.Step("regularize").Verdicts[0].Try)
	assert.Equal(t, "overfits", run.Step("regularize").Findings[0].Name)
	assert.Equal(t, []int{150, 4}, run.Step("explore-data").Artifacts[0].Shape)
	assert.Equal(t, "[0 -0 +Inf -Inf NaN]", fmt.Sprint(run.Step("transfer-learning").Curve("loss").Values()))
}

// Every line is JSON that other tools read.
func TestLinesAreJSON(t *testing.T) {
	file, err := os.ReadFile("testdata/schema-1.jsonl")
	require.NoError(t, err)
	for line := range bytes.Lines(file) {
		var v map[string]any
		require.NoError(t, json.Unmarshal(line, &v), "%s", line)
	}
}

func TestAFileCutAnywhereReadsBackUpToTheLastWholeEvent(t *testing.T) {
	sent := recordtest.Example()[:24]
	var file bytes.Buffer
	recordtest.Emit(t, record.NewWriter(&file), sent...)
	whole := file.Bytes()
	for cut := range len(whole) + 1 {
		r := record.NewReader(bytes.NewReader(whole[:cut]))
		n := 0
		for e, err := range r.All() {
			require.NoError(t, err, "cut after %d bytes", cut)
			require.Equal(t, sent[n].Seq, e.Seq)
			if cut == len(whole) {
				require.Empty(t, recordtest.Diff(sent[n:n+1], []record.Event{e}))
			}
			n++
		}
		require.Equal(t, bytes.Count(whole[:cut], []byte("\n")), n)
		require.Equal(t, cut-1-bytes.LastIndexByte(whole[:cut], '\n'), r.Torn())
	}
}

func TestReaderErrors(t *testing.T) {
	const first = `{"schema":1,"seq":1,"kind":"run-start"}` + "\n"
	for _, c := range []struct{ name, file, want string }{
		{"not an event file", `{"loss":1}` + "\n", `record: line 1: it has no "kind", in: {"loss":1}`},
		{"no schema", `{"seq":1,"kind":"text"}` + "\n", `record: line 1: it has no "schema" from 1 to 1: is this an event file?`},
		{"negative schema", first + `{"schema":-1,"kind":"text"}` + "\n", `line 2: it has no "schema" from 1 to 1`},
		{"newer schema", `{"schema":2,"kind":7}` + "\n", `line 1: schema 2 is newer than 1, the newest that this version of the project reads: update it`},
		{"newer process appended", first + `{"schema":9,"kind":"text"}` + "\n", `line 2: schema 9 is newer than 1`},
		{"text", "hello\n", "line 1: it is not a JSON object, in: hello"},
		{"blank line", first + "\n", "line 2: it is not a JSON object"},
		{"two torn lines in one", first + `{"seq":2,"ki{"seq":3,"kind":"text"}` + "\n", "line 2: it is not a JSON object"},
		{"zeroes", first + "\x00\x00\x00\n", "line 2: it is not a JSON object"},
		{"two objects", first + `{"kind":"text"}{}` + "\n", "line 2: something follows the JSON object"},
		{"trailing comma", first + `{"kind":"text",}` + "\n", "line 2: it is not a JSON object"},
		{"no colon", first + `{"kind" "text"}` + "\n", "line 2: it is not a JSON object"},
		{"number for a name", first + `{1:2}` + "\n", "line 2: it is not a JSON object"},
		{"bad escape", first + `{"kind":"\x"}` + "\n", `line 2: field "kind": it has a string that is not JSON`},
		{"bad unknown", first + `{"kind":"text","new":[1,}` + "\n", "line 2: it is not a JSON object"},
		{"not whole", first + `{"kind":"scalar","iteration":1.5}` + "\n", `line 2: field "iteration": 1.5 is not a whole number of at most 64 bits`},
		{"too large", first + `{"kind":"scalar","value":1e999}` + "\n", `line 2: field "value": 1e999 is neither a number`},
		{"other spelling", first + `{"kind":"scalar","value":"inf"}` + "\n", `line 2: field "value": "inf" is neither a number`},
		{"hexadecimal", first + `{"kind":"scalar","value":0x1p-2}` + "\n", `line 2: it is not a JSON object`},
		{"list of texts", first + `{"kind":"vector","values":["a"]}` + "\n", `line 2: field "values": "a" is neither a number`},
		{"number for a list", first + `{"kind":"vector","shape":3}` + "\n", `line 2: field "shape": 3 is not a list`},
		{"number for a text", first + `{"kind":3}` + "\n", `line 2: field "kind": 3 is not a string`},
		{"bad time", first + `{"kind":"text","time":"noon"}` + "\n", `line 2: field "time": "noon" is not a time like`},
		{"bad verdict", first + `{"kind":"verdict","verdict":3}` + "\n", `line 2: field "verdict": 3: json`},
		{"too long", first + `{"kind":"text","text":"` + strings.Repeat("x", record.MaxLine) + `"}` + "\n", `line 2: it is longer than the 4194304 bytes of record.MaxLine`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := record.NewReader(strings.NewReader(c.file))
			var err error
			for err == nil {
				_, err = r.Next()
			}
			assert.ErrorContains(t, err, c.want)
			_, again := r.Next()
			assert.Equal(t, err, again, "the error stays")
		})
	}
}

func TestReaderTolerates(t *testing.T) {
	for _, c := range []struct {
		name, line string
		want       record.Event
	}{
		{"unknown fields", `{"schema":1,"new":{"a":[1,"}"]},"kind":"text","also":null,"seq":3}`, record.Event{Kind: record.Text, Seq: 3}},
		{"white space", ` { "schema" : 1 , "kind" : "vector" , "values" : [ 1 , "NaN" ] } ` + "\r", record.Event{Kind: record.Vector, Values: []float64{1, math.NaN()}}},
		{"null", `{"schema":1,"kind":"scalar","value":null,"settings":null}`, record.Event{Kind: record.Scalar}},
		{"escapes", `{"schema":1,"\u006bind":"te\u0078t","text":"\ud83c\udfaf\/"}`, record.Event{Kind: record.Text, Text: "🎯/"}},
		{"local time", `{"schema":1,"kind":"text","time":"2026-01-01T00:30:00+01:00"}`, record.Event{Kind: record.Text, Time: time.Date(2025, 12, 31, 23, 30, 0, 0, time.UTC)}},
		{"longest line", `{"schema":1,"kind":"text","text":"` + strings.Repeat("x", record.MaxLine-36) + `"}`, record.Event{Kind: record.Text, Text: strings.Repeat("x", record.MaxLine-36)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAll(iotest.HalfReader(strings.NewReader(c.line + "\n")))
			require.NoError(t, err)
			assert.Empty(t, recordtest.Diff([]record.Event{c.want}, got))
		})
	}
}

// A file that grows is read bit by bit, each reader going on where the last one
// stopped.
func TestRestReader(t *testing.T) {
	sent := recordtest.Example()
	var file bytes.Buffer
	recordtest.Emit(t, record.NewWriter(&file), sent...)
	whole := file.Bytes()
	var got []record.Event
	var at int64
	for grown := 0; grown < len(whole); {
		grown = min(grown+777, len(whole))
		r := record.NewReader(bytes.NewReader(whole[:grown]))
		if at > 0 {
			r = record.NewRestReader(bytes.NewReader(whole[at:grown]))
		}
		for e, err := range r.All() {
			require.NoError(t, err)
			got = append(got, e)
		}
		at += r.Offset()
		require.Equal(t, int64(grown), at+int64(r.Torn()))
	}
	assert.Empty(t, recordtest.Diff(sent, got))
}

func TestReaderPassesReadErrorsOn(t *testing.T) {
	r := record.NewReader(io.MultiReader(strings.NewReader(`{"schema":1,"kind":"text"}`+"\n{"), iotest.ErrReader(os.ErrDeadlineExceeded)))
	_, err := r.Next()
	require.NoError(t, err)
	_, err = r.Next()
	assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	assert.ErrorContains(t, err, "line 2: reading")
}

func TestFoldReturnsWhatCameBeforeAnError(t *testing.T) {
	run, err := record.Fold(strings.NewReader(`{"schema":1,"kind":"run-start","name":"iris"}` + "\nbroken\n"))
	assert.ErrorContains(t, err, "line 2")
	assert.Equal(t, "iris", run.Recipe)
}

// An endless line is refused without being held in memory.
func TestReaderBoundsMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := record.NewReader(io.LimitReader(endless{}, 1<<30)).Next()
	runtime.ReadMemStats(&after)
	assert.ErrorContains(t, err, "longer than")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// What the reader accepts, encoding/json accepts too, and what it read can be
// written and read back unchanged.
func FuzzReader(f *testing.F) {
	var file bytes.Buffer
	recordtest.Emit(f, record.NewWriter(&file), recordtest.Example()...)
	f.Add(file.Bytes())
	for line := range bytes.Lines(file.Bytes()) {
		f.Add(bytes.Replace(line, []byte(`{"seq"`), []byte(`{"schema":1,"seq"`), 1))
	}
	f.Add([]byte(`{"schema":1,"kind":"text","time":"0000-01-01T00:00:00+23:00","text":"\ud800"}` + "\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		r := record.NewReader(bytes.NewReader(file))
		var events []record.Event
		var failed error
		for e, err := range r.All() {
			if failed = err; err == nil {
				events = append(events, e)
			}
		}
		lines := bytes.SplitAfter(file, []byte("\n"))
		for _, line := range lines[:len(events)] {
			require.True(t, json.Valid(line), "%s", line)
		}
		if failed == nil {
			require.Equal(t, len(lines)-1, len(events))
			require.Equal(t, len(lines[len(lines)-1]), r.Torn())
		}
		var again bytes.Buffer
		recordtest.Emit(t, record.NewWriter(&again), events...)
		got, err := readAll(&again)
		require.NoError(t, err)
		if diff := recordtest.Diff(events, got); diff != "" {
			t.Fatal(diff)
		}
	})
}
