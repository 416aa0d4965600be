package loggers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// ledger is a server that keeps what it is sent. Told that a batch comes
// again, it leaves out what it has; not told, it counts twice, which is a fault
// of the sender.
type ledger struct {
	mu      sync.Mutex
	events  []record.Event
	known   map[int64]bool
	doubled []int64
	// fault is asked before each event of a delivery; its error ends it there.
	fault func(record.Event) error
	// after is asked when all events are there: the answer that gets lost.
	after func() error
}

func (l *ledger) deliver(ctx context.Context, p *position, events []record.Event, again bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	p.Remote = map[string]string{"run": "R"}
	for _, e := range events {
		if l.fault != nil {
			if err := l.fault(e); err != nil {
				return err
			}
		}
		if l.known[e.Seq] {
			if !again {
				l.doubled = append(l.doubled, e.Seq)
			}
			continue
		}
		if l.known == nil {
			l.known = map[int64]bool{}
		}
		l.known[e.Seq] = true
		l.events = append(l.events, e)
	}
	if l.after != nil {
		return l.after()
	}
	return ctx.Err()
}

func (l *ledger) find(position) (string, destination, error) { return "ledger", l, nil }

// quick returns a courier that waits for nothing longer than milliseconds.
func quick(dir string) *courier {
	c := &courier{name: "ledger", spool: spoolAt(filepath.Join(dir, spoolDir), "ledger"), linger: time.Millisecond, grace: 10 * time.Second}
	c.sender.patience = hasty
	return c
}

var hasty = patience{shortest: time.Millisecond, longest: 4 * time.Millisecond}

func startQuick(t *testing.T, dir string, to destination) *courier {
	t.Helper()
	c := quick(dir)
	require.NoError(t, c.start(to, position{Logger: "ledger", Recipe: "iris", Run: "7Q2K"}))
	return c
}

func TestCourierIsASink(t *testing.T) {
	recordtest.TestSink(t, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		l := &ledger{}
		return startQuick(t, t.TempDir(), l), func() ([]record.Event, error) {
			if len(l.doubled) > 0 {
				return nil, fmt.Errorf("events %v arrived twice", l.doubled)
			}
			return l.events, nil
		}
	})
}

func scalars(from, to int) []record.Event {
	var events []record.Event
	for i := from; i <= to; i++ {
		events = append(events, record.Event{Seq: int64(i), Kind: record.Scalar, Step: "s", Name: "loss", Iteration: i, Value: 1 / float64(i)})
	}
	return events
}

func assertLedger(t *testing.T, l *ledger, want []record.Event) {
	t.Helper()
	assert.Empty(t, l.doubled, "arrived twice")
	assert.Empty(t, recordtest.Diff(want, l.events))
}

// A server that breaks off in the middle of batches and loses its answers gets
// everything once, in order.
func TestCourierGetsThroughFaults(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	l := &ledger{
		fault: func(record.Event) error { return sometimes(random, 700, errors.New("reset in the middle")) },
		after: func() error { return sometimes(random, 2, errors.New("the answer is lost")) },
	}
	dir := t.TempDir()
	c := startQuick(t, dir, l)
	sent := scalars(1, 5000)
	recordtest.Emit(t, c, sent...)
	require.NoError(t, c.Close())
	assertLedger(t, l, sent)
	assert.NoFileExists(t, c.spool.events, "what arrived needs no spool")
}

func sometimes(r *rand.Rand, oneIn int, err error) error {
	if r.IntN(oneIn) == 0 {
		return err
	}
	return nil
}

// A server that never answers costs the training nothing, and Close no more
// than its grace; what is left is sent later, by this run going on or by Sync.
func TestCourierOfAServerThatHangs(t *testing.T) {
	dir := t.TempDir()
	l := &ledger{}
	hangs := deliverFunc(func(ctx context.Context, _ *position, _ []record.Event, _ bool) error {
		<-ctx.Done()
		return fmt.Errorf("waiting for the server: %w", ctx.Err())
	})
	c := quick(dir)
	c.grace = 50 * time.Millisecond
	require.NoError(t, c.start(hangs, position{Run: "7Q2K", Recipe: "iris"}))
	begin := time.Now()
	recordtest.Emit(t, c, scalars(1, 3000)...)
	assert.Less(t, time.Since(begin), 3*time.Second, "less than a millisecond each")
	begin = time.Now()
	err := c.Close()
	assert.Less(t, time.Since(begin), 5*time.Second)
	require.ErrorContains(t, err, "ledger does not have 3000 of 3000 events (waiting for the server: context canceled): they are kept in "+filepath.Dir(c.spool.events)+", and art sync sends them")
	assert.NotContains(t, err.Error(), "\n")

	c = quick(dir)
	require.NoError(t, c.start(hopelessNow, position{}))
	recordtest.Emit(t, c, scalars(3001, 3010)...)
	require.ErrorContains(t, c.Close(), "3010 of 3010 events (wrong key)")

	var lines []string
	require.NoError(t, syncAll(t.Context(), dir, func(line string) { lines = append(lines, line) }, l.find, hasty))
	assert.Equal(t, []string{"ledger: sent 3010 events of run 7Q2K of iris"}, lines)
	assertLedger(t, l, scalars(1, 3010))
	require.NoError(t, syncAll(t.Context(), dir, func(line string) { t.Errorf("again: %s", line) }, l.find, hasty))
}

type deliverFunc func(context.Context, *position, []record.Event, bool) error

func (f deliverFunc) deliver(ctx context.Context, p *position, events []record.Event, again bool) error {
	return f(ctx, p, events, again)
}

var hopelessNow = deliverFunc(func(context.Context, *position, []record.Event, bool) error {
	return hopeless{errors.New("wrong key")}
})

func TestCourierPutsRefusedEventsAside(t *testing.T) {
	l := &ledger{fault: func(e record.Event) error {
		if e.Seq%400 == 0 {
			return refusal{fmt.Errorf("400 Bad Request: iteration %d", e.Iteration)}
		}
		return nil
	}}
	c := startQuick(t, t.TempDir(), l)
	recordtest.Emit(t, c, scalars(1, 1500)...)
	require.ErrorContains(t, c.Close(), "ledger refused 3 of 1500 events: they are kept in ")
	assert.Len(t, l.events, 1497)
	file, err := os.Open(strings.TrimSuffix(c.spool.events, ".jsonl") + ".refused.jsonl")
	require.NoError(t, err)
	defer file.Close()
	var got []string
	for e, err := range record.NewReader(file).All() {
		require.NoError(t, err)
		got = append(got, fmt.Sprint(e.Seq, e.Kind, e.Text))
	}
	assert.Equal(t, []string{"400text400 Bad Request: iteration 400", "400scalar", "800text400 Bad Request: iteration 800", "800scalar",
		"1200text400 Bad Request: iteration 1200", "1200scalar"}, got)
}

// Waits double up to a minute, obey Retry-After, and do not hold up closing.
func TestCourierWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Duration
		begin := time.Now()
		down := deliverFunc(func(context.Context, *position, []record.Event, bool) error {
			attempts = append(attempts, time.Since(begin))
			if len(attempts) == 9 {
				return later{errors.New("429"), 10 * time.Minute}
			}
			return errors.New("connection refused")
		})
		c := &courier{name: "down", spool: spoolAt(t.TempDir(), "down")}
		require.NoError(t, c.start(down, position{Run: "R"}))
		recordtest.Emit(t, c, scalars(1, 1)...)
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		var waits []float64
		for i := range attempts[1:] {
			waits = append(waits, (attempts[i+1] - attempts[i]).Seconds())
		}
		want := []float64{0.5, 1, 2, 4, 8, 16, 32, 60, 600, 60, 60}
		require.Greater(t, len(waits), len(want))
		for i, w := range want {
			assert.InDelta(t, w, waits[i], 0.2*w, "wait %d", i)
		}
		before := len(attempts)
		closing := time.Now()
		assert.ErrorContains(t, c.Close(), "down does not have 1 of 1 events (connection refused)")
		assert.Equal(t, 10*time.Second, time.Since(closing), "the grace")
		assert.Greater(t, len(attempts), before+3, "it is tried at once when there is no more time to wait")
	})
}

func TestCourierSendsInBatches(t *testing.T) {
	var sizes []int
	count := deliverFunc(func(_ context.Context, _ *position, events []record.Event, _ bool) error {
		sizes = append(sizes, len(events))
		return nil
	})
	synctest.Test(t, func(t *testing.T) {
		c := &courier{name: "count", spool: spoolAt(t.TempDir(), "count")}
		require.NoError(t, c.start(count, position{Run: "R"}))
		for i := range 30 { // three seconds of ten events a second, then a burst
			recordtest.Emit(t, c, scalars(i+1, i+1)...)
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(10 * time.Second)
		recordtest.Emit(t, c, scalars(31, 2530)...)
		require.NoError(t, c.Close())
	})
	assert.LessOrEqual(t, len(sizes), 8, "%v", sizes)
	assert.Contains(t, sizes, batchBounds.events)
}

// While one process sends a run, another leaves it alone.
func TestOneProcessSends(t *testing.T) {
	dir := t.TempDir()
	release := make(chan struct{})
	l := &ledger{after: func() error { <-release; return nil }}
	c := startQuick(t, dir, l)
	recordtest.Emit(t, c, scalars(1, 10)...)
	require.Eventually(t, func() bool { at, err := c.spool.load(); return err == nil && at.Trying > 0 }, 5*time.Second, time.Millisecond)
	err := syncAll(t.Context(), dir, func(line string) { t.Error(line) }, (&ledger{}).find, hasty)
	assert.ErrorContains(t, err, "another process is sending it")
	close(release)
	require.NoError(t, c.Close())
	assertLedger(t, l, scalars(1, 10))
}

func TestCourierSurvivesAFaultOfItsOwn(t *testing.T) {
	c := startQuick(t, t.TempDir(), deliverFunc(func(context.Context, *position, []record.Event, bool) error { panic("oops") }))
	recordtest.Emit(t, c, scalars(1, 10)...)
	assert.ErrorContains(t, c.Close(), "a fault of this project: oops")
}

// A scalar allocates nothing in the goroutine that trains, whatever server it is for.
func TestScalarsForServersAllocateNothing(t *testing.T) {
	toService(t)
	useNeptune(t)
	m := &MLflow{Address: serveTracker(t, &tracker{}), Spool: t.TempDir(), W: io.Discard}
	for name, sink := range map[string]record.Sink{
		"W&B": &WandB{Mode: "offline", Spool: t.TempDir(), W: io.Discard}, "Neptune": &Neptune{Mode: "offline", Spool: t.TempDir(), W: io.Discard}, "MLflow": m,
	} {
		recordtest.Emit(t, sink, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"})
		time.Sleep(20 * time.Millisecond) // MLflow has no offline mode: it lets events gather for a second
		e := scalars(2, 2)[0]
		assert.Zero(t, testing.AllocsPerRun(200, func() {
			e.Seq++
			e.Iteration++
			if err := sink.Emit(e); err != nil {
				panic(err)
			}
		}), name)
		require.NoError(t, sink.(io.Closer).Close())
	}
}

// BenchmarkCourierScalar is the cost of a scalar while the server hangs.
func BenchmarkCourierScalar(b *testing.B) {
	c := quick(b.TempDir())
	c.grace = time.Millisecond
	hangs := deliverFunc(func(ctx context.Context, _ *position, _ []record.Event, _ bool) error { <-ctx.Done(); return ctx.Err() })
	require.NoError(b, c.start(hangs, position{Run: "R"}))
	b.ReportAllocs()
	e := scalars(1, 1)[0]
	for b.Loop() {
		e.Seq++
		e.Iteration++
		if err := c.Emit(e); err != nil {
			b.Fatal(err)
		}
	}
	assert.Error(b, c.Close())
}

// BenchmarkCourierMillion emits a million scalars while the server hangs: the
// memory that they hold, and the longest that one Emit took.
func BenchmarkCourierMillion(b *testing.B) {
	hangs := deliverFunc(func(ctx context.Context, _ *position, _ []record.Event, _ bool) error { <-ctx.Done(); return ctx.Err() })
	for b.Loop() {
		c := quick(b.TempDir())
		c.grace = time.Millisecond
		require.NoError(b, c.start(hangs, position{Run: "R"}))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		e := scalars(1, 1)[0]
		waits := make([]time.Duration, 1_000_000)
		for i := range waits {
			e.Seq, e.Iteration = int64(i+1), i
			begin := time.Now()
			if err := c.Emit(e); err != nil {
				b.Fatal(err)
			}
			waits[i] = time.Since(begin)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		slices.Sort(waits)
		b.ReportMetric(max(0, float64(after.HeapAlloc)-float64(before.HeapAlloc)-8e6)/1e6, "MB-held")
		b.ReportMetric(float64(waits[999_990].Microseconds()), "µs/emit-p99.999")
		b.ReportMetric(float64(waits[999_999].Microseconds()), "µs/emit-max")
		require.Error(b, c.Close())
	}
}

// BenchmarkMLflowPoints sends points to a server that takes everything.
func BenchmarkMLflowPoints(b *testing.B) {
	server := httptest.NewServer(&tracker{discard: true})
	defer server.Close()
	const points = 100_000
	events := scalars(2, points+1)
	for b.Loop() {
		m := &MLflow{Address: server.URL, Spool: b.TempDir(), Grace: time.Minute}
		require.NoError(b, m.Emit(record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"}))
		for _, e := range events {
			if err := m.Emit(e); err != nil {
				b.Fatal(err)
			}
		}
		require.NoError(b, m.Close())
	}
	b.ReportMetric(points*float64(b.N)/b.Elapsed().Seconds(), "points/s")
}
