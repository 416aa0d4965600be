package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var poolCases = []Pool{
	{N: 1, C: 1, H: 1, W: 1, KH: 1, KW: 1},
	{N: 2, C: 3, H: 4, W: 6, KH: 2, KW: 2},
	{N: 2, C: 2, H: 7, W: 9, KH: 2, KW: 2},
	{N: 1, C: 2, H: 5, W: 3, KH: 2, KW: 2},
	{N: 1, C: 1, H: 2, W: 31, KH: 2, KW: 2},
	{N: 1, C: 2, H: 6, W: 16, KH: 2, KW: 2, StrideH: 2, StrideW: 2},
	{N: 2, C: 2, H: 4, W: 36, KH: 2, KW: 2},
	{N: 2, C: 1, H: 7, W: 6, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1},
	{N: 2, C: 1, H: 7, W: 6, KH: 3, KW: 2, StrideH: 1, StrideW: 1, PadH: 1, PadW: 1, ExcludePad: true},
	{N: 1, C: 2, H: 6, W: 6, KH: 2, KW: 2, PadH: 1, PadW: 1},
	GlobalPool(2, 3, 5, 7),
	{N: 0, C: 1, H: 4, W: 4, KH: 2, KW: 2},
}

// refPool returns maxima, their positions, and means.
func refPool(g Pool, x []float64) (most []float64, argmax []int32, mean []float64) {
	sh, sw := orElse(g.StrideH, g.KH), orElse(g.StrideW, g.KW)
	for p := range g.N * g.C {
		for i := range g.OutH() {
			for j := range g.OutW() {
				best, at, sum, count := math.Inf(-1), int32(-1), 0.0, 0
				for kh := range g.KH {
					for kw := range g.KW {
						h, w := i*sh+kh-g.PadH, j*sw+kw-g.PadW
						if h < 0 || h >= g.H || w < 0 || w >= g.W {
							continue
						}
						v := x[p*g.H*g.W+h*g.W+w]
						if at < 0 || v > best || v != v && best == best {
							best, at = v, int32(h*g.W+w)
						}
						sum += v
						count++
					}
				}
				if !g.ExcludePad {
					count = g.KH * g.KW
				}
				most, argmax, mean = append(most, best), append(argmax, at), append(mean, sum/float64(count))
			}
		}
	}
	return most, argmax, mean
}

func testPool[F Float](t *testing.T) {
	for i, g := range poolCases {
		for _, values := range []string{"normal", "ties", "nan"} {
			x := normals[F](newRand(uint64(i)), g.N*g.C*g.H*g.W)
			for k := range x {
				switch {
				case values == "ties":
					x[k] = F(math.Round(float64(x[k])))
				case values == "nan" && k%7 == 3:
					x[k] = F(math.NaN())
				}
			}
			most, at, mean := refPool(g, convert[float64](x))
			y, argmax := filled(len(most), F(99)), make([]int32, len(most))
			MaxPoolForward(g, x, y, argmax, false)
			requireClose(t, most, y, 0, "max", g, values)
			if len(at) > 0 {
				require.Equal(t, at, argmax, "%+v %s", g, values)
			}
			checkPoolReLU(t, g, x, most, at)
			AvgPoolForward(g, x, y)
			requireClose(t, mean, y, tolerance[F](), "mean", g, values)
			dy, dx, want := normals[F](newRand(9), len(y)), filled(len(x), F(5)), make([]float64, len(x))
			for k, a := range argmax {
				want[k/(g.OutH()*g.OutW())*g.H*g.W+int(a)] += float64(dy[k])
			}
			MaxPoolBackward(g, dy, argmax, dx)
			requireClose(t, want, dx, tolerance[F](), "dx of max", g)
		}
	}
}

func checkPoolReLU[F Float](t *testing.T, g Pool, x []F, most []float64, at []int32) {
	t.Helper()
	y, argmax := filled(len(most), F(99)), make([]int32, len(most))
	MaxPoolForward(g, x, y, argmax, true)
	for i, v := range most {
		wantAt := at[i]
		if v <= 0 {
			v, wantAt = 0, -1
		}
		require.True(t, float64(y[i]) == v || v != v && y[i] != y[i], "relu of %v is %v", most[i], y[i])
		require.Equal(t, wantAt, argmax[i])
	}
	only := filled(len(most), F(99))
	MaxPoolForward(g, x, only, nil, true)
	requireClose(t, convert[float64](y), only, 0, "without positions", g)
}

func TestPool(t *testing.T) {
	eachLevel(t, testPool[float32])
	t.Run("float64", testPool[float64])
}

func TestPoolCheck(t *testing.T) {
	for _, c := range []struct {
		g    Pool
		want string
	}{
		{Pool{N: 1, C: 1, H: 4, W: 4}, "pool window 0x0 is empty"},
		{Pool{N: 1, C: 1, H: 4, W: 4, KH: 5, KW: 5}, "pool window 5x5 does not fit into 4x4 pixels with pad 0x0"},
		{Pool{N: 1, C: 1, H: 4, W: 4, KH: 2, KW: 2, PadH: 2}, "pool pad 2x0 is more than half the window 2x2"},
		{Pool{N: 1, C: 0, H: 4, W: 4, KH: 2, KW: 2}, "pool input [1, 0, 4, 4] (N, C, H, W) has an empty dimension"},
		{Pool{N: 1, C: 1, H: 4, W: 4, KH: 2, KW: 2, StrideW: -1}, "pool stride 0x-1 or pad 0x0 is negative"},
	} {
		assert.EqualError(t, c.g.Check(), c.want)
	}
}

func BenchmarkMaxPool(b *testing.B) {
	for _, g := range []Pool{{N: 16, C: 32, H: 28, W: 28, KH: 2, KW: 2}, {N: 64, C: 128, H: 8, W: 8, KH: 2, KW: 2}, {N: 64, C: 32, H: 32, W: 32, KH: 2, KW: 2}} {
		x := normals[float32](newRand(1), g.N*g.C*g.H*g.W)
		y, argmax := make([]float32, len(x)/4), make([]int32, len(x)/4)
		b.Run("forward", func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for range b.N {
				MaxPoolForward(g, x, y, argmax, true)
			}
		})
		b.Run("backward", func(b *testing.B) {
			b.SetBytes(int64(4 * len(x)))
			for range b.N {
				MaxPoolBackward(g, y, argmax, x)
			}
		})
	}
}
