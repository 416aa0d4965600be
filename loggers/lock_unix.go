//go:build unix && !solaris && !aix

package loggers

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks the file until it is closed, or the process ends however it
// ends. Busy is true if another process has it.
func lockFile(f *os.File) (busy bool, err error) {
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}
