package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// withProcs runs fn under GOMAXPROCS = n. Tests that use it must not be parallel.
func withProcs(t testing.TB, n int, fn func()) {
	t.Helper()
	old := runtime.GOMAXPROCS(n)
	defer runtime.GOMAXPROCS(old)
	fn()
}

func TestParallelCoversEveryIndexOnce(t *testing.T) {
	for _, procs := range []int{1, 2, 5} {
		withProcs(t, procs, func() {
			for _, c := range []struct{ n, grain int }{{0, 1}, {1, 1}, {7, 0}, {7, 3}, {1000, 1}, {1000, 64}, {5, 100}} {
				hits := make([]atomic.Int32, c.n)
				Parallel(c.n, c.grain, func(lo, hi int) {
					assert.Zero(t, lo%max(c.grain, 1), "range border off the grain")
					for i := lo; i < hi; i++ {
						hits[i].Add(1)
					}
				})
				for i := range hits {
					require.EqualValues(t, 1, hits[i].Load(), "procs %d n %d grain %d index %d", procs, c.n, c.grain, i)
				}
			}
		})
	}
}

func TestForEachSlotsDoNotCollide(t *testing.T) {
	withProcs(t, 4, func() {
		var inUse [maxSlots]atomic.Int32
		for range 300 {
			forEach(64, 1, func(slot, lo, hi int) {
				assert.EqualValues(t, 1, inUse[slot].Add(1), "slot %d used twice at once", slot)
				runtime.Gosched()
				inUse[slot].Add(-1)
			})
		}
	})
}

func TestParallelPanicReachesCaller(t *testing.T) {
	for _, procs := range []int{1, 4} {
		withProcs(t, procs, func() {
			for range 50 {
				assert.PanicsWithValue(t, "boom", func() {
					Parallel(32, 1, func(lo, hi int) {
						for i := lo; i < hi; i++ {
							if i == 17 {
								panic("boom")
							}
							runtime.Gosched()
						}
					})
				})
			}
			sum := atomic.Int64{}
			Parallel(100, 1, func(lo, hi int) { sum.Add(int64(hi - lo)) })
			assert.EqualValues(t, 100, sum.Load(), "the pool works after a panic")
		})
	}
}

func TestParallelNeverOversubscribes(t *testing.T) {
	const procs, callers = 3, 6
	withProcs(t, procs, func() {
		var helpersAtWork, most atomic.Int32
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				for range 100 {
					forEach(16, 1, func(slot, lo, hi int) {
						if slot == 0 {
							return
						}
						now := helpersAtWork.Add(1)
						for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
						}
						runtime.Gosched()
						helpersAtWork.Add(-1)
					})
				}
			})
		}
		wg.Wait()
		assert.Less(t, most.Load(), int32(procs), "helpers at work beside their callers")
	})
}

func TestParallelNested(t *testing.T) {
	withProcs(t, 3, func() {
		var sum atomic.Int64
		Parallel(10, 1, func(lo, hi int) {
			for range hi - lo {
				Parallel(10, 1, func(lo, hi int) { sum.Add(int64(hi - lo)) })
			}
		})
		assert.EqualValues(t, 100, sum.Load())
	})
}
