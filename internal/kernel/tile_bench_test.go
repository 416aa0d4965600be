package kernel

import (
	"fmt"
	"testing"
)

// Benchmarks here loop over b.N and not with b.Loop: go test -cpu 1,2 (Go 1.26)
// runs all iterations of a b.Loop at the last number of the list, whatever the
// row says.

// gflops reports the rate of work that costs flop operations an iteration.
func gflops(b *testing.B, flop float64) {
	b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// BenchmarkTile measures the register tiles with operands in the first-level
// cache: the peak any kernel of this package can reach.
func BenchmarkTile(b *testing.B) {
	eachLevel(b, func(b *testing.B) {
		s := tilingFor[float32]()
		for _, vecs := range []int{1, 2, 3} {
			const k = 128
			cols := min(vecs*s.lanes, s.cols)
			t := tileJob[float32]{k: k, a: make([]float32, 64*k), rowA: k, colA: 1, rows: 64,
				b: make([]float32, k*cols), rowB: cols, c: make([]float32, 64*cols), rowC: cols, cols: cols}
			b.Run(fmt.Sprintf("vecs%d", vecs), func(b *testing.B) {
				for range b.N {
					t.run()
				}
				gflops(b, 2*64*k*float64(cols))
			})
		}
	})
}

func BenchmarkDot(b *testing.B) {
	eachLevel(b, func(b *testing.B) {
		for _, n := range []int{64, 288, 1024} {
			t := dotJob[float32]{n: n, a: make([]float32, 32*n), rows: 32, rowA: n,
				b: make([]float32, 4*n), off: []int{0, n, 2 * n, 3 * n}, cols: 4, c: make([]float32, 128), rowC: 4}
			b.Run(fmt.Sprintf("n%d", n), func(b *testing.B) {
				for range b.N {
					t.run()
				}
				gflops(b, 2*32*4*float64(n))
			})
		}
	})
}
