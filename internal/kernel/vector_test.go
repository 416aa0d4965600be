package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// lengths reach every path of the vector loops, and several parallel parts.
var lengths = []int{0, 1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 63, 65, 100, 1001, 2*vectorGrain + 5}

// special are values whose treatment is part of the contract.
var special = []float64{0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1e-40, -1e-40, 1e-3, 0.6249, 0.6251, 5, -5, 20, -20, 88, 89, -87.5, -88, -103, -104, -105,
	200, -200, 1e30, -1e30, math.Inf(1), math.Inf(-1), math.NaN(), 2.5, -2.5, 0.1, -0.1}

type unaryCase struct {
	name string
	f32  func(dst, x []float32)
	f64  func(dst, x []float64)
	ref  func(x float64) float64
}

func unaryCases() []unaryCase {
	relu := func(x float64) float64 {
		if x <= 0 {
			return 0
		}
		return x
	}
	leaky := func(x float64) float64 {
		if x <= 0 {
			return float64(float32(0.01)) * x
		}
		return x
	}
	geluTanh := func(x float64) float64 { return 0.5 * x * (1 + math.Tanh(geluScale*(x+geluCubic*x*x*x))) }
	return []unaryCase{
		{"ReLU", ReLU[float32], ReLU[float64], relu},
		{"LeakyReLU", func(d, x []float32) { LeakyReLU(d, 0.01, x) }, func(d, x []float64) { LeakyReLU(d, float64(float32(0.01)), x) }, leaky},
		{"Sigmoid", Sigmoid[float32], Sigmoid[float64], func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		{"Tanh", Tanh[float32], Tanh[float64], math.Tanh},
		{"Exp", Exp[float32], Exp[float64], math.Exp},
		{"GELUTanh", GELUTanh[float32], GELUTanh[float64], geluTanh},
		{"GELU", GELU[float32], GELU[float64], func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }},
		{"Scale", func(d, x []float32) { Scale(d, 3, x) }, func(d, x []float64) { Scale(d, 3, x) }, func(x float64) float64 { return 3 * x }},
		{"Clamp", func(d, x []float32) { Clamp(d, -2, 2, x) }, func(d, x []float64) { Clamp(d, -2, 2, x) }, func(x float64) float64 {
			if x != x {
				return x
			}
			return min(max(x, -2), 2)
		}},
	}
}

// closeUnary compares one value: equal non-finite values, else 4 units of
// relative and 2e-7 of absolute error in float32.
func closeUnary(want, got float64) bool {
	switch {
	case math.IsNaN(want) || math.IsNaN(got):
		return math.IsNaN(want) && math.IsNaN(got)
	case math.IsInf(float64(float32(want)), 0):
		return float64(float32(want)) == got
	}
	return math.Abs(want-got) <= 5e-7*math.Abs(want)+3e-7
}

func TestUnary(t *testing.T) {
	for _, c := range unaryCases() {
		check := func(t *testing.T, x []float64) {
			x32 := convert[float32](x)
			got32, got64 := filled[float32](len(x), 7), filled[float64](len(x), 7)
			c.f32(got32, x32)
			c.f64(got64, convert[float64](x32))
			for i, v := range x32 {
				want := c.ref(float64(v))
				require.True(t, closeUnary(want, float64(got32[i])), "%s(%v) = %v, want %v (element %d of %d)", c.name, v, got32[i], want, i, len(x))
				require.True(t, want == got64[i] || closeUnary(want, got64[i]), "%s(%v) = %v in float64, want %v", c.name, v, got64[i], want)
			}
			c.f32(x32, x32)
			requireClose(t, convert[float64](got32), x32, 0, "in place")
		}
		t.Run(c.name, func(t *testing.T) {
			eachLevel(t, func(t *testing.T) {
				check(t, special)
				for _, n := range lengths {
					x := normals[float64](newRand(uint64(n)), n)
					for i := range x {
						x[i] *= 3
					}
					check(t, x)
				}
			})
		})
	}
}

func TestExpIsAccurate(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		x := make([]float32, 20000)
		for i := range x {
			x[i] = -87 + 175*float32(i)/float32(len(x))
		}
		got := make([]float32, len(x))
		Exp(got, x)
		for i, v := range x {
			want := math.Exp(float64(v))
			require.InEpsilon(t, want, got[i], 2.5e-7, "exp(%v)", v)
		}
	})
}

// Derivatives agree with central differences of the float64 forward.
func TestActivationBackward(t *testing.T) {
	type backward func(dx, x, y, dy []float32)
	type backward64 func(dx, x, y, dy []float64)
	cases := map[string]struct {
		f   func(dst, x []float64)
		b32 backward
		b64 backward64
	}{
		"ReLU": {ReLU[float64], func(dx, x, y, dy []float32) { ReLUBackward(dx, y, dy) }, func(dx, x, y, dy []float64) { ReLUBackward(dx, y, dy) }},
		"LeakyReLU": {func(d, x []float64) { LeakyReLU(d, 0.25, x) }, func(dx, x, y, dy []float32) { LeakyReLUBackward(dx, 0.25, y, dy) },
			func(dx, x, y, dy []float64) { LeakyReLUBackward(dx, 0.25, y, dy) }},
		"Sigmoid":  {Sigmoid[float64], func(dx, x, y, dy []float32) { SigmoidBackward(dx, y, dy) }, func(dx, x, y, dy []float64) { SigmoidBackward(dx, y, dy) }},
		"Tanh":     {Tanh[float64], func(dx, x, y, dy []float32) { TanhBackward(dx, y, dy) }, func(dx, x, y, dy []float64) { TanhBackward(dx, y, dy) }},
		"GELUTanh": {GELUTanh[float64], func(dx, x, y, dy []float32) { GELUTanhBackward(dx, x, dy) }, func(dx, x, y, dy []float64) { GELUTanhBackward(dx, x, dy) }},
		"GELU":     {GELU[float64], func(dx, x, y, dy []float32) { GELUBackward(dx, x, dy) }, func(dx, x, y, dy []float64) { GELUBackward(dx, x, dy) }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			eachLevel(t, func(t *testing.T) {
				for _, n := range lengths {
					r := newRand(uint64(n))
					x, dy := normals[float64](r, n), normals[float64](r, n)
					for i := range x {
						if math.Abs(x[i]) < 1e-3 {
							x[i] = 0.5 // off the kink
						}
					}
					const h = 1e-5
					up, down, want := make([]float64, n), make([]float64, n), make([]float64, n)
					for i := range x {
						up[i], down[i] = x[i]+h, x[i]-h
					}
					c.f(up, up)
					c.f(down, down)
					for i := range want {
						want[i] = dy[i] * (up[i] - down[i]) / (2 * h)
					}
					y, dx := make([]float64, n), make([]float64, n)
					c.f(y, x)
					c.b64(dx, x, y, dy)
					requireClose(t, want, dx, 1e-8, "float64")
					got := make([]float32, n)
					c.b32(got, convert[float32](x), convert[float32](y), convert[float32](dy))
					requireClose(t, dx, got, 2e-6, "float32")
				}
				nan := float32(math.NaN())
				got := make([]float32, 9)
				c.b32(got, filled(9, nan), filled(9, nan), filled(9, float32(1)))
				for i, v := range got {
					assert.True(t, v != v, "a NaN is hidden at %d: %v", i, v)
				}
			})
		})
	}
}

func TestBinary(t *testing.T) {
	type op32 func(dst, x, y []float32)
	cases := map[string]struct {
		f   op32
		ref func(d, x, y float64) float64
	}{
		"Add":       {Add[float32], func(_, x, y float64) float64 { return x + y }},
		"Sub":       {Sub[float32], func(_, x, y float64) float64 { return x - y }},
		"Mul":       {Mul[float32], func(_, x, y float64) float64 { return x * y }},
		"MulScaled": {func(d, x, y []float32) { MulScaled(d, 1.25, x, y) }, func(_, x, y float64) float64 { return 1.25 * x * y }},
		"Axpy":      {func(d, x, _ []float32) { Axpy(d, -0.5, x) }, func(d, x, _ float64) float64 { return d - 0.5*x }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			eachLevel(t, func(t *testing.T) {
				for _, n := range lengths {
					r := newRand(uint64(n))
					d, x, y := normals[float32](r, n+1), normals[float32](r, n), normals[float32](r, n)
					want := convert[float64](d)
					for i := range n {
						want[i] = c.ref(want[i], float64(x[i]), float64(y[i]))
					}
					c.f(d[:n], x, y)
					requireClose(t, want, d, 1e-6, "result and the element behind it")
				}
			})
		})
	}
	assert.PanicsWithValue(t, "kernel: Add: slices of lengths 2 and 3, must be equal", func() {
		Add(make([]float32, 2), make([]float32, 2), make([]float32, 3))
	})
}

func TestReductions(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, n := range append([]int{reduceGrain, reduceGrain + 1, 70*reduceGrain + 3}, lengths...) {
			r := newRand(uint64(n))
			x, y := normals[float32](r, n), normals[float32](r, n)
			sum, dot, sq, most := 0.0, 0.0, 0.0, math.Inf(-1)
			for i := range x {
				sum += float64(x[i])
				dot += float64(x[i]) * float64(y[i])
				sq += float64(x[i]) * float64(x[i])
				most = max(most, float64(x[i]))
			}
			tol := 1e-6 * (math.Sqrt(float64(n)) + 1)
			assert.InDelta(t, sum, Sum(x), tol)
			assert.InDelta(t, dot, Dot(x, y), tol)
			assert.InDelta(t, sq, SumSquares(x), 1e-6*(sq+1))
			assert.Equal(t, float32(most), Max(x))
			for procs := 1; procs <= 3; procs++ {
				withProcs(t, procs, func() { assert.Equal(t, Sum(x), Sum(x)) })
			}
			if n > 0 {
				x[n/2] = float32(math.NaN())
				assert.True(t, math.IsNaN(float64(Max(x))), "Max with a NaN at %d of %d", n/2, n)
				assert.True(t, math.IsNaN(Sum(x)))
			}
		}
	})
	var one, two, three float64
	x := normals[float32](newRand(1), 1<<20)
	withProcs(t, 1, func() { one = Sum(x) })
	withProcs(t, 2, func() { two = Sum(x) })
	withProcs(t, 7, func() { three = Sum(x) })
	assert.Equal(t, []float64{one, one}, []float64{two, three}, "same bits for any number of threads")
}

func TestRowAndColumnSums(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, s := range [][2]int{{1, 1}, {3, 10}, {16, 512}, {2000, 33}, {2003, 130}, {5, 60000}, {0, 5}} {
			rows, cols := s[0], s[1]
			x := normals[float32](newRand(3), rows*cols)
			bias := normals[float32](newRand(4), cols)
			col, row, sum := make([]float64, cols), make([]float64, rows), make([]float64, rows*cols)
			for i := range rows {
				for j := range cols {
					col[j] += float64(x[i*cols+j])
					row[i] += float64(x[i*cols+j])
					sum[i*cols+j] = float64(x[i*cols+j] + bias[j])
				}
			}
			gotC, gotR, gotS := filled[float32](cols, 9), filled[float32](rows, 9), make([]float32, rows*cols)
			ColSums(new(Workspace), gotC, x, rows, cols)
			RowSums(gotR, x, rows, cols)
			AddRow(gotS, x, bias, rows, cols)
			requireClose(t, col, gotC, 1e-5, "columns")
			requireClose(t, row, gotR, 1e-5, "rows")
			requireClose(t, sum, gotS, 0, "row added")
		}
	})
}
