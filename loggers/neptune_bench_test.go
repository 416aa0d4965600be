package loggers

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/neptunetest"
	"github.com/actually-robust-training/art/record"
)

// BenchmarkNeptuneScalar is what one scalar costs the goroutine that trains, while
// the server takes what comes.
func BenchmarkNeptuneScalar(b *testing.B) {
	useNeptune(b)
	l := &Neptune{Spool: b.TempDir(), W: io.Discard, Grace: time.Millisecond}
	require.NoError(b, l.Emit(record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"}))
	b.ReportAllocs()
	e := scalars(2, 2)[0]
	for b.Loop() {
		e.Seq++
		e.Iteration++
		if err := l.Emit(e); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	_ = l.Close() // there is no time to send them all
}

// BenchmarkNeptunePoints sends points to the stand-in until it has them all.
func BenchmarkNeptunePoints(b *testing.B) {
	const points = 100_000
	events := scalars(2, points+1)
	for b.Loop() {
		s := useNeptune(b)
		l := &Neptune{Spool: b.TempDir(), W: io.Discard, Grace: time.Minute}
		require.NoError(b, l.Emit(record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"}))
		for _, e := range events {
			if err := l.Emit(e); err != nil {
				b.Fatal(err)
			}
		}
		require.NoError(b, l.Close())
		require.Len(b, s.Runs()[0].Fields["s/loss"].Points, points)
	}
	b.ReportMetric(points*float64(b.N)/b.Elapsed().Seconds(), "points/s")
}

// BenchmarkNeptunePython is the same with the official client, in its own process: the
// cost of a call in its loop, and of all until the server has the points.
func BenchmarkNeptunePython(b *testing.B) {
	exe := os.Getenv("ART_NEPTUNE_PYTHON")
	if exe == "" {
		b.Skip("ART_NEPTUNE_PYTHON is not set to a Python that has the official client")
	}
	s := useNeptune(b)
	script, err := filepath.Abs(filepath.Join("testdata", "neptune_bench.py"))
	require.NoError(b, err)
	for b.Loop() {
		cmd := exec.Command(exe, script)
		cmd.Dir, cmd.Stderr = b.TempDir(), os.Stderr
		cmd.Env = append(os.Environ(), "OAUTHLIB_INSECURE_TRANSPORT=1", "NEPTUNE_API_TOKEN="+s.Token(), "NEPTUNE_PROJECT="+neptunetest.Project)
		out, err := cmd.Output()
		require.NoError(b, err)
		_, said, found := strings.Cut(string(out), "RESULT ")
		require.True(b, found, "%s", out)
		for i, number := range strings.Fields(said) {
			v, err := strconv.ParseFloat(number, 64)
			require.NoError(b, err)
			b.ReportMetric(v, []string{"µs/call", "points/s"}[i])
		}
	}
}

func TestNeptuneScalarsAllocateNothing(t *testing.T) {
	useNeptune(t)
	l := &Neptune{Spool: t.TempDir(), Mode: "offline", W: io.Discard}
	require.NoError(t, l.Emit(record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"}))
	e := scalars(2, 2)[0]
	assert.Zero(t, testing.AllocsPerRun(200, func() {
		e.Iteration++
		if err := l.Emit(e); err != nil {
			panic(err)
		}
	}))
	require.NoError(t, l.Close())
}

// Whatever a token is, it is in no error.
func FuzzNeptuneToken(f *testing.F) {
	for _, token := range []string{"", "ANONYMOUS", "e30=", " eyJhcGlfYWRkcmVzcyI6Imh0dHBzOi8vbi5leGFtcGxlIiwiYXBpX2tleSI6ImsifQ== "} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		got, err := readNeptuneToken(token)
		switch {
		case err == nil:
			assert.Equal(t, strings.TrimSpace(token), got.whole())
			assert.Regexp(t, `^https?://[^/]+$`, got.address)
		case len(strings.TrimSpace(token)) > 12:
			assert.NotContains(t, err.Error(), strings.TrimSpace(token))
		}
		// The bearer token of a server is read in the same spirit.
		s := &neptuneSession{trusts: trustedHosts("https://n.example", nil)}
		if err := s.take(token, "refresh"); err == nil {
			assert.Equal(t, token, s.access())
		}
	})
}
