//go:build linux || darwin

package main

import "syscall"

// space is the number of bytes that can still be written to the disk of a folder;
// ok is false if the system does not say.
func space(dir string) (bytes uint64, ok bool) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, false
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), true
}
