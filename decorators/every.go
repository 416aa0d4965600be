package decorators

import (
	"context"

	"github.com/actually-robust-training/art/train"
)

// Every applies a decorator to every nth update only: those of iterations 0, n,
// 2n, … In all others next is called as if d were not there. n below 1 is 1.
func Every(n int, d train.Decorator) train.Decorator {
	return func(next train.UpdateFunc) train.UpdateFunc {
		decorated := d(next)
		return func(ctx context.Context, s *train.State) error {
			if due(s, n) {
				return decorated(ctx, s)
			}
			return next(ctx, s)
		}
	}
}

// due reports whether an iteration is one of every n.
func due(s *train.State, n int) bool { return n <= 1 || s.Iteration%n == 0 }

// every is the default of the fields of that name.
func every(n int) int {
	if n == 0 {
		return 10
	}
	return n
}
