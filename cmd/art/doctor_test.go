package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/store"
)

// An index that cannot be kept makes everything slow, and nothing wrong.
func TestDoctorMissesIndex(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, ".art")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/user\n"), 0o644))
	require.NoError(t, fixture(root))
	s, err := store.Open(t.Context(), root)
	require.NoError(t, err)
	index := s.Index()
	require.NoError(t, s.Close())
	require.NoError(t, os.Remove(index))
	require.NoError(t, os.MkdirAll(filepath.Join(index, "occupied"), 0o755))

	var out bytes.Buffer
	a := &app{stdout: &out, env: func(string) string { return "" }, dir: dir, now: time.Now, goTool: func(_ context.Context, args ...string) (string, error) {
		return map[string]string{"env": "go1.26.0", "list": gorgonia + " v0.9.18\n" + startPin + " " + startLike}[args[0]], nil
	}}
	assert.EqualError(t, a.command().Run(t.Context(), []string{"art", "doctor"}), "1 thing is not in order")
	assert.Contains(t, out.String(), "✗ index                5 runs, read anew by every command, for the index cannot be kept: make the folder of runs writable")
}
