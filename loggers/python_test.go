package loggers_test

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/pythonenv"
)

// python is the interpreter that has what a file of testdata pins.
func python(t *testing.T, requirements string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a Python environment")
	}
	exe, err := pythonenv.Interpreter(filepath.Join("testdata", requirements))
	if err != nil {
		t.Skip("nothing can judge what was written: ", err)
	}
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
