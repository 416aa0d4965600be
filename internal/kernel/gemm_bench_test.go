package kernel

import (
	"fmt"
	"testing"
)

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

// BenchmarkGemmLong is the gradient of the weights of a layer of a transformer,
// for many rows.
func BenchmarkGemmLong(b *testing.B) {
	ws := new(Workspace)
	for _, s := range []struct{ m, n int }{{512, 128}, {128, 512}, {384, 128}} {
		const k = 2048
		r := newRand(1)
		dy, x, dw := normals[float32](r, k*s.m), normals[float32](r, k*s.n), make([]float32, s.m*s.n)
		b.Run(fmt.Sprintf("%dx%d", s.m, s.n), func(b *testing.B) {
			for range b.N {
				Gemm(ws, GemmArgs[float32]{M: s.m, N: s.n, K: k, A: dy, TransA: true, B: x, C: dw})
			}
			gflops(b, 2*float64(s.m*s.n*k))
		})
		b.Run(fmt.Sprintf("forward%dx%d", s.m, s.n), func(b *testing.B) {
			for range b.N {
				Gemm(ws, GemmArgs[float32]{M: k, N: s.m, K: s.n, A: x, B: dw, TransB: true, C: dy})
			}
			gflops(b, 2*float64(s.m*s.n*k))
		})
		b.Run(fmt.Sprintf("input%dx%d", s.m, s.n), func(b *testing.B) {
			for range b.N {
				Gemm(ws, GemmArgs[float32]{M: k, N: s.n, K: s.m, A: dy, B: dw, C: x})
			}
			gflops(b, 2*float64(s.m*s.n*k))
		})
	}
}
