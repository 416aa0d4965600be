package loggers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

const secret = "s3cr3t-t0k3n"

// tracker is a tracking server that counts everything twice that is sent
// twice, as one without a database does.
type tracker struct {
	mu       sync.Mutex
	metrics  []mlflowMetric
	requests []string
	headers  []http.Header
	// before answers a request instead, if it returns true; after answers one
	// that had its effect.
	before, after func(w http.ResponseWriter, r *http.Request) bool
	// discard forgets the metrics at once.
	discard bool
	page    int // metrics of a history
	run     mlflowRun
	ended   string
	files   map[string][]byte
}

func (s *tracker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, apiPath)
	s.requests, s.headers = append(s.requests, path), append(s.headers, r.Header)
	if s.before != nil && s.before(w, r) {
		return
	}
	var answer any = map[string]any{}
	switch path {
	case "experiments/get-by-name":
		answer = map[string]any{"experiment": map[string]any{"experiment_id": "1", "lifecycle_stage": "active"}}
	case "runs/create":
		s.run.Info.ID, s.run.Info.Experiment = "R", "1"
		var q struct{ Tags []mlflowPair }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.run.Data.Tags = q.Tags
		answer = map[string]any{"run": s.run}
	case "runs/search":
		if s.run.Info.ID != "" {
			answer = map[string]any{"runs": []mlflowRun{s.run}}
		}
	case "runs/get":
		if r.URL.Query().Get("run_id") != s.run.Info.ID {
			http.Error(w, `{"error_code":"RESOURCE_DOES_NOT_EXIST"}`, http.StatusNotFound)
			return
		}
		answer = map[string]any{"run": s.run}
	case "runs/update":
		var q struct{ Status string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.ended = q.Status
	case "runs/log-batch":
		var b mlflowBatch
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !s.discard {
			s.metrics = append(s.metrics, b.Metrics...)
		}
		for _, tag := range b.Tags {
			s.run.Data.Tags = slices.DeleteFunc(s.run.Data.Tags, func(old mlflowPair) bool { return old.Key == tag.Key })
			s.run.Data.Tags = append(s.run.Data.Tags, tag)
		}
	case "metrics/get-history":
		var of []mlflowMetric
		for _, m := range s.metrics {
			if m.Key == r.URL.Query().Get("metric_key") {
				of = append(of, m)
			}
		}
		at, _ := strconv.Atoi(r.URL.Query().Get("page_token")) // 0 without one
		page := map[string]any{"metrics": of[at:min(at+s.page, len(of))]}
		if at+s.page < len(of) {
			page["next_page_token"] = fmt.Sprint(at + s.page)
		}
		answer = page
	default:
		if name, found := strings.CutPrefix(path, artifactsPath); found && s.keep(w, r, name) {
			return
		}
	}
	if s.after != nil && s.after(w, r) {
		return
	}
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}

// keep is the store of artifacts.
func (s *tracker) keep(w http.ResponseWriter, r *http.Request, name string) (done bool) {
	if r.Method == http.MethodPut {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return true // the client is gone
		}
		if s.files == nil {
			s.files = map[string][]byte{}
		}
		s.files[name] = b
		return false
	}
	b, there := s.files[name]
	if !there {
		http.Error(w, `{"error_code":"RESOURCE_DOES_NOT_EXIST"}`, http.StatusNotFound)
		return true
	}
	_, _ = w.Write(b)
	return true
}

func TestMLflowIsASink(t *testing.T) {
	keeps := func(e record.Event) (record.Event, bool) {
		return record.Event{Name: mlflowKey("/", e.Step, e.Trial, e.Stage, e.Name), Iteration: e.Iteration, Value: e.Value, Time: e.Time.Truncate(time.Millisecond)},
			e.Kind == record.Scalar || e.Kind == record.Score
	}
	recordtest.TestLossy(t, recordtest.Lossy{Keeps: keeps}, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		dir := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "explore-data"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "explore-data", "features.npy"), nil, 0o644))
		s := &tracker{}
		m := &MLflow{Address: serveTracker(t, s), Spool: t.TempDir(), W: io.Discard}
		return inDirectory{m, dir}, func() ([]record.Event, error) {
			var events []record.Event
			for _, p := range s.metrics {
				events = append(events, record.Event{Name: p.Key, Iteration: int(p.Step), Value: float64(p.Value), Time: time.UnixMilli(p.Timestamp)})
			}
			return events, nil
		}
	})
}

// inDirectory gives the run a directory, as arttest does.
type inDirectory struct {
	*MLflow
	dir string
}

func (d inDirectory) Emit(e record.Event) error {
	if e.Kind == record.RunStart {
		e.Settings = map[string]string{"directory": d.dir}
	}
	return d.MLflow.Emit(e)
}

func serveTracker(t *testing.T, s *tracker) string {
	s.page = max(s.page, 1000)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

// toTracker emits a run of n scalars and closes.
func toTracker(t *testing.T, m *MLflow, n int) error {
	t.Helper()
	if m.W == nil {
		m.W = io.Discard
	}
	recordtest.Emit(t, m, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	recordtest.Emit(t, m, scalars(2, n+1)...)
	return m.Close()
}

// A server that loses its answers and has no keys of its own still gets each
// point once.
func TestMLflowLeavesOutWhatIsThere(t *testing.T) {
	lost := 0
	s := &tracker{after: func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "log-batch") && lost < 3 {
			lost++
			panic(http.ErrAbortHandler)
		}
		return false
	}}
	m := &MLflow{Address: serveTracker(t, s), Spool: t.TempDir()}
	s.page = 2
	require.NoError(t, toTracker(t, m, 5))
	var steps []int64
	for _, p := range s.metrics {
		assert.Equal(t, "s/loss", p.Key)
		steps = append(steps, p.Step)
	}
	assert.Equal(t, []int64{2, 3, 4, 5, 6}, steps)
	assert.Contains(t, s.requests, "metrics/get-history")
}

func TestMLflowTroubles(t *testing.T) {
	answer := func(status int, body string, header ...string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	for _, c := range []struct {
		name   string
		before func(http.ResponseWriter, *http.Request) bool
		want   string
		once   bool // there is no second attempt
	}{
		{"wrong key", answer(401, "who\nare you?"), "does not have 4 of 4 events (401 Unauthorized: who are you?): they are kept in", true},
		{"forbidden", answer(403, ""), "(403 Forbidden)", true},
		{"not MLflow", answer(404, "<html>"), "(404 Not Found: <html>)", true},
		{"redirect", answer(302, "", "Location", "http://user:"+secret+"@elsewhere/login"), "it redirects to http://user:xxxxx@elsewhere/login", true},
		{"overloaded", answer(503, "busy"), "(503 Service Unavailable: busy)", false},
		{"come back later", answer(429, "", "Retry-After", "3600"), "(429 Too Many Requests)", false},
		{"cut off", answer(200, `{"experiment": {"exp`), "its answer is not JSON: unexpected end", false},
		{"other JSON", answer(200, `[]`), "its answer is not JSON", false},
		{"bad name", answer(400, `{"error_code":"INVALID_PARAMETER_VALUE"}`), `(400 Bad Request: {"error_code":"INVALID_PARAMETER_VALUE"})`, true},
		{"reset", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, "EOF", false},
		{"slow", func(http.ResponseWriter, *http.Request) bool { time.Sleep(600 * time.Millisecond); return false }, "context canceled", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel() // each waits for its grace
			s := &tracker{before: c.before}
			m := &MLflow{Address: serveTracker(t, s), Spool: t.TempDir(), W: io.Discard, Grace: 400 * time.Millisecond, Strict: true, patience: hasty, linger: time.Millisecond}
			begin := time.Now()
			recordtest.Emit(t, m, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
			recordtest.Emit(t, m, scalars(2, 4)...)
			attempts := 3 // that are seen before it has to give up
			if c.once || c.name == "come back later" || c.name == "slow" {
				attempts = 1
			}
			require.Eventually(t, func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.requests) >= attempts }, 10*time.Second, time.Millisecond)
			err := m.Close()
			assert.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), secret)
			assert.True(t, err.(interface{ Strict() bool }).Strict())
			assert.Less(t, time.Since(begin), 5*time.Second)
			s.mu.Lock()
			if c.once {
				assert.Len(t, s.requests, 1)
			}
			s.before = nil // the server recovers
			s.mu.Unlock()
			var lines []string
			require.NoError(t, Sync(t.Context(), m.Spool, func(line string) { lines = append(lines, line) }))
			assert.Equal(t, []string{"MLflow at " + m.Address + ": sent 4 events of run 7Q2K of iris, " + m.Address + "/#/experiments/1/runs/R"}, lines)
			assertNothingLeft(t, m.Spool)
			assert.Len(t, s.metrics, 3)
		})
	}
}

func TestMLflowOfAServerThatIsNotThere(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	m := &MLflow{Address: server.URL, Spool: t.TempDir(), Grace: 300 * time.Millisecond, patience: hasty, linger: time.Millisecond}
	assert.ErrorContains(t, toTracker(t, m, 3), "connection refused")

	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	encrypted.StartTLS()
	defer encrypted.Close()
	m = &MLflow{Address: encrypted.URL, Spool: t.TempDir(), Grace: time.Minute}
	begin := time.Now()
	assert.ErrorContains(t, toTracker(t, m, 3), "certificate")
	assert.Less(t, time.Since(begin), 30*time.Second, "there is no hope, so no waiting")
}

func TestMLflowMisuse(t *testing.T) {
	e := record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"}
	assert.ErrorContains(t, (&MLflow{}).Emit(e), "set its Spool")
	for _, address := range []string{"localhost:5000", "file:///tmp/mlruns", "http://", "http://me:" + secret + "@ho st"} {
		m := &MLflow{Address: address, Spool: t.TempDir()}
		for range 2 {
			err := m.Emit(e)
			assert.ErrorContains(t, err, "is not a URL like http://localhost:5000")
			assert.NotContains(t, err.Error(), secret)
		}
		assert.NoError(t, m.Close())
	}
}

// Keys go to the server that was named, and nowhere else.
func TestMLflowKeepsSecrets(t *testing.T) {
	elsewhere := &tracker{}
	away := serveTracker(t, elsewhere)
	for _, c := range []struct {
		name, want string
		prepare    func(m *MLflow)
	}{
		{"token", "Bearer " + secret, func(*MLflow) { t.Setenv("MLFLOW_TRACKING_TOKEN", secret) }},
		{"password", "Basic bWU6czNjcjN0LXQwazNu", func(*MLflow) {
			t.Setenv("MLFLOW_TRACKING_TOKEN", "")
			t.Setenv("MLFLOW_TRACKING_USERNAME", "me")
			t.Setenv("MLFLOW_TRACKING_PASSWORD", secret)
		}},
		{"in the address", "Basic bWU6czNjcjN0LXQwazNu", func(m *MLflow) {
			t.Setenv("MLFLOW_TRACKING_USERNAME", "")
			m.Address = strings.Replace(m.Address, "://", "://me:"+secret+"@", 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := 0
			s := &tracker{before: func(w http.ResponseWriter, r *http.Request) bool {
				if n++; n < 4 {
					return false
				}
				http.Redirect(w, r, away+r.URL.Path, http.StatusTemporaryRedirect)
				return true
			}}
			dir := t.TempDir()
			m := &MLflow{Address: serveTracker(t, s), Spool: dir}
			c.prepare(m)
			err := toTracker(t, m, 3)
			require.ErrorContains(t, err, "redirects are not followed")
			assert.Equal(t, c.want, s.headers[0].Get("Authorization"))
			assert.NotContains(t, err.Error(), secret)
			if c.name != "in the address" { // which is the user's own field
				assert.NotContains(t, fmt.Sprintf("%+v %#v", m, m.courier), secret)
			}
			assert.NotContains(t, fmt.Sprintf("%+v %+v", m.courier, m.courier.sender.to), secret)
			assertNowhere(t, dir, secret)
		})
	}
	assert.Empty(t, elsewhere.requests, "a redirect was followed")
}

// assertNowhere looks into every file below dir.
func assertNowhere(t *testing.T, dir, secret string) {
	t.Helper()
	files := 0
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		assert.False(t, bytes.Contains(b, []byte(secret)), path)
		return err
	}))
	assert.NotZero(t, files)
}

func TestMLflowKey(t *testing.T) {
	for want, parts := range map[string][]string{
		"overfit/training/loss":  {"overfit", "", "training", "loss"},
		"a_b/__/größe_":          {"a/b", "..", "größe|"},
		"_":                      {"", ""},
		"_/x":                    {".", "x"},
		"w.1 -_:":                {"w.1 -_:"},
		strings.Repeat("x", 250): {strings.Repeat("x", 250)},
	} {
		assert.Equal(t, want, mlflowKey("/", parts...))
	}
	one, other := mlflowKey("/", strings.Repeat("x", 251)), mlflowKey("/", strings.Repeat("ß", 250), "y")
	assert.Regexp(t, "^x{230}-[0-9a-f]{16}$", one)
	assert.Regexp(t, "^ß{115}-[0-9a-f]{16}$", other)
	assert.NotEqual(t, one, mlflowKey("/", strings.Repeat("x", 252)))
	assert.LessOrEqual(t, len(pair([]string{"k"}, strings.Repeat("ß", 5000)).Value), maxMLflowValue)
}

func TestMLflowNumbers(t *testing.T) {
	for _, v := range []float64{0, 1.5, -2e300, math.NaN(), math.Inf(1), math.Inf(-1)} {
		b, err := json.Marshal(mlflowNumber(v))
		require.NoError(t, err)
		var got mlflowNumber
		require.NoError(t, json.Unmarshal(b, &got))
		assert.Equal(t, mlflowMetric{Value: mlflowNumber(v)}.point(), mlflowMetric{Value: got}.point())
	}
}
