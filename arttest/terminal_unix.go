//go:build linux || darwin

package arttest

import (
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// terminal is the terminal that the process was started from. Writing to it
// never waits, and never stops a process in the background.
type terminal struct{ *os.File }

func openTerminal() io.WriteCloser {
	f, err := os.OpenFile("/dev/tty", os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	return terminal{f}
}

// Write drops what cannot be shown: a process in the background would disturb
// the one in front, and after stty tostop the system would stop it (SIGTTOU). A
// terminal that is held (Ctrl-S) takes nothing; then an error ends the drawing.
func (t terminal) Write(b []byte) (int, error) {
	if !t.inFront() {
		return len(b), nil
	}
	// Where the system cannot wait for a terminal there is no deadline to set,
	// and a write that would wait is an error at once.
	_ = t.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	return t.File.Write(b)
}

// inFront reports whether the terminal listens to the group of this process.
func (t terminal) inFront() bool {
	conn, err := t.SyscallConn()
	if err != nil {
		return false
	}
	var group int32
	var failed syscall.Errno
	err = conn.Control(func(fd uintptr) {
		_, _, failed = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGPGRP, uintptr(unsafe.Pointer(&group)))
	})
	return err == nil && failed == 0 && int(group) == syscall.Getpgrp()
}
