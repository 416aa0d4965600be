package loggers

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
