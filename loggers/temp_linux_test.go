package loggers

import (
	"os"
	"syscall"
)

// memoryTemp is a folder in memory, where there is one with room: spools sync what
// they write, and a thousand short tests would wait for a disk.
func memoryTemp() string {
	const folder, room = "/dev/shm", 512 << 20
	var fs syscall.Statfs_t
	if syscall.Statfs(folder, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < room { //nolint:gosec // sizes of blocks are small
		return ""
	}
	dir, err := os.MkdirTemp(folder, "loggers")
	if err != nil {
		return ""
	}
	return dir
}
