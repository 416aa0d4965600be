package loggers

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// toWandB emits a run of n scalars and closes.
func toWandB(t *testing.T, w *WandB, n int) error {
	t.Helper()
	w.W = io.Discard
	recordtest.Emit(t, w, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"})
	recordtest.Emit(t, w, scalars(2, n+1)...)
	recordtest.Emit(t, w, record.Event{Seq: int64(n + 2), Kind: record.RunEnd, Outcome: record.Passed})
	return w.Close()
}

// assertOnce says that a run has every scalar once, in order, and has ended.
func assertOnce(t *testing.T, s *wandbtest.Server, n int) {
	t.Helper()
	require.Len(t, s.Runs(), 1)
	run := s.Runs()[0]
	var got, want []int
	for _, row := range run.History {
		got = append(got, int(row["s/iteration"].(float64)))
	}
	for i := range n {
		want = append(want, i+2)
	}
	assert.Equal(t, want, got)
	assert.Equal(t, "finished", run.State)
	assert.InDelta(t, 1/float64(n+1), run.Summary["s/loss"], 1e-12)
}

// Whatever the service does, training goes on, and everything arrives once: at
// once, or by Sync.
func TestWandBTroubles(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault wandbtest.Fault
		want  string // of the error of Close; empty if it gets through
		most  int    // requests until it gives up; 0 is any
	}{
		{"wrong key", wandbtest.Fault{Status: 401, Body: `{"errors":[{"message":"user is not logged in"}]}`}, "does not have 5 of 5 events (401 Unauthorized: user is not logged in: is the key right", 1},
		{"forbidden", wandbtest.Fault{Operation: "UpsertBucket", Status: 403, Body: `{"errors":[{"message":"permission denied"}],"data":{"upsertBucket":null}}`}, "403 Forbidden: permission denied", 2},
		{"bad config", wandbtest.Fault{Operation: "UpsertBucket", Status: 400, Body: `{"error":{"message":"no"}}`}, "400 Bad Request: no", 2},
		{"errors in a success", wandbtest.Fault{Operation: "UpsertBucket", Status: 200, Body: `{"errors":["first","second"]}`}, "UpsertBucket: first; second", 2},
		{"conflict", wandbtest.Fault{Operation: "UpsertBucket", Status: 409, Body: `{"error":"was previously created and deleted"}`}, "409 Conflict: was previously created and deleted", 0},
		{"run deleted", wandbtest.Fault{Operation: "file_stream", Status: 404, Body: `{"error":"run not found"}`}, "404 Not Found: run not found", 0},
		{"redirect", wandbtest.Fault{Status: 307, Header: map[string]string{"Location": "http://elsewhere/graphql"}}, "it redirects to http://elsewhere/graphql: redirects are not followed", 1},
		{"not the service", wandbtest.Fault{Status: 200, Body: "<html>"}, "its answer is not JSON", 0},
		{"overloaded", wandbtest.Fault{Status: 503, Body: "busy"}, "503 Service Unavailable: busy", 0},
		{"come back later", wandbtest.Fault{Status: 429, Header: map[string]string{"Retry-After": "3600"}, Body: "rate limit exceeded"}, "429 Too Many Requests: rate limit exceeded", 0},
		{"reset", wandbtest.Fault{Drop: true}, "EOF", 0},
		{"slow", wandbtest.Fault{Delay: 400 * time.Millisecond}, "context canceled", 0},
		{"429 for a while", wandbtest.Fault{Operation: "file_stream", Times: 2, Status: 429, Header: map[string]string{"Retry-After": "0.01"}}, "", 0},
		{"answers lost", wandbtest.Fault{Times: 4, Lose: true}, "", 0},
		{"lines arrive and their answers do not", wandbtest.Fault{Operation: "file_stream", Times: 3, Lose: true}, "", 0},
		{"answers cut", wandbtest.Fault{Times: 4, Cut: true}, "", 0},
		{"store broken for a while", wandbtest.Fault{Operation: "PUT", Times: 3, Status: 500}, "", 0},
		{"addresses expired", wandbtest.Fault{Operation: "PUT", Times: 2, Status: 403, Body: "<Error>Request has expired</Error>"}, "", 0},
		{"store closed", wandbtest.Fault{Operation: "PUT", Status: 403}, "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := toService(t)
			s.Inject(c.fault)
			grace := time.Minute
			if c.want != "" {
				grace = 100 * time.Millisecond
			}
			root := t.TempDir()
			w := &WandB{Spool: root, Grace: grace, Strict: true, patience: hasty}
			begin := time.Now()
			err := toWandB(t, w, 3)
			assert.Less(t, time.Since(begin), 10*time.Second)
			if c.want == "" {
				require.NoError(t, err)
				assertOnce(t, s, 3)
				return
			}
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), s.Key())
			assert.True(t, err.(interface{ Strict() bool }).Strict())
			if c.most > 0 {
				assert.LessOrEqual(t, len(s.Requests()), c.most)
			}
			s.Recover()
			var lines []string
			require.NoError(t, Sync(t.Context(), root, func(line string) { lines = append(lines, line) }))
			assert.Len(t, lines, 1)
			assertOnce(t, s, 3)
		})
	}
}

// A certificate that nobody vouches for ends the sending, without waiting.
func TestWandBOfAServerThatIsNotItself(t *testing.T) {
	s := toService(t)
	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	encrypted.StartTLS()
	defer encrypted.Close()
	root := t.TempDir()
	begin := time.Now()
	err := toWandB(t, &WandB{Address: encrypted.URL, Spool: root, Grace: time.Minute}, 3)
	assert.ErrorContains(t, err, "certificate")
	assert.Less(t, time.Since(begin), 30*time.Second)
	assert.Empty(t, s.Requests())
}

// A clock that is set back does not turn back the time of the run.
func TestWandBClockJumps(t *testing.T) {
	s := toService(t)
	w := &WandB{Spool: t.TempDir(), W: io.Discard, Grace: time.Minute}
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	recordtest.Emit(t, w, record.Event{Seq: 1, Time: at, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"})
	for i, jump := range []time.Duration{time.Second, -time.Hour, 2 * time.Second} {
		recordtest.Emit(t, w, record.Event{Seq: int64(i + 2), Time: at.Add(jump), Kind: record.Scalar, Step: "s", Name: "x", Iteration: i})
	}
	require.NoError(t, w.Close())
	var runtimes []any
	for _, row := range s.Runs()[0].History {
		runtimes = append(runtimes, row["_runtime"])
	}
	assert.Equal(t, []any{1., 1., 2.}, runtimes)
	assert.Equal(t, 1, s.Runs()[0].ExitCode, "a recipe that did not end has failed")
}
