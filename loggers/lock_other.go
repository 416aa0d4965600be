//go:build !unix || solaris || aix

package loggers

import "os"

// lockFile does nothing here: do not send one run from two processes at once.
func lockFile(*os.File) (busy bool, err error) { return false, nil }

// holdFolder does nothing here, where files that are open cannot be removed.
func holdFolder(dir string) (*os.File, error) { return os.Open(dir) }
