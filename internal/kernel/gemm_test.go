package kernel

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// randomGemm returns arguments of the given shape with gap unused elements at
// the end of each stored row.
func randomGemm[F Float](seed uint64, m, n, k, gap int, transA, transB bool) GemmArgs[F] {
	r := newRand(seed)
	g := GemmArgs[F]{M: m, N: n, K: k, TransA: transA, TransB: transB}
	g.LDA, g.LDB, g.LDC = leading(0, transA, m, k)+gap, leading(0, transB, k, n)+gap, n+gap
	rowsA, rowsB := m, k
	if transA {
		rowsA = k
	}
	if transB {
		rowsB = n
	}
	g.A, g.B, g.C = normals[F](r, rowsA*g.LDA), normals[F](r, rowsB*g.LDB), normals[F](r, m*g.LDC)
	return g
}

func checkGemm[F Float](t *testing.T, ws *Workspace, g GemmArgs[F]) {
	t.Helper()
	want := refGemm(g)
	g.C = append([]F(nil), g.C...)
	Gemm(ws, g)
	requireClose(t, want, g.C, tolerance[F]()*math.Sqrt(float64(g.K+1)), "C of %dx%dx%d trans %v %v add %v relu %v bias %d %d",
		g.M, g.N, g.K, g.TransA, g.TransB, g.Accumulate, g.ReLU, len(g.BiasM), len(g.BiasN))
}

var gemmSizes = []struct{ m, n, k int }{
	{1, 1, 1}, {1, 7, 3}, {3, 1, 5}, {4, 3, 4}, {16, 3, 4}, {5, 17, 9}, {8, 48, 16}, {8, 49, 16}, {9, 47, 33}, {13, 95, 31},
	{15, 10, 100}, {16, 33, 128}, {31, 50, 97}, {33, 20, 257}, {47, 40, 300}, {60, 70, 513}, {64, 24, 8}, {100, 25, 1},
	{257, 30, 20}, {7, 7, 0}, {0, 4, 4}, {4, 0, 4}, {3, 16, 260}, {130, 50, 270}, {2, 32, 259}, {7, 8, 40},
}

func testGemm[F Float](t *testing.T) {
	ws := new(Workspace)
	seed := uint64(0)
	for _, s := range gemmSizes {
		for mode := range 32 {
			seed++
			if raceEnabled && seed%7 != 0 {
				continue
			}
			g := randomGemm[F](seed, s.m, s.n, s.k, mode/16*3, mode&1 != 0, mode&2 != 0)
			g.Accumulate, g.ReLU = mode&4 != 0, mode&8 != 0
			r := newRand(seed)
			if mode%3 != 0 {
				g.BiasN = normals[F](r, s.n)
			}
			if mode%5 > 1 {
				g.BiasM = normals[F](r, s.m)
			}
			checkGemm(t, ws, g)
		}
	}
}

func TestGemm(t *testing.T) {
	eachLevel(t, testGemm[float32])
	t.Run("float64", testGemm[float64])
}

func TestGemmBatch(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		// Two sequences of 5 tokens, 3 heads of width 7, side by side as attention keeps them.
		const seqs, tokens, heads, width = 2, 5, 3, 7
		r := newRand(1)
		q, k := normals[float32](r, seqs*tokens*heads*width), normals[float32](r, seqs*tokens*heads*width)
		got := filled[float32](seqs*heads*tokens*tokens, 99)
		g := GemmArgs[float32]{M: tokens, N: tokens, K: width, A: q, LDA: heads * width, B: k, LDB: heads * width, TransB: true, C: got}
		GemmBatch(new(Workspace), g, Batch{Outer: seqs, Inner: heads, AOuter: tokens * heads * width, AInner: width,
			BOuter: tokens * heads * width, BInner: width, COuter: heads * tokens * tokens, CInner: tokens * tokens})
		var want []float64
		for s := range seqs {
			for h := range heads {
				one := g
				at := s*tokens*heads*width + h*width
				one.A, one.B, one.C = q[at:], k[at:], make([]float32, tokens*tokens)
				want = append(want, refGemm(one)...)
			}
		}
		requireClose(t, want, got, 1e-5, "scores")
	})
}

func TestGemmNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	eachLevel(t, func(t *testing.T) {
		for _, transB := range []bool{false, true} {
			for _, k := range []int{5, 200} {
				g := randomGemm[float32](1, 20, 30, k, 0, false, transB)
				g.ReLU = true
				g.A[3*k+2] = nan
				g.A[7*k+1] = inf
				Gemm(new(Workspace), g)
				for j := range 30 {
					v := float64(g.C[3*30+j])
					require.True(t, math.IsNaN(v), "row with a NaN: got %v", v)
					v = float64(g.C[7*30+j])
					require.True(t, math.IsInf(v, 1) || v == 0, "row with Inf: got %v", v)
					v = float64(g.C[j])
					require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "another row: got %v", v)
				}
			}
		}
	})
}

func TestGemmSameBitsForAnyThreads(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for i, s := range []struct{ m, n, k int }{{16, 512, 300}, {300, 200, 400}, {784, 100, 64}, {20, 700, 600}} {
			for mode := range 4 {
				if raceEnabled && mode != i {
					continue
				}
				var first []float32
				for _, procs := range []int{1, 2, 5} {
					g := randomGemm[float32](9, s.m, s.n, s.k, 0, mode&1 != 0, mode&2 != 0)
					withProcs(t, procs, func() { Gemm(new(Workspace), g) })
					if first == nil {
						first = g.C
					}
					require.Equal(t, first, g.C, "%v mode %d procs %d", s, mode, procs)
				}
			}
		}
	})
}

func TestGemmRefusesShortSlices(t *testing.T) {
	g := GemmArgs[float32]{M: 2, N: 3, K: 4, A: make([]float32, 8), B: make([]float32, 11), C: make([]float32, 6)}
	assert.PanicsWithValue(t, "kernel: Gemm: B has 11 elements, needs 12: check the shapes handed in",
		func() { Gemm(new(Workspace), g) })
	g.B, g.LDA = make([]float32, 12), 3
	assert.PanicsWithValue(t, "kernel: Gemm: LDA is 3, but a stored row of A has 4 elements",
		func() { Gemm(new(Workspace), g) })
}

func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), uint8(3), uint8(5), uint16(7), uint8(0))
	f.Add(uint64(2), uint8(40), uint8(100), uint16(300), uint8(255))
	f.Fuzz(func(t *testing.T, seed uint64, m, n uint8, k uint16, mode uint8) {
		k %= 600
		eachLevel(t, func(t *testing.T) {
			g := randomGemm[float32](seed, int(m), int(n), int(k), int(mode>>5), mode&1 != 0, mode&2 != 0)
			g.Accumulate, g.ReLU = mode&4 != 0, mode&8 != 0
			if mode&16 != 0 {
				g.BiasM, g.BiasN = normals[float32](newRand(seed), int(m)), normals[float32](newRand(seed), int(n))
			}
			checkGemm(t, new(Workspace), g)
		})
	})
}

func BenchmarkGemm(b *testing.B) {
	for _, s := range []struct {
		name           string
		m, n, k        int
		transA, transB bool
	}{
		{"square512", 512, 512, 512, false, false}, {"square1024", 1024, 1024, 1024, false, false},
		{"mlp16/forward", 16, 512, 784, false, false}, {"mlp16/dx", 16, 512, 512, false, true}, {"mlp16/dw", 784, 512, 16, true, false},
		{"mlp128/forward", 128, 512, 784, false, false}, {"mlp128/dx", 128, 512, 512, false, true}, {"mlp128/dw", 784, 512, 128, true, false},
		{"ff/forward", 2048, 512, 128, false, false}, {"ff/dx", 2048, 128, 512, false, true}, {"ff/dw", 128, 512, 2048, true, false},
		{"logistic", 16, 3, 4, false, false},
	} {
		b.Run(s.name, func(b *testing.B) {
			g := randomGemm[float32](1, s.m, s.n, s.k, 0, s.transA, s.transB)
			ws := new(Workspace)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				Gemm(ws, g)
			}
			gflops(b, 2*float64(s.m)*float64(s.n)*float64(s.k))
		})
	}
}

// BenchmarkGemmBatch is the attention of 32 sequences of 64 tokens with 4 heads
// of width 32: scores, then values, then a gradient.
func BenchmarkGemmBatch(b *testing.B) {
	const seqs, tokens, heads, width = 32, 64, 4, 32
	r, ws := newRand(1), new(Workspace)
	x, y := normals[float32](r, seqs*tokens*heads*width), normals[float32](r, seqs*tokens*heads*width)
	scores := make([]float32, seqs*heads*tokens*tokens)
	const row, seq, head, square = heads * width, tokens * heads * width, width, tokens * tokens
	for _, c := range []struct {
		name string
		g    GemmArgs[float32]
		b    Batch
	}{
		{"scores", GemmArgs[float32]{M: tokens, N: tokens, K: width, A: x, LDA: row, B: y, LDB: row, TransB: true, C: scores},
			Batch{Outer: seqs, Inner: heads, AOuter: seq, AInner: head, BOuter: seq, BInner: head, COuter: heads * square, CInner: square}},
		{"values", GemmArgs[float32]{M: tokens, N: width, K: tokens, A: scores, B: x, LDB: row, C: y, LDC: row},
			Batch{Outer: seqs, Inner: heads, AOuter: heads * square, AInner: square, BOuter: seq, BInner: head, COuter: seq, CInner: head}},
		{"gradient", GemmArgs[float32]{M: tokens, N: width, K: tokens, A: scores, TransA: true, B: x, LDB: row, C: y, LDC: row},
			Batch{Outer: seqs, Inner: heads, AOuter: heads * square, AInner: square, BOuter: seq, BInner: head, COuter: seq, CInner: head}},
	} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				GemmBatch(ws, c.g, c.b)
			}
			gflops(b, 2*seqs*heads*tokens*tokens*width)
		})
	}
}

func ExampleGemm() {
	g := GemmArgs[float32]{M: 1, N: 2, K: 2, A: []float32{1, 2}, B: []float32{3, 4, 5, 6}, C: make([]float32, 2), BiasN: []float32{0, -20}, ReLU: true}
	Gemm(new(Workspace), g)
	fmt.Println(g.C)
	// Output: [13 0]
}
