package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var convCases = []Conv{
	{N: 1, C: 1, H: 1, W: 1, OutC: 1, KH: 1, KW: 1},
	{N: 2, C: 3, H: 5, W: 4, OutC: 5, KH: 1, KW: 1},
	{N: 2, C: 3, H: 6, W: 5, OutC: 4, KH: 1, KW: 1, StrideH: 2, StrideW: 2},
	{N: 3, C: 2, H: 4, W: 4, OutC: 9, KH: 1, KW: 1, PadH: 1, PadW: 1},
	{N: 16, C: 1, H: 28, W: 28, OutC: 8, KH: 3, KW: 3, PadH: 1, PadW: 1},
	{N: 3, C: 8, H: 14, W: 14, OutC: 32, KH: 3, KW: 3, PadH: 1, PadW: 1},
	{N: 5, C: 3, H: 9, W: 11, OutC: 7, KH: 3, KW: 3},
	{N: 1, C: 2, H: 7, W: 7, OutC: 3, KH: 7, KW: 7},
	{N: 2, C: 2, H: 8, W: 8, OutC: 3, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1},
	{N: 2, C: 2, H: 9, W: 7, OutC: 3, KH: 3, KW: 5, StrideH: 3, StrideW: 2, PadH: 2, PadW: 1},
	{N: 2, C: 2, H: 11, W: 10, OutC: 3, KH: 3, KW: 2, DilH: 2, DilW: 3, PadH: 2, PadW: 1},
	{N: 2, C: 1, H: 13, W: 12, OutC: 2, KH: 4, KW: 3, StrideH: 2, StrideW: 3, DilH: 2, DilW: 2, PadH: 3, PadW: 2},
	{N: 1, C: 3, H: 6, W: 6, OutC: 4, KH: 2, KW: 2, StrideH: 3, StrideW: 3},
	{N: 2, C: 40, H: 5, W: 5, OutC: 20, KH: 3, KW: 3, PadH: 1, PadW: 1},
	{N: 1, C: 2, H: 3, W: 3, OutC: 2, KH: 3, KW: 3, PadH: 4, PadW: 3},
	{N: 4, C: 16, H: 8, W: 8, OutC: 17, KH: 3, KW: 3, PadH: 1, PadW: 1},
	{N: 1, C: 4, H: 1, W: 30, OutC: 6, KH: 1, KW: 5, PadW: 2},
	{N: 1, C: 4, H: 30, W: 1, OutC: 6, KH: 5, KW: 1, PadH: 2},
	{N: 0, C: 1, H: 4, W: 4, OutC: 2, KH: 3, KW: 3},
}

// checkConv compares the three convolution kernels with the reference.
func checkConv[F Float](t *testing.T, ws *Workspace, g Conv, seed uint64) {
	t.Helper()
	r := newRand(seed)
	nx, nw, ny := g.N*g.C*g.H*g.W, g.OutC*g.C*g.KH*g.KW, g.N*g.OutC*g.OutH()*g.OutW()
	x, w, dy, bias := normals[F](r, nx), normals[F](r, nw), normals[F](r, ny), normals[F](r, g.OutC)
	y, dx, dw, db := make([]float64, ny), make([]float64, nx), make([]float64, nw), make([]float64, g.OutC)
	refTaps(g, func(xi, wi, yi int) {
		y[yi] += float64(x[xi]) * float64(w[wi])
		dx[xi] += float64(dy[yi]) * float64(w[wi])
		dw[wi] += float64(dy[yi]) * float64(x[xi])
	})
	plane := g.OutH() * g.OutW()
	withBias := make([]float64, ny)
	for i := range y {
		c := i / plane % g.OutC
		db[c] += float64(dy[i])
		withBias[i] = max(0, y[i]+float64(bias[c]))
	}
	garbage := F(math.Inf(1))
	got := filled(ny, garbage)
	ConvForward(ws, g, x, w, nil, got, false)
	requireClose(t, y, got, 10*tolerance[F](), "y", g)
	ConvForward(ws, g, x, w, bias, got, true)
	requireClose(t, withBias, got, 10*tolerance[F](), "relu(y+bias)", g)
	got = filled(nx, garbage)
	ConvBackwardInput(ws, g, dy, w, got)
	requireClose(t, dx, got, 10*tolerance[F](), "dx", g)
	got, gotB := filled(nw, garbage), filled(g.OutC, garbage)
	ConvBackwardWeights(ws, g, x, dy, got, gotB)
	requireClose(t, dw, got, 10*tolerance[F](), "dw", g)
	requireClose(t, db, gotB, 10*tolerance[F](), "db", g)
	ConvBackwardWeights(ws, g, x, dy, got, nil)
	requireClose(t, dw, got, 10*tolerance[F](), "dw without db", g)
}

func testConv[F Float](t *testing.T) {
	ws := new(Workspace)
	for i, g := range convCases {
		checkConv[F](t, ws, g, uint64(i))
	}
}

func TestConv(t *testing.T) {
	eachLevel(t, testConv[float32])
	t.Run("float64", testConv[float64])
}

func TestConvSameBitsForAnyThreads(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		for _, g := range []Conv{
			{N: 13, C: 4, H: 20, W: 20, OutC: 16, KH: 3, KW: 3, PadH: 1, PadW: 1},
			{N: 2, C: 16, H: 30, W: 30, OutC: 16, KH: 3, KW: 3, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1},
		} {
			r := newRand(1)
			x, w := normals[float32](r, g.N*g.C*g.H*g.W), normals[float32](r, g.OutC*g.C*9)
			dy := normals[float32](r, g.N*g.OutC*g.OutH()*g.OutW())
			var first [4][]float32
			for _, procs := range []int{1, 2, 5} {
				got := [4][]float32{make([]float32, len(dy)), make([]float32, len(x)), make([]float32, len(w)), make([]float32, g.OutC)}
				withProcs(t, procs, func() {
					ws := new(Workspace)
					ConvForward(ws, g, x, w, nil, got[0], true)
					ConvBackwardInput(ws, g, dy, w, got[1])
					ConvBackwardWeights(ws, g, x, dy, got[2], got[3])
				})
				if first[0] == nil {
					first = got
				}
				require.Equal(t, first, got, "procs %d", procs)
			}
		}
	})
}

func TestConvCheck(t *testing.T) {
	good := Conv{N: 1, C: 1, H: 5, W: 5, OutC: 1, KH: 3, KW: 3}
	assert.NoError(t, good.Check())
	for _, c := range []struct {
		change func(*Conv)
		want   string
	}{
		{func(g *Conv) { g.H = 0 }, "conv input [1, 1, 0, 5] (N, C, H, W) has an empty dimension"},
		{func(g *Conv) { g.KW = 0 }, "conv needs at least one filter of at least 1x1, got 1 of 3x0"},
		{func(g *Conv) { g.PadH = -1 }, "a negative one among stride 0x0, pad -1x0 and dilation 0x0"},
		{func(g *Conv) { g.DilW = 3 }, "conv filter 3x3 (dilation 1x3) does not fit into 5x5 pixels with pad 0x0: pad more or use a smaller filter"},
	} {
		g := good
		c.change(&g)
		assert.EqualError(t, g.Check(), c.want)
	}
	assert.Panics(t, func() {
		ConvForward(new(Workspace), good, make([]float32, 24), make([]float32, 9), nil, make([]float32, 9), false)
	})
}

func FuzzConv(f *testing.F) {
	f.Add(uint64(1), uint16(0x1234), uint16(0x5678), uint16(0x1111))
	f.Fuzz(func(t *testing.T, seed uint64, shape, window, more uint16) {
		bits := func(v *uint16, n int) int {
			b := int(*v) & (1<<n - 1)
			*v >>= n
			return b
		}
		g := Conv{N: bits(&shape, 2), C: 1 + bits(&shape, 3), OutC: 1 + bits(&shape, 4), H: 1 + bits(&shape, 4), W: 1 + bits(&shape, 3),
			KH: 1 + bits(&window, 2), KW: 1 + bits(&window, 3), StrideH: bits(&window, 2), StrideW: bits(&window, 2),
			PadH: bits(&more, 2), PadW: bits(&more, 2), DilH: bits(&more, 2), DilW: bits(&more, 2)}
		if g.Check() != nil {
			t.Skip()
		}
		eachLevel(t, func(t *testing.T) { checkConv[float32](t, new(Workspace), g, seed) })
	})
}

// The convolutions of the networks in the benchmark table.
var convBench = []struct {
	name string
	g    Conv
}{
	{"28x28_1to8_b16", Conv{N: 16, C: 1, H: 28, W: 28, OutC: 8, KH: 3, KW: 3, PadH: 1, PadW: 1}},
	{"14x14_8to32_b16", Conv{N: 16, C: 8, H: 14, W: 14, OutC: 32, KH: 3, KW: 3, PadH: 1, PadW: 1}},
	{"28x28_1to32_b16", Conv{N: 16, C: 1, H: 28, W: 28, OutC: 32, KH: 3, KW: 3, PadH: 1, PadW: 1}},
	{"14x14_32to64_b16", Conv{N: 16, C: 32, H: 14, W: 14, OutC: 64, KH: 3, KW: 3, PadH: 1, PadW: 1}},
	{"32x32_3to32_b64", Conv{N: 64, C: 3, H: 32, W: 32, OutC: 32, KH: 3, KW: 3, PadH: 1, PadW: 1}},
	{"16x16_32to64_b64", Conv{N: 64, C: 32, H: 16, W: 16, OutC: 64, KH: 3, KW: 3, PadH: 1, PadW: 1}},
	{"8x8_64to128_b64", Conv{N: 64, C: 64, H: 8, W: 8, OutC: 128, KH: 3, KW: 3, PadH: 1, PadW: 1}},
}

func BenchmarkConv(b *testing.B) {
	for _, c := range convBench {
		g := c.g
		r := newRand(1)
		x, w := normals[float32](r, g.N*g.C*g.H*g.W), normals[float32](r, g.OutC*g.C*9)
		y := normals[float32](r, g.N*g.OutC*g.OutH()*g.OutW())
		bias, dx, dw := normals[float32](r, g.OutC), make([]float32, len(x)), make([]float32, len(w))
		ws := new(Workspace)
		for name, fn := range map[string]func(){
			"forward": func() { ConvForward(ws, g, x, w, bias, y, true) },
			"dx":      func() { ConvBackwardInput(ws, g, y, w, dx) },
			"dw":      func() { ConvBackwardWeights(ws, g, x, y, dw, bias) },
		} {
			b.Run(c.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					fn()
				}
				gflops(b, 2*float64(g.N*g.OutC*g.OutH()*g.OutW()*g.C*9))
			})
		}
	}
}
