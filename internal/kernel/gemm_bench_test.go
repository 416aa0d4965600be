package kernel

import "testing"

// BenchmarkGemmFar is the products of a layer whose weights are not in the
// second-level cache.
func BenchmarkGemmFar(b *testing.B) {
	ws := new(Workspace)
	const m, n, k, copies = 16, 512, 784, 5
	r := newRand(1)
	x, y, dx := normals[float32](r, m*k), normals[float32](r, m*n), make([]float32, m*k)
	var w [copies][]float32
	for i := range w {
		w[i] = normals[float32](r, n*k)
	}
	b.Run("forward", func(b *testing.B) {
		for i := range b.N {
			Gemm(ws, GemmArgs[float32]{M: m, N: n, K: k, A: x, B: w[i%copies], TransB: true, C: y})
		}
		gflops(b, 2*m*n*k)
	})
	b.Run("input", func(b *testing.B) {
		for i := range b.N {
			Gemm(ws, GemmArgs[float32]{M: m, N: k, K: n, A: y, B: w[i%copies], C: dx})
		}
		gflops(b, 2*m*n*k)
	})
	b.Run("weights", func(b *testing.B) {
		for i := range b.N {
			Gemm(ws, GemmArgs[float32]{M: n, N: k, K: m, A: y, TransA: true, B: x, C: w[i%copies]})
		}
		gflops(b, 2*m*n*k)
	})
	b.Run("update", func(b *testing.B) {
		for i := range b.N {
			SGDStep(SGD{LR: 1e-9}, w[i%copies], w[(i+1)%copies], nil)
		}
		b.SetBytes(12 * n * k)
	})
}
