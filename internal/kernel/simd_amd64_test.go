package kernel

import "testing"

// runner is what tests and benchmarks have in common.
type runner[T any] interface {
	testing.TB
	Run(name string, fn func(T)) bool
}

// eachLevel runs fn once for each instruction set this machine has.
func eachLevel[T runner[T]](t T, fn func(T)) {
	best := detect()
	for l := levelGo; l <= best; l++ {
		t.Run(l.String(), func(t T) {
			simd = l
			defer func() { simd = best }()
			fn(t)
		})
	}
}
