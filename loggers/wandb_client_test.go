package loggers_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/loggers/wandbtest"
)

// The official client resumes a run that was logged here, reads it, verifies and
// downloads its artifact, and logs on.
func TestWandBReadByTheOfficialClient(t *testing.T) {
	exe := python(t, "wandb-requirements.txt")
	s := wandbtest.NewServer(t)
	dir := t.TempDir()
	t.Setenv("WANDB_BASE_URL", s.URL)
	t.Setenv("WANDB_API_KEY", s.Key())
	t.Setenv("WANDB_SILENT", "true")
	t.Setenv("WANDB_MODE", "online")
	t.Setenv("HOME", dir)
	run, err := (&loggers.WandB{Project: "demo", ID: "r1", Name: "from Go", Notes: "a note", Tags: []string{"t1"}, Spool: t.TempDir(), Grace: time.Minute}).Start()
	require.NoError(t, err)
	require.NoError(t, run.Config.Update(map[string]any{"lr": 0.1, "model": map[string]any{"layers": 2}}))
	require.NoError(t, run.Log(map[string]any{"loss": math.NaN()}))
	require.NoError(t, run.Log(map[string]any{"loss": 0.5, "table": loggers.WandBTable{Columns: []string{"a"}, Rows: [][]any{{1}}}}))
	require.NoError(t, run.Summary.Set("best", 0.75))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.bin"), []byte("hello\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o644))
	require.NoError(t, run.LogArtifact(loggers.WandBArtifact{Name: "ckpt", Type: "model", Aliases: []string{"best"},
		Files: map[string]string{"model.bin": filepath.Join(dir, "model.bin"), "empty": filepath.Join(dir, "empty")}}))
	require.NoError(t, run.Finish(0))

	cmd := exec.CommandContext(t.Context(), exe, filepath.Join("testdata", "wandb_read.py"), dir, "r1", "ckpt:best")
	cmd.Env = append(os.Environ(), "WANDB_ERROR_REPORTING=false", "WANDB_DIR="+dir, "WANDB_CONFIG_DIR="+dir, "WANDB_CACHE_DIR="+dir, "WANDB_DATA_DIR="+dir)
	var trouble bytes.Buffer
	cmd.Stderr = &trouble
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s", out, trouble.String())
	_, result, _ := strings.Cut(string(out), "RESULT ")
	var got struct {
		Config, Summary map[string]any
		Files           map[string]string
		Tags            []string
		Notes, Name     string
	}
	require.NoError(t, json.Unmarshal([]byte(result), &got), "%s", out)
	assert.Equal(t, 0.1, got.Config["lr"])
	assert.Equal(t, map[string]any{"layers": 2.}, got.Config["model"])
	assert.Equal(t, map[string]any{"loss": 0.5, "best": 0.75}, got.Summary)
	assert.Equal(t, map[string]string{"model.bin": "hello\n", "empty": ""}, got.Files)
	assert.Equal(t, []any{[]string{"t1"}, "a note", "from Go"}, []any{got.Tags, got.Notes, got.Name})
	require.Len(t, s.Runs(), 1)
	rows := s.Runs()[0].History
	require.Len(t, rows, 3)
	assert.Equal(t, []any{2., 0.125}, []any{rows[2]["_step"], rows[2]["loss"]}, "it goes on after our last step")
	assert.Len(t, s.Runs()[0].Used, 1)
}
