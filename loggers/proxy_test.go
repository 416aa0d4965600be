package loggers

import (
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/record"
)

// badNetwork is a proxy that resets connections in the middle of requests and of
// answers, and passes bytes on slowly.
type badNetwork struct {
	net.Listener
	to string

	mu     sync.Mutex
	random *rand.Rand
	resets int
	// most is how many more connections are reset.
	most int
}

// through returns the address of a bad network before a server.
func through(t *testing.T, address string, seed uint64) (*badNetwork, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	b := &badNetwork{Listener: l, to: strings.TrimPrefix(address, "http://"), random: rand.New(rand.NewPCG(seed, 1)), most: 25}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			go b.pass(from.(*net.TCPConn))
		}
	}()
	return b, "http://" + l.Addr().String()
}

// pass carries a connection until its budgets of bytes are spent.
func (b *badNetwork) pass(from *net.TCPConn) {
	there, err := net.Dial("tcp", b.to)
	if err != nil {
		_ = from.Close()
		return
	}
	to := there.(*net.TCPConn)
	up, down := int64(1<<40), int64(1<<40)
	b.mu.Lock()
	if b.most > 0 {
		b.most--
		if up, down = 100+b.random.Int64N(60_000), 1<<40; b.random.IntN(2) == 0 {
			up, down = 1<<40, b.random.Int64N(1_500)
		}
	}
	b.mu.Unlock()
	var once sync.Once
	cut := func(reset bool) {
		once.Do(func() {
			if reset {
				b.mu.Lock()
				b.resets++
				b.mu.Unlock()
				_ = from.SetLinger(0) // a reset, not an end
				_ = to.SetLinger(0)
			}
			_, _ = from.Close(), to.Close()
		})
	}
	carry := func(to io.Writer, from io.Reader, budget int64) {
		for budget > 0 {
			n, err := io.CopyN(to, from, min(budget, 16<<10))
			if budget -= n; err != nil {
				cut(false)
				return
			}
			time.Sleep(time.Millisecond) // slow
		}
		cut(true)
	}
	go carry(to, from, up)
	carry(from, to, down)
}

// Through a network that breaks connections in the middle of requests and of answers,
// each server has every point once.
func TestLoggersThroughABadNetwork(t *testing.T) {
	const points = 3000
	emit := func(t *testing.T, sink record.Sink) {
		t.Helper()
		require.NoError(t, sink.Emit(record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"}))
		for _, e := range scalars(2, points+1) {
			require.NoError(t, sink.Emit(e))
			if e.Seq%300 == 0 {
				time.Sleep(2 * time.Millisecond) // so that there are many batches
			}
		}
		require.NoError(t, sink.Emit(record.Event{Seq: points + 2, Kind: record.RunEnd, Outcome: record.Passed}))
		require.NoError(t, sink.(io.Closer).Close())
	}
	for name, run := range map[string]func(t *testing.T, dir string) *badNetwork{
		"W&B": func(t *testing.T, dir string) *badNetwork {
			s := toService(t)
			network, address := through(t, s.URL, 1)
			emit(t, &WandB{Address: address, Spool: dir, W: io.Discard, Grace: time.Minute, patience: hasty, linger: time.Millisecond})
			assertOnce(t, s, points)
			return network
		},
		"Neptune": func(t *testing.T, dir string) *badNetwork {
			s := useNeptune(t)
			network, address := through(t, s.URL, 2)
			s.URL = address // which the token names, and the server says that it has
			t.Setenv("NEPTUNE_API_TOKEN", s.Token())
			emit(t, &Neptune{Spool: dir, W: io.Discard, Grace: time.Minute, courierPatience: hasty, linger: time.Millisecond})
			assertLosses(t, s, points)
			return network
		},
		"MLflow": func(t *testing.T, dir string) *badNetwork {
			s := &tracker{}
			network, address := through(t, serveTracker(t, s), 3)
			emit(t, &MLflow{Address: address, Spool: dir, W: io.Discard, Grace: time.Minute, patience: hasty, linger: time.Millisecond})
			s.mu.Lock()
			defer s.mu.Unlock()
			assertSteps(t, s, points)
			assert.Equal(t, "FINISHED", s.ended)
			return network
		},
	} {
		t.Run(name, func(t *testing.T) {
			network := run(t, t.TempDir())
			network.mu.Lock()
			defer network.mu.Unlock()
			assert.Greater(t, network.resets, 3, "the network was not bad")
		})
	}
}

// assertSteps says that a tracker has every scalar of toTracker once, in order.
func assertSteps(t *testing.T, s *tracker, n int) {
	t.Helper()
	var got, want []int64
	for _, p := range s.metrics {
		got = append(got, p.Step)
	}
	for i := range n {
		want = append(want, int64(i+2))
	}
	require.Len(t, got, n)
	for i := range want {
		require.Equal(t, want[i], got[i], "point %d", i)
	}
}

// A key that expires in the middle of a run keeps what has arrived, and what has not
// waits for a new one.
func TestWandBKeyExpires(t *testing.T) {
	s := toService(t)
	dir := t.TempDir()
	w := &WandB{Spool: dir, W: io.Discard, Grace: time.Minute, patience: hasty, linger: time.Millisecond}
	require.NoError(t, w.Emit(record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"}))
	for _, e := range scalars(2, 4) {
		require.NoError(t, w.Emit(e))
	}
	require.Eventually(t, func() bool { r := s.Runs(); return len(r) == 1 && len(r[0].History) > 0 }, 10*time.Second, time.Millisecond)
	renewed := strings.Repeat("0123456789", 4)
	s.SetKey(renewed)
	require.NoError(t, w.Emit(scalars(5, 5)[0]))
	require.NoError(t, w.Emit(record.Event{Seq: 6, Kind: record.RunEnd, Outcome: record.Passed}))
	begin := time.Now()
	require.ErrorContains(t, w.Close(), "is the key right, and of this server?")
	assert.Less(t, time.Since(begin), 20*time.Second, "there is no hope, so no waiting")
	require.Error(t, Sync(t.Context(), dir, func(string) {}), "the old key")
	t.Setenv("WANDB_API_KEY", renewed)
	require.NoError(t, Sync(t.Context(), dir, func(string) {}))
	assertOnce(t, s, 4)
	assert.Equal(t, wandbtest.Entity, s.Runs()[0].Entity)
}
