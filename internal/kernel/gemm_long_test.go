package kernel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

var longSizes = []struct{ m, n, k, parts int }{
	{64, 48, 1024, 2}, {33, 50, 1030, 2}, {17, 31, 1700, 3}, {130, 9, 2047, 3}, {1, 520, 3000, 5}, {5, 7, 15000, 2},
}

func TestPartLength(t *testing.T) {
	for _, s := range []struct{ m, n, k, want int }{
		{128, 512, 1023, 1023}, {128, 512, 1024, 512}, {128, 512, 2048, 512}, {128, 512, 2049, 576}, // of 512 rows
		{300, 300, 1199, 1199}, {300, 300, 1200, 640}, // of 4 elements of the operands a sum
		{3, 4, 40000, 40000}, {3, 4, 50000, 25024}, // of enough work
	} {
		g := GemmArgs[float32]{M: s.m, N: s.n, K: s.k, TransA: true, LDC: s.n}
		require.Equal(t, s.want, partLength(&g, Batch{Outer: 1, Inner: 1}), "%dx%dx%d", s.m, s.n, s.k)
		require.Equal(t, s.k, partLength(&g, Batch{Outer: 2, Inner: 1}), "batch of %dx%dx%d", s.m, s.n, s.k)
		g.ReLU = true
		require.Equal(t, s.k, partLength(&g, Batch{Outer: 1, Inner: 1}), "ReLU of %dx%dx%d", s.m, s.n, s.k)
	}
}

func testGemmParts[F Float](t *testing.T) {
	ws := new(Workspace)
	for i, s := range longSizes {
		t.Run(fmt.Sprintf("%dx%dx%d", s.m, s.n, s.k), func(t *testing.T) {
			if raceEnabled && i%3 != 0 {
				t.Skip("slow with the race detector")
			}
			g := randomGemm[F](uint64(i), s.m, s.n, s.k, 0, true, false)
			part := partLength(&g, Batch{Outer: 1, Inner: 1})
			require.Equal(t, s.parts, (s.k+part-1)/part, "parts")
			checkGemm(t, ws, g)

			g.Accumulate = true // what has to be added to C is computed in one piece
			require.Equal(t, s.k, partLength(&g, Batch{Outer: 1, Inner: 1}))
			checkGemm(t, ws, g)
			g.Accumulate = false

			var first []F
			for _, procs := range []int{1, 2, 5} {
				g.C = make([]F, s.m*s.n)
				withProcs(t, procs, func() { Gemm(ws, g) })
				if first == nil {
					first = g.C
				}
				require.Equal(t, first, g.C, "GOMAXPROCS %d", procs)
			}
		})
	}
}

// Products of long columns are sums of parts, which depend on the shape alone.
func TestGemmParts(t *testing.T) {
	eachLevel(t, testGemmParts[float32])
	t.Run("float64", testGemmParts[float64])
}
