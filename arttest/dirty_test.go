package arttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestUncommitted(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	dir := t.TempDir()
	below := filepath.Join(dir, "models", "iris")
	require.NoError(t, os.MkdirAll(below, 0o755))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	git := func(args ...string) {
		cmd := exec.Command("git", append([]string{"-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	assert.Empty(t, uncommitted(below, time.Minute), "no repository")
	git("init", "-q")
	write("a.go", "package a\n")
	write("data.csv", "1\n")
	write(".gitignore", "*.out\n")
	git("add", ".")
	git("commit", "-q", "-m", "first")
	write("notes.txt", "not of Go\n")
	write("x.out", "ignored\n")
	assert.Equal(t, "clean", uncommitted(below, time.Minute))
	assert.Len(t, commit(below), 40)

	seen := map[string]string{}
	expect := func(what, like string) {
		t.Helper()
		got := uncommitted(below, time.Minute)
		assert.Regexp(t, "^"+like+", [0-9a-f]{16}$", got)
		assert.NotContains(t, seen, got, "%s", what)
		seen[got] = what
		assert.Equal(t, got, uncommitted(below, time.Minute), "the same again")
	}
	write("data.csv", "2\n")
	expect("a tracked file", "1 file")
	write("data.csv", "3\n")
	expect("otherwise", "1 file")
	git("add", "data.csv")
	expect("staged", "1 file")
	write("models/new ü.go", "package models\n")
	expect("a new Go file", "2 files")
	require.NoError(t, os.Remove(filepath.Join(dir, "a.go")))
	expect("a file that is gone", "3 files")
	git("add", ".")
	git("commit", "-q", "-m", "second")
	assert.Equal(t, "clean", uncommitted(below, time.Minute))

	t.Setenv("PATH", t.TempDir())
	assert.Empty(t, uncommitted(below, time.Minute), "no git")
	slow := filepath.Join(os.Getenv("PATH"), "git")
	require.NoError(t, os.WriteFile(slow, []byte("#!/bin/sh\nwhile :; do :; done\n"), 0o755))
	start := time.Now()
	assert.Empty(t, uncommitted(below, 50*time.Millisecond), "git that does not answer")
	assert.Less(t, time.Since(start), 20*time.Second)
}

// What a run pays for it, in this repository.
func BenchmarkUncommitted(b *testing.B) {
	dir, err := os.Getwd()
	require.NoError(b, err)
	if uncommitted(dir, time.Minute) == "" {
		b.Skip("no git, or no repository")
	}
	for b.Loop() {
		uncommitted(dir, time.Minute)
	}
}
