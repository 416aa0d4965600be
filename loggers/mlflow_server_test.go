package loggers_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// A real server takes a run, and the official client reads it back.
func TestMLflowReadsWhatWeSend(t *testing.T) {
	exe := python(t, "mlflow-requirements.txt")
	store, run := t.TempDir(), t.TempDir()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(free.Addr().String())
	require.NoError(t, err)
	require.NoError(t, free.Close())
	server := serve(t, regexp.MustCompile(`Uvicorn running on (http://\S+)`), exe, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", port,
		"--workers", "1", "--backend-store-uri", "sqlite:///"+filepath.Join(store, "mlflow.db"), "--artifacts-destination", filepath.Join(store, "artifacts"))

	require.NoError(t, os.MkdirAll(filepath.Join(run, "explore-data"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(run, "explore-data", "features.npy"), []byte("\x93NUMPY"), 0o644))
	var said bytes.Buffer
	m := &loggers.MLflow{Address: server, Experiment: "iris experiment", Grace: time.Minute, W: &said, Tags: map[string]string{"team": "blue"}}
	sent := recordtest.Example()
	for i := range sent {
		if sent[i].Kind == record.RunStart {
			sent[i].Settings["directory"] = run
		}
		if a := sent[i].Artifact; a != nil {
			sum := sha256.Sum256([]byte("\x93NUMPY"))
			a.Kind, a.SHA256 = "weights", hex.EncodeToString(sum[:])
		}
		recordtest.Emit(t, m, sent[i])
	}
	require.NoError(t, m.Close())
	id, page := m.RunID()
	assert.Equal(t, "MLflow run "+id+": "+page+"\n", said.String())
	assert.Equal(t, server+"/#/experiments/1/runs/"+id, page)
	for _, run := range []string{"", id, "7Q2K"} {
		file, err := m.DownloadCheckpoint(t.Context(), run, "last", t.TempDir())
		require.NoError(t, err)
		weights, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, "\x93NUMPY", string(weights))
	}
	for want, which := range map[string]string{"the run has none": "best", "404": "none.bin"} {
		_, err := m.DownloadCheckpoint(t.Context(), "", which, t.TempDir())
		assert.ErrorContains(t, err, want)
	}

	read := exec.Command(exe, filepath.Join("testdata", "mlflow_read.py"), server, "iris experiment")
	read.Stderr = os.Stderr
	out, err := read.Output()
	require.NoError(t, err)
	var runs []struct {
		Name, Status string
		Start, End   int64
		Params, Tags map[string]string
		Artifacts    map[string]string
		Metrics      map[string][][3]any
	}
	require.NoError(t, json.Unmarshal(out, &runs), "%s", out)
	require.Len(t, runs, 1)
	got := runs[0]
	assert.Equal(t, "7Q2K FAILED", got.Name+" "+got.Status)
	assert.Equal(t, sent[0].Time.UnixMilli(), got.Start)
	assert.Equal(t, sent[len(sent)-1].Time.UnixMilli(), got.End)
	assert.Equal(t, "150", got.Params["rows"])
	assert.Equal(t, []string{"blue", "explore-data/features.npy"}, []string{got.Tags["team"], got.Tags["art.checkpoint.last"]})
	assert.Equal(t, "0.003", got.Params["overfit.learning rate"])
	assert.Equal(t, "skip: needs transfer-learning, which broke", got.Tags["squeeze.outcome"])
	assert.Equal(t, "FAIL the network does not generalise well enough  want ≥ 0.95  got 0.933", got.Tags["regularize.check.accuracy-at-least"])
	assert.Equal(t, map[string]string{"explore-data/features.npy": "\u0093NUMPY"}, got.Artifacts)

	points := 0
	for _, of := range got.Metrics {
		points += len(of)
	}
	numbers := 0
	for _, e := range sent {
		if e.Kind == record.Scalar || e.Kind == record.Score {
			numbers++
		}
	}
	assert.Equal(t, numbers, points)
	loss := got.Metrics["overfit/training/loss"]
	require.Len(t, loss, 12)
	for i, p := range loss {
		assert.Equal(t, []any{float64(i), fmt.Sprint(1.083 / float64(i+1))}, []any{p[0], p[2]})
	}
	var odd []any
	for _, p := range got.Metrics["transfer-learning/freeze/loss"] {
		odd = append(odd, p[2])
	}
	assert.ElementsMatch(t, []any{"0.0", "0.0", "1.7976931348623157e+308", "-1.7976931348623157e+308", "nan"}, odd)
}
