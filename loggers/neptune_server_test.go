package loggers_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/loggers/neptunetest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// The official client attaches to a run that we have sent, and reads it back.
func TestNeptuneReadsWhatWeSend(t *testing.T) {
	exe := python(t, "neptune-requirements.txt")
	s := neptunetest.NewServer(t)
	s.SetLimits(neptunetest.Limits{MaxSinglePart: 1000, MinChunk: 1000})
	t.Setenv("NEPTUNE_PROJECT", neptunetest.Project)
	t.Setenv("NEPTUNE_API_TOKEN", s.Token())
	dir := t.TempDir()
	content := strings.Repeat("\x93NUMPY", 500)
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "explore-data"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "explore-data", "features.npy"), []byte(content), 0o644))
	l := &loggers.Neptune{Run: "read back", Tags: []string{"a", "b"}, W: io.Discard, Grace: time.Minute}
	sent := recordtest.Example()
	for i := range sent {
		if sent[i].Kind == record.RunStart {
			sent[i].Settings["directory"] = dir
		}
		recordtest.Emit(t, l, sent[i])
	}
	require.NoError(t, l.LogFigure("plots/loss", "svg", []byte("<svg/>")))
	require.NoError(t, l.Close())

	read := exec.Command(exe, filepath.Join("testdata", "neptune_read.py"), "read back", t.TempDir())
	read.Env = append(os.Environ(), "OAUTHLIB_INSECURE_TRANSPORT=1", "NO_PROXY=127.0.0.1")
	read.Stderr = os.Stderr
	out, err := read.Output()
	require.NoError(t, err, "%s", out)
	_, said, found := strings.Cut(string(out), "RESULT ")
	require.True(t, found, "%s", out)
	var got struct {
		Fields map[string]any
		Series map[string][][3]any
		Files  map[string][2]string
		Tags   []string
	}
	require.NoError(t, json.Unmarshal([]byte(said), &got))
	require.Len(t, s.Runs(), 1, "the client found the run")
	assert.Equal(t, []string{"a", "b"}, got.Tags)
	assert.Equal(t, []any{"read back", "iris 7Q2K", "0.003", 0.021, "pass"}, []any{
		got.Fields["sys/custom_run_id"], got.Fields["sys/name"], got.Fields["overfit/settings/learning rate"],
		got.Fields["overfit/duration"], got.Fields["overfit/outcome"],
	})
	assert.Equal(t, map[string][2]string{
		"explore-data/artifacts/features.npy": {"npy", strings.ReplaceAll(content, "\x93", "\u0093")}, "plots/loss": {"svg", "<svg/>"},
	}, got.Files)
	points, numbers := 0, 0
	for path, of := range got.Series {
		if !strings.Contains(path, "/text/") {
			points += len(of)
		}
	}
	for _, e := range sent {
		if e.Kind == record.Scalar || e.Kind == record.Score {
			numbers++
		}
	}
	assert.Equal(t, numbers, points)
	loss := got.Series["overfit/training/loss"]
	require.Len(t, loss, 12)
	assert.Equal(t, []any{3., "0.27075"}, loss[3][:2])
	assert.Equal(t, []any{4., "NaN"}, got.Series["transfer-learning/freeze/loss not finite"][2][:2])
}
