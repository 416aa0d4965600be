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

// holdFolder says, until what it returns is closed or the process ends, that this
// process may add to the files of a folder. It waits while [spool.discard] looks.
func holdFolder(dir string) (*os.File, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_SH) // where this cannot be said, nothing is discarded either
	return f, nil
}
