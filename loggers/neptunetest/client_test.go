package neptunetest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/pythonenv"
	"github.com/actually-robust-training/art/loggers/neptunetest"
)

// client runs a script of testdata with the official client and returns what it
// says after RESULT.
func client(t *testing.T, s *neptunetest.Server, script string, result any) {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Python environment")
	}
	exe, err := pythonenv.Interpreter(filepath.Join("..", "testdata", "neptune-requirements.txt"))
	if err != nil {
		t.Skip("the official client cannot judge the server: ", err)
	}
	dir := t.TempDir()
	file, err := filepath.Abs(filepath.Join("testdata", script))
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe, file, dir)
	cmd.Dir = dir
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "NEPTUNE_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "NEPTUNE_API_TOKEN="+s.Token(), "NEPTUNE_PROJECT="+neptunetest.Project, "OAUTHLIB_INSECURE_TRANSPORT=1", "NO_PROXY=127.0.0.1", "HOME="+dir)
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	if err := cmd.Run(); err != nil {
		for _, r := range s.Requests() {
			t.Log(r.Method, r.Status, r.URL)
		}
		t.Fatalf("%v\n%s\n%s", err, out.String(), trouble.String())
	}
	_, said, found := strings.Cut(out.String(), "RESULT ")
	require.True(t, found, out.String())
	require.NoError(t, json.Unmarshal([]byte(said), result))
}

// The official client makes a run, writes every kind of field, attaches to the run
// again by its custom id and reads it back, and the server holds what it was told.
func TestOfficialClient(t *testing.T) {
	s := neptunetest.NewServer(t)
	s.SetLimits(neptunetest.Limits{MaxSinglePart: 2000, MinChunk: 2000})
	s.RedirectDownloads()
	var got map[string]any
	client(t, s, "client.py", &got)
	assert.Equal(t, map[string]any{
		"id": "IR-1", "custom": "shared", "loss": []any{1., 0.5, 1. / 3, 0.25, 0.2}, "steps": []any{0., 1., 2., 3., 4.}, "last": 0.2, "log": []any{"größe →"},
		"lr": 0.1, "layers": 2., "dropout": true, "when": "2024-01-02T03:04:05.678000+00:00", "tags": []any{"a", "c"}, "ext": "bin", "same": true,
		"tree": []any{"tree"}, "picture": []any{4., 3.}, "total": 6.,
	}, got)

	require.Len(t, s.Runs(), 1)
	fields := s.Runs()[0].Fields
	assert.Equal(t, "first", fields["sys/name"].Value)
	assert.Equal(t, int32(2), fields["params/layers"].Value)
	assert.Equal(t, time.UnixMilli(1704164645678), fields["when"].Value)
	assert.Equal(t, time.Unix(1700000001, 0), fields["train/loss"].Points[1].Time)
	assert.Equal(t, []float64{0, 1, 2}, []float64{fields["train/auto"].Points[0].Step, fields["train/auto"].Points[1].Step, fields["train/auto"].Points[2].Step})
	assert.Equal(t, 0.5, fields["log"].Points[0].Step)
	assert.Equal(t, []any{"pt", 0}, []any{fields["small"].Ext, len(fields["small"].Content)})
	assert.Equal(t, bytes.Repeat(counting(256), 40), fields["ckpt/last"].Content)
	assert.Equal(t, "svg <svg/>", fields["figure"].Ext+" "+string(fields["figure"].Content))
	assert.Equal(t, "png", fields["picture"].Ext)
	picture := fields["pictures"].Points[0]
	assert.Equal(t, []any{7., "n", "d"}, []any{picture.Step, picture.Name, picture.Description})
	assert.Equal(t, map[string][]byte{"tree/a.txt": []byte("A"), "tree/dir/b.txt": []byte("B")}, fields["tree"].Files)
	assert.NotContains(t, fields, "gone")
	assert.Equal(t, []neptunetest.OperationError{{
		Description: "X-coordinates (step) must be strictly increasing for series attribute: train/loss. Invalid point: 2.0", Type: "metadata_inconsistency",
	}}, s.Errors())
	assert.Positive(t, s.Runs()[0].Pings)
	parts := 0
	for _, r := range s.Requests() {
		if r.Operation == "part" {
			parts++
		}
	}
	assert.Equal(t, 6, parts)
}

// counting returns n bytes: 0, 1, 2, …
func counting(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}
