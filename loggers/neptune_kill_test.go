package loggers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/neptunetest"
	"github.com/actually-robust-training/art/record"
)

// A process that trains or sends is killed at random moments, again and again, and
// in the end the server has every point once, at its own step.
func TestNeptuneKilled(t *testing.T) {
	s := useNeptune(t)
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(13, 14))
	goesOn(t, filepath.Join(dir, "iris", "7Q2K", spoolDir))
	kills := 18
	if testing.Short() {
		kills = 3
	}
	for i := range kills {
		s.Recover()
		for _, f := range []neptunetest.Fault{
			{Operation: "operations", After: random.IntN(4), Times: 1, Lose: true},
			{Operation: "experiments", After: random.IntN(2), Times: 1, Lose: true},
			{Operation: "operations", After: random.IntN(3), Times: 1, Delay: 10 * time.Millisecond},
		} {
			s.Inject(f)
		}
		process := start(t, []string{"neptune", "neptune", "sync neptune"}[i%3], dir, "")
		time.Sleep(time.Duration(5+random.IntN(80)) * time.Millisecond)
		require.NoError(t, process.Process.Kill())
		_ = process.Wait() // it was killed
	}
	s.Recover()
	process := start(t, "neptune", dir, "")
	require.Eventually(t, func() bool { return bytes.Contains(process.Stdout.(*safeBuffer).Bytes(), []byte("trained")) }, 60*time.Second, 5*time.Millisecond)
	require.NoError(t, process.Process.Kill())
	_ = process.Wait()
	require.Eventually(t, func() bool { return start(t, "sync neptune", dir, "").Wait() == nil }, 30*time.Second, 5*time.Millisecond)
	require.Len(t, s.Runs(), 1)
	points := s.Runs()[0].Fields["s/loss"].Points
	texts := s.Runs()[0].Fields["s/text/log"].Points
	require.Equal(t, neptuneEvents-1, len(points)+len(texts))
	for n := 2; n <= neptuneEvents; n++ {
		if want := killedEvent(n); want.Kind == record.Text {
			require.Equal(t, want.Text, texts[0].Text)
			texts = texts[1:]
		} else {
			require.Equal(t, []float64{float64(n), want.Value}, []float64{points[0].Step, points[0].Value})
			points = points[1:]
		}
	}
	for _, e := range s.Errors() {
		assert.Contains(t, e.Description, "Invalid point", "only what came twice")
	}
	refused, err := filepath.Glob(filepath.Join(dir, "*", "*", "spool", "*.refused.jsonl"))
	require.NoError(t, err)
	assert.Empty(t, refused)
}

// playNeptune is a process that trains, going on after what an earlier one emitted.
func playNeptune(dir string) error {
	begun := int64(1)
	for e, err := range spooled(dir) {
		if err != nil {
			return err
		}
		begun = max(begun, e.Seq)
	}
	l := &Neptune{Spool: dir, W: io.Discard, courierPatience: hasty}
	if err := l.Emit(record.Event{Seq: begun, Kind: record.RunStart, Name: "iris", Text: "7Q2K"}); err != nil {
		return err
	}
	for n := int(begun) + 1; n <= neptuneEvents; n++ {
		if err := l.Emit(killedEvent(n)); err != nil {
			return err
		}
		time.Sleep(20 * time.Microsecond)
	}
	fmt.Println("trained")
	time.Sleep(time.Hour) // until it is killed: what is left is for sync
	return nil
}

const neptuneEvents = 1_500

// killedEvent is the event of a number.
func killedEvent(n int) record.Event {
	e := scalars(n, n)[0]
	if n%100 == 0 {
		return record.Event{Seq: e.Seq, Kind: record.Text, Step: "s", Name: "log", Text: fmt.Sprint(n)}
	}
	return e
}

// spooled returns what earlier processes emitted.
func spooled(dir string) iter.Seq2[record.Event, error] {
	files, err := filepath.Glob(filepath.Join(dir, "iris", "7Q2K", "spool", "neptune-*.jsonl"))
	if err != nil || len(files) == 0 {
		return func(func(record.Event, error) bool) {}
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		return func(yield func(record.Event, error) bool) { yield(record.Event{}, err) }
	}
	return record.NewReader(bytes.NewReader(b)).All()
}

func syncNeptune(dir string) error {
	return syncAll(context.Background(), dir, func(string) {}, destinationOf, hasty)
}
