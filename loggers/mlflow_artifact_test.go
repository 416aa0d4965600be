package loggers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// savedWeights writes files of weights, named by their paths, into the directory of a
// run, and returns the events of a run that saved them.
func savedWeights(t *testing.T, dir string, paths ...string) []record.Event {
	t.Helper()
	events := []record.Event{{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K", Settings: map[string]string{"directory": dir}}}
	for i, p := range paths {
		content := []byte("weights " + p)
		file := filepath.Join(dir, filepath.FromSlash(p))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, content, 0o644))
		sum := sha256.Sum256(content)
		events = append(events, record.Event{Seq: int64(i + 2), Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{
			Name: filepath.Base(file), Path: p, Kind: "weights", Bytes: int64(len(content)), SHA256: hex.EncodeToString(sum[:]),
		}})
	}
	return append(events, record.Event{Seq: int64(len(paths) + 2), Kind: record.RunEnd, Outcome: record.Passed})
}

// Weights that a run saved are found as its last and its best, and come back whole or
// not at all.
func TestMLflowCheckpoints(t *testing.T) {
	s := &tracker{}
	var said bytes.Buffer
	m := &MLflow{Address: serveTracker(t, s), Experiment: "flowers", Name: "first try", Tags: map[string]string{"team": "blue"}, W: &said, patience: hasty}
	recordtest.Emit(t, m, savedWeights(t, t.TempDir(), "overfit/best 1.safetensors", "overfit/w.safetensors")...)
	require.NoError(t, m.Close())
	assert.Equal(t, "MLflow run R: "+m.Address+"/#/experiments/1/runs/R\n", said.String())
	assert.Equal(t, []string{"7Q2K", "iris", "blue", "overfit/w.safetensors", "overfit/best 1.safetensors"}, []string{s.run.tag("art.run"), s.run.tag("art.recipe"),
		s.run.tag("team"), s.run.tag("art.checkpoint.last"), s.run.tag("art.checkpoint.best")})

	dir := t.TempDir()
	other := &MLflow{Address: m.Address, Experiment: "flowers", patience: hasty}
	for _, c := range []struct {
		m                *MLflow
		run, which, want string
	}{
		{m, "", "best", "overfit/best 1.safetensors"},
		{other, "R", "last", "overfit/w.safetensors"},
		{other, "7Q2K", "last", "overfit/w.safetensors"},
		{other, "7Q2K", "overfit/best 1.safetensors", "overfit/best 1.safetensors"},
	} {
		file, err := c.m.DownloadCheckpoint(t.Context(), c.run, c.which, dir)
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, filepath.Base(c.want)), file)
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "weights "+c.want, string(got))
	}
	for want, ask := range map[string][2]string{"leads out of the run": {"R", "../../secret"}, "404 Not Found": {"R", "none"}, "MLflow: checkpoint last of run : this logger has no run yet": {"", "last"}} {
		_, err := other.DownloadCheckpoint(t.Context(), ask[0], ask[1], dir)
		assert.ErrorContains(t, err, want)
	}
	_, err := (&MLflow{Address: m.Address}).DownloadCheckpoint(t.Context(), "7Q2K", "last", dir)
	assert.ErrorContains(t, err, "set Experiment")

	s.mu.Lock()
	s.files["1/R/artifacts/overfit/w.safetensors"] = []byte("others")
	s.mu.Unlock()
	empty := t.TempDir()
	_, err = other.DownloadCheckpoint(t.Context(), "R", "last", empty)
	assert.ErrorContains(t, err, "what came has SHA-256")
	left, err := os.ReadDir(empty)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// A download that breaks off is begun again.
func TestMLflowCheckpointsGetThroughFaults(t *testing.T) {
	s := &tracker{}
	m := &MLflow{Address: serveTracker(t, s), W: io.Discard, patience: hasty}
	recordtest.Emit(t, m, savedWeights(t, t.TempDir(), "overfit/w.safetensors")...)
	require.NoError(t, m.Close())
	faults := 0
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet {
			return false
		}
		switch faults++; faults {
		case 1:
			w.WriteHeader(http.StatusBadGateway)
		case 3: // the file: half of it
			w.Header().Set("Content-Length", "21")
			_, _ = io.WriteString(w, "weights ")
			panic(http.ErrAbortHandler)
		default:
			return false
		}
		return true
	}
	file, err := m.DownloadCheckpoint(t.Context(), "", "last", t.TempDir())
	require.NoError(t, err)
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, "weights overfit/w.safetensors", string(got))
}

// Where a server leaves artifacts to its clients, nothing is put where nobody looks.
func TestMLflowArtifactsElsewhere(t *testing.T) {
	for uri, want := range map[string]string{
		"": "1/R/artifacts", "mlflow-artifacts:/1/R/artifacts": "1/R/artifacts", "mlflow-artifacts://host:5000/exp/1": "exp/1",
		"s3://bucket/1/R": "", "/srv/mlruns/1": "", "file:///srv/1": "", "://": "",
	} {
		assert.Equal(t, want, mlflowFolder(uri, "1", "R"), uri)
	}
	s := &tracker{}
	s.run.Info.ArtifactURI = "s3://bucket/1/R"
	m := &MLflow{Address: serveTracker(t, s), W: io.Discard}
	recordtest.Emit(t, m, savedWeights(t, t.TempDir(), "overfit/w.safetensors")...)
	assert.ErrorContains(t, m.Close(), "refused 1 of 3 events")
	assert.Equal(t, "FINISHED", s.ended)
	assert.Empty(t, s.files)
}

func TestMLflowTrustsCertificates(t *testing.T) {
	encrypted := httptest.NewUnstartedServer(&tracker{})
	encrypted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	encrypted.StartTLS()
	defer encrypted.Close()
	pems := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(pems, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw}), 0o644))
	try := func() error {
		return toTracker(t, &MLflow{Address: encrypted.URL, Spool: t.TempDir(), Grace: 10 * time.Second}, 3)
	}
	assert.ErrorContains(t, try(), "certificate")
	t.Setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", pems)
	assert.NoError(t, try())
	t.Setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "mlflow_test.go")
	m := &MLflow{Address: encrypted.URL, Spool: t.TempDir()}
	assert.ErrorContains(t, m.Emit(record.Event{Kind: record.RunStart}), "has no certificates")
	t.Setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", "none")
	assert.ErrorContains(t, (&MLflow{Address: encrypted.URL, Spool: t.TempDir()}).Emit(record.Event{Kind: record.RunStart}), "MLFLOW_TRACKING_SERVER_CERT_PATH: open none")
	t.Setenv("MLFLOW_TRACKING_INSECURE_TLS", "true")
	assert.NoError(t, try())
}

// A clock that is set back, or is from before 1970, keeps no point from arriving.
func TestMLflowClockJumps(t *testing.T) {
	s := &tracker{}
	m := &MLflow{Address: serveTracker(t, s), Spool: t.TempDir(), W: io.Discard}
	recordtest.Emit(t, m, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K", Time: time.Unix(1_700_000_000, 0)})
	for i, at := range []int64{1_700_000_001, 1_600_000_000, -5, 1_700_000_002} {
		recordtest.Emit(t, m, record.Event{Seq: int64(i + 2), Kind: record.Scalar, Step: "s", Name: "x", Iteration: i, Value: float64(i), Time: time.Unix(at, 0)})
	}
	require.NoError(t, m.Close())
	var got []int64
	for i, p := range s.metrics {
		assert.EqualValues(t, i, p.Step)
		got = append(got, p.Timestamp)
	}
	assert.Equal(t, []int64{1_700_000_001_000, 1_600_000_000_000, 0, 1_700_000_002_000}, got)
}

// A key that expires in the middle of a run keeps what came before, and nothing is lost.
func TestMLflowTokenExpires(t *testing.T) {
	for _, expired := range []int{3, 4} {
		batches := 0
		s := &tracker{}
		s.before = func(w http.ResponseWriter, r *http.Request) bool {
			if batches++; batches > expired && r.Header.Get("Authorization") != "Bearer new" {
				http.Error(w, "token expired", http.StatusUnauthorized)
				return true
			}
			return false
		}
		t.Setenv("MLFLOW_TRACKING_TOKEN", "old")
		m := &MLflow{Address: serveTracker(t, s), Spool: t.TempDir()}
		err := toTracker(t, m, 1100)
		require.ErrorContains(t, err, "of 1101 events (401 Unauthorized: token expired)")
		assert.NotContains(t, err.Error(), "\n")
		t.Setenv("MLFLOW_TRACKING_TOKEN", "new")
		require.NoError(t, Sync(t.Context(), m.Spool, func(string) {}))
		assertSteps(t, s, 1100)
		require.False(t, strings.Contains(err.Error(), "old"))
	}
}
