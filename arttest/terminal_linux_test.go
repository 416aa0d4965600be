package arttest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// openPTY makes a terminal: what is written to it can be read from master.
func openPTY(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	control := func(request uintptr, value *int32) {
		t.Helper()
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, master.Fd(), request, uintptr(unsafe.Pointer(value)))
		require.Zero(t, errno)
	}
	unlock, number := int32(0), int32(0)
	control(syscall.TIOCSPTLCK, &unlock)
	control(syscall.TIOCGPTN, &number)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { terminal.Close() })
	return master, terminal
}

// onTerminal runs a shell command line in a session of its own that has a terminal,
// and returns what the terminal showed and what the command printed. $BINARY is the
// binary of the recipes.
func onTerminal(t *testing.T, commands string, env ...string) (shown, printed string) {
	t.Helper()
	binary, err := module.binary()
	require.NoError(t, err)
	master, terminal := openPTY(t)
	var seen, out buffer
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			_, _ = seen.Write(b[:n])
			if err != nil {
				return
			}
		}
	}()
	cmd := exec.Command("sh", "-c", commands)
	cmd.Dir = filepath.Join(module.dir, "recipes")
	cmd.Env = environment(append([]string{"BINARY=" + binary, "ART_DIR=" + t.TempDir(), "TERM=xterm"}, env...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		assert.NoError(t, err, "%s", &out)
	case <-time.After(20 * time.Second):
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		t.Fatalf("it does not end: %s", &out)
	}
	require.NoError(t, terminal.Close()) // nobody has it open any more: reading ends
	select {
	case <-drained:
	case <-time.After(10 * time.Second):
		t.Fatal("the terminal is still open")
	}
	return seen.String(), out.String()
}

const longStep = `"$BINARY" -test.run='^TestProgress$' -test.v`

func TestProgressTerminal(t *testing.T) {
	t.Parallel()
	t.Run("in front", func(t *testing.T) {
		t.Parallel()
		shown, printed := onTerminal(t, longStep)
		assert.Contains(t, shown, "\r\x1b[Kprogress/long  [####")
		assert.Contains(t, shown, "it/s  0:00 left  loss")
		assert.True(t, strings.HasSuffix(shown, "\r\x1b[K"), "%q", shown)
		assert.NotContains(t, printed, "\r")
		assert.NotContains(t, printed, "it/s")
		assert.Contains(t, printed, "--- PASS: TestProgress")
	})
	t.Run("in the background", func(t *testing.T) {
		t.Parallel()
		// tostop: the system stops whoever writes from the background.
		shown, printed := onTerminal(t, "stty tostop; set -m; "+longStep+" & wait $!")
		assert.NotContains(t, shown, "progress/long")
		assert.Contains(t, printed, "--- PASS: TestProgress")
	})
	for _, quiet := range []string{"ART_QUIET=1", "CI=true", "TERM=dumb"} {
		t.Run(quiet, func(t *testing.T) {
			t.Parallel()
			shown, printed := onTerminal(t, longStep, quiet)
			assert.Empty(t, shown)
			assert.NotContains(t, printed, "it/s")
			assert.Contains(t, printed, "--- PASS: TestProgress")
		})
	}
	t.Run("held", func(t *testing.T) {
		t.Parallel()
		// Nobody reads a terminal that was stopped with Ctrl-S; the step ends all the same.
		binary, err := module.binary()
		require.NoError(t, err)
		master, terminal := openPTY(t)
		_, err = master.WriteString("\x13")
		require.NoError(t, err)
		cmd := exec.Command(binary, "-test.run=^TestProgress$", "-test.v")
		cmd.Env = environment("ART_DIR="+t.TempDir(), "TERM=xterm")
		cmd.Stdin = terminal
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		out, err := cmd.CombinedOutput()
		assert.NoError(t, err)
		assert.Contains(t, string(out), "--- PASS: TestProgress")
	})
}
