package kernel

import "testing"

// BenchmarkVector reports bytes of the tensors read and written; 1<<17 elements
// stay in the second-level cache, 1<<22 do not.
func BenchmarkVector(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"128k", 1 << 17}, {"4M", 1 << 22}} {
		n := size.n
		x, y, z, w := normals[float32](newRand(1), n), normals[float32](newRand(2), n), make([]float32, n), make([]float32, n)
		for _, c := range []struct {
			name   string
			arrays int
			fn     func()
		}{
			{"Add", 3, func() { Add(z, x, y) }},
			{"ReLU", 2, func() { ReLU(z, x) }},
			{"ReLUBackward", 3, func() { ReLUBackward(z, x, y) }},
			{"GELU", 2, func() { GELU(z, x) }},
			{"GELUBackward", 3, func() { GELUBackward(z, x, y) }},
			{"GELUTanh", 2, func() { GELUTanh(z, x) }},
			{"Sum", 1, func() { Sum(x) }},
			{"Softmax", 2, func() { Softmax(z, x, n/64, 64, 1, 0) }},
			{"SGD", 3, func() { SGDStep(SGD{LR: 1e-9}, w, x, nil) }},
			{"Adam", 7, func() { AdamStep(Adam{LR: 1e-9, Beta1: .9, Beta2: .999, Eps: 1e-8, Step: 1}, w, x, y, z) }},
		} {
			b.Run(c.name+"/"+size.name, func(b *testing.B) {
				b.SetBytes(int64(4 * n * c.arrays))
				b.ReportAllocs()
				for range b.N {
					c.fn()
				}
			})
			y, z = normals[float32](newRand(2), n), make([]float32, n)
			for i := range y {
				y[i] = abs32(y[i])
			}
		}
	}
}

// BenchmarkParallel measures what it costs to share a call among all cores.
func BenchmarkParallel(b *testing.B) {
	x := make([]float32, 4096)
	b.ResetTimer()
	for range b.N {
		Parallel(len(x), 1024, func(lo, hi int) { clear(x[lo:hi]) })
	}
}

func BenchmarkNorm(b *testing.B) {
	ws := new(Workspace)
	const rows, cols = 2048, 128
	x, y, dy := normals[float32](newRand(1), rows*cols), make([]float32, rows*cols), normals[float32](newRand(1), rows*cols)
	gamma, mean, inv := normals[float32](newRand(1), cols), make([]float32, rows), make([]float32, rows)
	b.Run("LayerNormForward", func(b *testing.B) {
		for range b.N {
			LayerNormForward(x, gamma, gamma, y, mean, inv, rows, cols, 1e-5)
		}
	})
	dg, db := make([]float32, cols), make([]float32, cols)
	b.Run("LayerNormBackward", func(b *testing.B) {
		for range b.N {
			LayerNormBackward(ws, x, mean, inv, gamma, dy, y, dg, db, rows, cols)
		}
	})
	g := BatchNorm{N: 64, C: 32, S: 128}
	m, v := make([]float32, g.C), make([]float32, g.C)
	b.Run("BatchNormForward", func(b *testing.B) {
		for range b.N {
			BatchNormStats(g, x, m, v)
			InvStd(v, v, 1e-5)
			BatchNormForward(g, x, m, v, nil, nil, y, true)
		}
	})
	b.Run("BatchNormBackward", func(b *testing.B) {
		for range b.N {
			BatchNormBackward(g, x, m, v, nil, dy, y, nil, nil, true)
		}
	})
	c := CrossEntropy[float32]{Rows: 128, Classes: 10, Targets: make([]int, 128)}
	losses, probs := make([]float32, 128), make([]float32, 1280)
	b.Run("CrossEntropy128x10", func(b *testing.B) {
		for range b.N {
			c.Forward(losses, probs, x[:1280])
			c.Backward(probs, probs, 1)
		}
	})
}
