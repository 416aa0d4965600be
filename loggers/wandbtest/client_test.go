package wandbtest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/pythonenv"
	"github.com/actually-robust-training/art/loggers/wandbtest"
)

// client runs a script of testdata with the official client.
func client(t *testing.T, s *wandbtest.Server, script string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Python environment")
	}
	exe, err := pythonenv.Interpreter(filepath.Join("..", "testdata", "wandb-requirements.txt"))
	if err != nil {
		t.Skip("the official client cannot judge the server: ", err)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), exe, script, dir)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "WANDB_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "WANDB_BASE_URL="+s.URL, "WANDB_API_KEY="+s.Key(), "WANDB_ERROR_REPORTING=false", "WANDB_SILENT=true", "NO_PROXY=127.0.0.1",
		"HOME="+dir, "WANDB_DIR="+dir, "WANDB_CONFIG_DIR="+dir, "WANDB_CACHE_DIR="+dir, "WANDB_DATA_DIR="+dir)
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	err = cmd.Run()
	if err != nil || t.Failed() {
		for _, r := range s.Requests() {
			t.Log(r.Operation, r.Status, r.URL)
		}
	}
	require.NoError(t, err, "%s\n%s", out.String(), trouble.String())
	return out.String()
}

// The official client trains, resumes and downloads, and the server holds
// what it was told.
func TestOfficialClient(t *testing.T) {
	s := wandbtest.NewServer(t)
	out := client(t, s, "testdata/client.py")
	_, result, found := strings.Cut(out, "RESULT ")
	require.True(t, found, out)
	var got struct{ Got map[string]string }
	require.NoError(t, json.Unmarshal([]byte(result), &got))
	assert.Equal(t, map[string]string{"best": "hello\n", "latest": "world\n", "v0": "hello\n"}, got.Got)

	require.Len(t, s.Runs(), 1)
	run := s.Run("first1")
	assert.Equal(t, []any{"acme", "demo", "first try", "a note", "g1", "train", []string{"t1", "t2"}},
		[]any{run.Entity, run.Project, run.DisplayName, run.Notes, run.Group, run.JobType, run.Tags})
	assert.Equal(t, 0.1, run.Config["lr"])
	assert.Equal(t, map[string]any{"layers": 2.}, run.Config["model"])
	assert.Equal(t, "failed", run.State)
	assert.Equal(t, 3, run.ExitCode)
	require.Len(t, run.History, 4)
	for i, row := range run.History {
		assert.EqualValues(t, i, row["_step"])
	}
	assert.Equal(t, 0.25, run.History[0]["train/acc"])
	assert.True(t, math.IsNaN(run.History[1]["loss"].(float64)))
	assert.Equal(t, []any{math.Inf(1), math.Inf(-1)}, []any{run.History[1]["up"], run.History[1]["down"]})
	assert.Equal(t, 0.5, run.History[3]["loss"])
	assert.Equal(t, 0.75, run.Summary["best"])
	assert.Equal(t, 0.5, run.Summary["loss"])
	assert.Equal(t, "histogram", run.History[2]["hist"].(map[string]any)["_type"])
	for key, kind := range map[string]string{"image": "image-file", "table": "table-file"} {
		media := run.History[2][key].(map[string]any)
		assert.Equal(t, kind, media["_type"])
		content := run.Files[media["path"].(string)]
		assert.EqualValues(t, len(content), media["size"])
		sum := sha256.Sum256(content)
		assert.Equal(t, media["sha256"], hex.EncodeToString(sum[:]))
		assert.Contains(t, run.Uploaded, media["path"])
	}
	assert.Contains(t, strings.Join(run.Console, "\n"), "said on the console")

	var names []string
	for _, a := range s.Artifacts() {
		names = append(names, a.Type+" "+a.Name+" "+strings.Join(a.Aliases, ","))
	}
	assert.Equal(t, []string{"run_table run-first1-table latest", "model ckpt best", "model ckpt latest"}, names, "the same bytes make no new version")
	v0 := s.Artifacts()[1]
	assert.Equal(t, map[string][]byte{"model.bin": []byte("hello\n")}, v0.Files)
	assert.Equal(t, map[string]any{"step": 3.}, v0.Metadata)
	assert.Equal(t, "bf77a243672763f222c10f8ff28008bd", v0.Digest)
	assert.Len(t, run.Used, 3)
}
