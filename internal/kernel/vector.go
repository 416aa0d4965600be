package kernel

import "fmt"

// vectorGrain is the number of elements in one unit of parallel work on
// vectors: small enough to share a layer's activations among cores, large
// enough that starting a helper pays.
const vectorGrain = 1 << 14

// same panics unless all lengths are equal to that of the first slice.
func same(op string, n int, lens ...int) {
	for _, l := range lens {
		if l != n {
			panic(fmt.Sprintf("kernel: %s: slices of lengths %d and %d, must be equal", op, n, l))
		}
	}
}

// map2 runs fn over matching parts of two vectors.
func map2[F Float](dst, x []F, fn func(dst, x []F)) {
	if len(dst) <= vectorGrain {
		fn(dst, x)
		return
	}
	Parallel(len(dst), vectorGrain, func(lo, hi int) { fn(dst[lo:hi], x[lo:hi]) })
}

// map3 runs fn over matching parts of three vectors.
func map3[F Float](dst, x, y []F, fn func(dst, x, y []F)) {
	if len(dst) <= vectorGrain {
		fn(dst, x, y)
		return
	}
	Parallel(len(dst), vectorGrain, func(lo, hi int) { fn(dst[lo:hi], x[lo:hi], y[lo:hi]) })
}

// Add computes dst = x + y.
func Add[F Float](dst, x, y []F) {
	same("Add", len(dst), len(x), len(y))
	map3(dst, x, y, addPart)
}

func addPart[F Float](dst, x, y []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecAdd(head(dst), head(x), head(y), len(dst))
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] + y[i]
	}
}

// Sub computes dst = x - y.
func Sub[F Float](dst, x, y []F) {
	same("Sub", len(dst), len(x), len(y))
	map3(dst, x, y, subPart)
}

func subPart[F Float](dst, x, y []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecSub(head(dst), head(x), head(y), len(dst))
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] - y[i]
	}
}

// Mul computes dst = x * y, element by element.
func Mul[F Float](dst, x, y []F) {
	same("Mul", len(dst), len(x), len(y))
	map3(dst, x, y, mulPart)
}

func mulPart[F Float](dst, x, y []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecMul(head(dst), head(x), head(y), len(dst))
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = x[i] * y[i]
	}
}

// MulScaled computes dst = a * x * y: a dropout mask of zeros and ones with its
// scale 1/(1-p), forward and backward.
func MulScaled[F Float](dst []F, a F, x, y []F) {
	same("MulScaled", len(dst), len(x), len(y))
	map3(dst, x, y, func(dst, x, y []F) { mulScaledPart(dst, a, x, y) })
}

func mulScaledPart[F Float](dst []F, a F, x, y []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecMulScaled(head(dst), head(x), head(y), len(dst), float32(a))
		return
	}
	x, y = x[:len(dst)], y[:len(dst)]
	for i := range dst {
		dst[i] = a * x[i] * y[i]
	}
}

// Axpy computes dst += a*x.
func Axpy[F Float](dst []F, a F, x []F) {
	same("Axpy", len(dst), len(x))
	map2(dst, x, func(dst, x []F) { axpyPart(dst, a, x) })
}

func axpyPart[F Float](dst []F, a F, x []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecAxpy(head(dst), head(x), len(dst), float32(a))
		return
	}
	x = x[:len(dst)]
	for i := range dst {
		dst[i] += a * x[i]
	}
}

// Scale computes dst = a*x.
func Scale[F Float](dst []F, a F, x []F) {
	same("Scale", len(dst), len(x))
	map2(dst, x, func(dst, x []F) { scalePart(dst, a, x) })
}

func scalePart[F Float](dst []F, a F, x []F) {
	if useSIMD[F]() && len(dst) > 0 {
		vecScale(head(dst), head(x), len(dst), float32(a))
		return
	}
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = a * x[i]
	}
}

// Clamp limits each element of x to [lo, hi]; NaN stays NaN.
func Clamp[F Float](dst []F, lo, hi F, x []F) {
	same("Clamp", len(dst), len(x))
	map2(dst, x, func(dst, x []F) {
		for i, v := range x {
			if v < lo {
				v = lo
			} else if v > hi {
				v = hi
			}
			dst[i] = v
		}
	})
}

// Fill sets every element of dst to v.
func Fill[F Float](dst []F, v F) {
	for i := range dst {
		dst[i] = v
	}
}
