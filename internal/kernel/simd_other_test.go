//go:build !amd64

package kernel

import "testing"

type runner[T any] interface {
	testing.TB
	Run(name string, fn func(T)) bool
}

// eachLevel runs fn for the one path there is on this architecture.
func eachLevel[T runner[T]](t T, fn func(T)) { t.Run(levelGo.String(), fn) }
