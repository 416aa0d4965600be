package loggers_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// python returns the interpreter of a virtual environment that has what a
// requirements file in testdata pins. It is made once a machine, in the user's
// cache, and made anew when the file changes.
func python(t *testing.T, requirements string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Python environment")
	}
	base, err := exec.LookPath("python3")
	if err != nil {
		t.Skipf("python3 is not installed: %s cannot judge what was written", requirements)
	}
	pins, err := os.ReadFile(filepath.Join("testdata", requirements))
	require.NoError(t, err)
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	sum := sha256.Sum256(pins)
	dir := filepath.Join(cache, "art-tests", requirements+"-"+hex.EncodeToString(sum[:6]))
	exe, done := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "installed")
	if _, err := os.Stat(done); err == nil {
		return exe
	}
	for _, args := range [][]string{
		{base, "-m", "venv", "--clear", dir},
		{exe, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", filepath.Join("testdata", requirements)},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Skipf("the Python packages of %s cannot be installed: %v\n%s", requirements, err, out)
		}
	}
	require.NoError(t, os.WriteFile(done, nil, 0o644))
	return exe
}

// serve starts a server and returns what the pattern finds in its output: its
// address. It is stopped at the end of the test.
func serve(t *testing.T, address *regexp.Regexp, exe string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, exe, args...)
	cmd.WaitDelay = 5 * time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was interrupted
	})
	found := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(r); lines.Scan(); {
			t.Log(lines.Text())
			if m := address.FindStringSubmatch(lines.Text()); m != nil {
				select {
				case found <- m[1]:
				default:
				}
			}
		}
	}()
	select {
	case a := <-found:
		return a
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s did not say its address", exe)
		return ""
	}
}
