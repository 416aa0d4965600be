package loggers_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
}

func readEvents(path string) ([]record.Event, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var events []record.Event
	for e, err := range record.NewReader(bytes.NewReader(file)).All() {
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

func TestJSONLines(t *testing.T) {
	recordtest.TestSink(t, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		path := filepath.Join(t.TempDir(), "new", "runs.jsonl")
		return &loggers.JSONLines{Path: path}, func() ([]record.Event, error) {
			events, err := readEvents(path)
			if errors.Is(err, os.ErrNotExist) {
				return nil, nil // no event, no file
			}
			return events, err
		}
	})
}

func TestJSONLinesOfSeveralRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	var want []record.Event
	for range 3 {
		j := &loggers.JSONLines{Path: path}
		recordtest.Emit(t, j, recordtest.Example()...)
		require.NoError(t, j.Close())
		want = append(want, recordtest.Example()...)
		f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteString(`{"seq":4,"torn`)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	got, err := readEvents(path)
	require.NoError(t, err)
	assert.Empty(t, recordtest.Diff(want, got))
}

func TestJSONLinesToAWriter(t *testing.T) {
	var a, b bytes.Buffer
	recordtest.Emit(t, &loggers.JSONLines{W: &a}, recordtest.Example()...)
	recordtest.Emit(t, record.NewWriter(&b), recordtest.Example()...)
	assert.Equal(t, b.String(), a.String())
}

func TestCSV(t *testing.T) {
	keeps := recordtest.Lossy{Keeps: func(e record.Event) (record.Event, bool) {
		e.Seq = 0
		return e, e.Kind == record.Scalar || e.Kind == record.Score
	}}
	recordtest.TestLossy(t, keeps, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		path := filepath.Join(t.TempDir(), "new", "curves.csv")
		return &loggers.CSV{Path: path}, func() ([]record.Event, error) {
			file, err := os.ReadFile(path)
			if errors.Is(err, os.ErrNotExist) {
				return nil, nil
			}
			return readCSV(file)
		}
	})
}

func readCSV(file []byte) (events []record.Event, err error) {
	rows, err := csv.NewReader(bytes.NewReader(file)).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, r := range rows[1:] {
		e := record.Event{Kind: record.Kind(r[2]), Step: r[3], Trial: r[4], Model: r[5], Stage: r[6], Name: r[7]}
		var errs [5]error
		e.Time, errs[0] = time.Parse(time.RFC3339Nano, r[1])
		e.Iteration, errs[1] = strconv.Atoi(r[8])
		e.Epoch, errs[2] = strconv.Atoi(r[9])
		e.Value, errs[3] = strconv.ParseFloat(r[10], 64)
		e.Rows, errs[4] = strconv.Atoi(r[11])
		if err := errors.Join(errs[:]...); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

func TestCSVGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "curves.csv")
	for range 2 { // the second run adds to the file of the first
		c := &loggers.CSV{Path: path}
		recordtest.Emit(t, c, recordtest.Example()...)
		require.NoError(t, c.Close())
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	golden(t, "example.csv", got)
}

func TestConsoleGolden(t *testing.T) {
	var out bytes.Buffer
	recordtest.Emit(t, &loggers.Console{W: &out}, recordtest.Example()...)
	golden(t, "example.console", out.Bytes())
}

// The console keeps lines for people; that it has one for each event that it
// should, whatever the event, is what can be proven of it.
func TestConsole(t *testing.T) {
	keeps := recordtest.Lossy{Keeps: func(e record.Event) (record.Event, bool) {
		return record.Event{}, e.Kind != record.Scalar && e.Kind != record.Vector
	}}
	recordtest.TestLossy(t, keeps, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		var out bytes.Buffer
		return &loggers.Console{W: &out}, func() ([]record.Event, error) {
			return make([]record.Event, strings.Count(out.String(), "\n")), nil
		}
	})
}

func TestSlogGolden(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	recordtest.Emit(t, &loggers.Slog{Logger: logger}, recordtest.Example()...)
	golden(t, "example.slog", out.Bytes())

	out.Reset()
	logger = slog.New(slog.NewTextHandler(&out, nil))
	recordtest.Emit(t, &loggers.Slog{Logger: logger}, recordtest.Example()...)
	assert.NotContains(t, out.String(), "msg=scalar", "below the level of the handler")
	assert.Contains(t, out.String(), "msg=score")
}

func TestSlog(t *testing.T) {
	keeps := recordtest.Lossy{Keeps: func(e record.Event) (record.Event, bool) {
		e.Verdict, e.Artifact, e.Shape = nil, nil, nil
		return e, true
	}}
	recordtest.TestLossy(t, keeps, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		var out bytes.Buffer
		logger := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		return &loggers.Slog{Logger: logger}, func() ([]record.Event, error) { return readSlog(out.Bytes()) }
	})
}

func readSlog(out []byte) (events []record.Event, err error) {
	for line := range bytes.Lines(out) {
		var r struct {
			Time                                            time.Time
			Msg                                             record.Kind
			Seq                                             int64
			Step, Trial, Model, Stage, Name, Text           string
			Iteration, Epoch, Rows                          int
			Value                                           any
			Values                                          []any
			Settings                                        map[string]string
			Outcome                                         record.Outcome
			Duration                                        time.Duration
			Level, Verdict, Artifact, Shape, Error, Ignored any
		}
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("%w in %s", err, line)
		}
		e := record.Event{Seq: r.Seq, Time: r.Time, Kind: r.Msg, Step: r.Step, Trial: r.Trial, Model: r.Model, Stage: r.Stage, Name: r.Name,
			Text: r.Text, Iteration: r.Iteration, Epoch: r.Epoch, Rows: r.Rows, Settings: r.Settings, Outcome: r.Outcome, Duration: r.Duration}
		e.Value = toFloat(r.Value)
		for _, v := range r.Values {
			e.Values = append(e.Values, toFloat(v))
		}
		events = append(events, e)
	}
	return events, nil
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return -12345
		}
		return f
	}
	return 0
}

func TestLoggersSayWhatTheyLost(t *testing.T) {
	full := fullAfter(0)
	e := record.Event{Seq: 7, Kind: record.Score, Step: "overfit", Name: "accuracy"}
	for want, sink := range map[string]record.Sink{
		`CSV: event 7 (score "accuracy" of step "overfit"): disk full`:                                       &loggers.CSV{W: full},
		`console: event 7 (score "accuracy" of step "overfit"): disk full`:                                   &loggers.Console{W: full},
		`slog: event 7 (score "accuracy" of step "overfit"): disk full`:                                      &loggers.Slog{Logger: slog.New(slog.NewTextHandler(full, nil))},
		`CSV: event 7 (score "accuracy" of step "overfit"): it has no destination: set its Path or W`:        &loggers.CSV{},
		`JSON lines: event 7 (score "accuracy" of step "overfit"): it has no destination: set its Path or W`: &loggers.JSONLines{},
	} {
		for range 2 {
			assert.EqualError(t, sink.Emit(e), want)
		}
	}
	assert.ErrorContains(t, (&loggers.JSONLines{Path: "files_test.go/x"}).Emit(e), "files_test.go")
	assert.ErrorContains(t, (&loggers.CSV{Path: "files_test.go/x"}).Emit(e), "files_test.go")
}

// A line that a full disk broke is completed before the next.
func TestCSVLinesAreNeverBroken(t *testing.T) {
	for room := range 400 {
		w := fullAfter(room)
		c := &loggers.CSV{W: w}
		e := recordtest.Example()
		for _, e := range e {
			_ = c.Emit(e)
		}
		w.room = math.MaxInt
		last := e[27]
		require.Equal(t, record.Score, last.Kind)
		recordtest.Emit(t, c, last)
		got, err := readCSV(w.Bytes())
		require.NoError(t, err, "%d bytes fit:\n%s", room, w)
		last.Seq = 0
		require.Empty(t, recordtest.Diff([]record.Event{last}, got[len(got)-1:]))
	}
}

// disk is a writer with room for so many bytes.
type disk struct {
	bytes.Buffer
	room int
}

func fullAfter(room int) *disk { return &disk{room: room} }

func (d *disk) Write(p []byte) (int, error) {
	n := min(len(p), d.room)
	d.room -= n
	d.Buffer.Write(p[:n])
	if n < len(p) {
		return n, errors.New("disk full")
	}
	return n, nil
}

// Loggers that are asked for by name work in a run as they are.
func TestRegistered(t *testing.T) {
	assert.Equal(t, []string{"console", "csv", "mlflow", "neptune", "slog", "tensorboard", "wandb"}, record.Registered())
	dir := t.TempDir()
	sink := record.Open("csv")
	require.NoError(t, sink.Emit(record.Event{Kind: record.RunStart, Text: "ABCD1234", Settings: map[string]string{"directory": dir}}))
	require.NoError(t, sink.Emit(record.Event{Kind: record.Scalar, Name: "loss", Value: 0.5}))
	require.NoError(t, sink.(io.Closer).Close())
	text, err := os.ReadFile(filepath.Join(dir, "numbers.csv"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "ABCD1234,")
}
