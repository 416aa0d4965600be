package record_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv("RECORD_TEST_WRITE_FOR_EVER"); path != "" {
		writeForEver(path)
	}
	os.Exit(m.Run())
}

func TestFile(t *testing.T) {
	recordtest.TestSink(t, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		path := filepath.Join(t.TempDir(), "events.jsonl")
		f, err := record.Create(path)
		require.NoError(t, err)
		return f, func() ([]record.Event, error) { return readFile(t, path) }
	})
}

func readFile(t *testing.T, path string) ([]record.Event, error) {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return readAll(bytes.NewReader(b))
}

func TestEveryEventIsInTheFileWhenEmitReturns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	f, err := record.Create(path)
	require.NoError(t, err)
	defer f.Close()
	sent := recordtest.Example()
	for i, e := range sent {
		recordtest.Emit(t, f, e)
		got, err := readFile(t, path)
		require.NoError(t, err)
		require.Empty(t, recordtest.Diff(sent[:i+1], got))
	}
}

func TestCreateAndAppendErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	_, err := record.Create(write("there", ""))
	assert.ErrorIs(t, err, fs.ErrExist)
	assert.ErrorContains(t, err, "Append goes on")
	_, err = record.Create(filepath.Join(dir, "none", "events.jsonl"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = record.Append(filepath.Join(dir, "none"))
	assert.ErrorIs(t, err, fs.ErrNotExist)

	const first = `{"schema":1,"kind":"text"}` + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"other", "a,b\n1,2\n", "line 1: it is not a JSON object"},
		{"newer", `{"schema":3,"kind":"text"}` + "\n", "schema 3 is newer"},
		{"last", first + "broken\n{", "its last line: it is not a JSON object, in: broken"},
		{"binary", first + strings.Repeat("x", 3*record.MaxLine), "a line longer than record.MaxLine"},
	} {
		path := write(c.name, c.text)
		_, err := record.Append(path)
		assert.ErrorContains(t, err, c.want)
		assert.ErrorContains(t, err, path)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.True(t, c.text == string(after), "%s was changed", c.name)
	}
}

// Whatever a kill left of a file, Append goes on after its last whole event.
func TestAppendAfterACutAnywhere(t *testing.T) {
	sent := recordtest.Example()[:8]
	var file bytes.Buffer
	recordtest.Emit(t, record.NewWriter(&file), sent...)
	path := filepath.Join(t.TempDir(), "events.jsonl")
	step := 1
	if testing.Short() {
		step = 13
	}
	for cut := 0; cut <= file.Len(); cut += step {
		require.NoError(t, os.WriteFile(path, file.Bytes()[:cut], 0o600))
		whole := bytes.Count(file.Bytes()[:cut], []byte("\n"))
		f, err := record.Append(path)
		require.NoError(t, err)
		require.Equal(t, int64(whole), f.Seq())
		s := &record.Stamp{Sink: f, Seq: f.Seq(), Now: func() time.Time { return time.Time{} }}
		recordtest.Emit(t, s, record.Event{Kind: record.Text, Text: "on"}, record.Event{Kind: record.Text, Text: "and on"})
		require.NoError(t, s.Close())
		got, err := readFile(t, path)
		require.NoError(t, err)
		want := append(sent[:whole:whole],
			record.Event{Seq: int64(whole + 1), Kind: record.Text, Text: "on"},
			record.Event{Seq: int64(whole + 2), Kind: record.Text, Text: "and on"})
		require.Empty(t, recordtest.Diff(want, got), "cut after %d bytes", cut)
	}
}

func TestAppendFindsALongLastLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	f, err := record.Create(path)
	require.NoError(t, err)
	recordtest.Emit(t, f, record.Event{Seq: 1, Kind: record.Text}, record.Event{Seq: 2, Kind: record.Text, Text: strings.Repeat("x", 300_000)})
	require.NoError(t, f.Close())
	f, err = record.Append(path)
	require.NoError(t, err)
	assert.Equal(t, int64(2), f.Seq())
	require.NoError(t, f.Close())
}

// A process is killed at random moments, again and again, and each time a new
// one goes on. No event that a process said it had emitted is missing, none is
// there twice, none is out of order.
func TestKilledProcessesLoseNothing(t *testing.T) {
	kills := 12
	if testing.Short() {
		kills = 4
	}
	random := rand.New(rand.NewPCG(5, 6))
	path := filepath.Join(t.TempDir(), "events.jsonl")
	said := int64(0)
	for range kills {
		said = max(said, runUntilKilled(t, path, time.Duration(random.Int64N(30_000))*time.Microsecond))
		got, err := readFile(t, path)
		require.NoError(t, err)
		require.GreaterOrEqual(t, int64(len(got)), said, "an event is missing that a process had emitted")
		for i, e := range got {
			require.Equal(t, event(int64(i+1)), record.Event{Seq: e.Seq, Kind: e.Kind, Step: e.Step, Text: e.Text, Iteration: e.Iteration, Value: e.Value})
		}
	}
	require.NotZero(t, said)
	t.Logf("%d kills, %d events", kills, said)
}

// runUntilKilled returns the number of the last event that the process said it
// had emitted. The delay begins with its first word.
func runUntilKilled(t *testing.T, path string, delay time.Duration) (said int64) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "RECORD_TEST_WRITE_FOR_EVER="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the process said nothing")
	time.AfterFunc(delay, func() { assert.NoError(t, cmd.Process.Kill()) })
	for ok := true; ok; ok = lines.Scan() {
		if number, whole := strings.CutSuffix(lines.Text(), "."); whole {
			said, err = strconv.ParseInt(number, 10, 64)
			require.NoError(t, err)
		}
	}
	require.ErrorContains(t, cmd.Wait(), "killed")
	return said
}

// event is event n of a process that writes for ever.
func event(n int64) record.Event {
	if n%50 == 0 {
		return record.Event{Seq: n, Kind: record.Text, Step: "s", Text: strings.Repeat("text ", int(n%20_000))}
	}
	return record.Event{Seq: n, Kind: record.Scalar, Step: "s", Iteration: int(n), Value: 1 / float64(n)}
}

// writeForEver appends events and prints the number of each after its Emit.
func writeForEver(path string) {
	f, err := record.Create(path)
	if err != nil {
		f, err = record.Append(path)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := record.Stamp{Sink: f, Seq: f.Seq()}
	for {
		if err := s.Emit(event(s.Seq + 1)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Printf("%d.\n", s.Seq)
	}
}
