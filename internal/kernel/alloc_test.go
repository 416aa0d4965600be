package kernel

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A call may make a few small allocations, for closures, but nothing that grows
// with the tensors. A serial matrix product makes none.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	ws := new(Workspace)
	x, y, z, w := make([]float32, 64), make([]float32, 64), make([]float32, 64), make([]float32, 64)
	gemmArgs := GemmArgs[float32]{M: 4, N: 3, K: 4, A: x, B: y, C: z, BiasN: w, ReLU: true}
	xent := CrossEntropy[float32]{Rows: 4, Classes: 3, Targets: make([]int, 4)}
	for name, fn := range map[string]func(){
		"Gemm":     func() { Gemm(ws, gemmArgs) },
		"Add":      func() { Add(z, x, y) },
		"ReLU":     func() { ReLU(z, x) },
		"Axpy":     func() { Axpy(z, 2, x) },
		"SGD":      func() { SGDStep(SGD{LR: 0.1}, z, x, nil) },
		"Nesterov": func() { SGDStep(SGD{LR: 0.1, Momentum: 0.9, Nesterov: true}, z, x, w) },
		"Adam":     func() { AdamStep(Adam{LR: 0.1, Eps: 1}, z, x, y, w) },
		"RMSProp":  func() { RMSPropStep(RMSProp{LR: 0.1, Eps: 1}, z, x, y) },
		"Sum":      func() { Sum(x) },
		"ColSums":  func() { ColSums(ws, z, x, 4, 3) },
		"Softmax":  func() { Softmax(z, x, 4, 3, 1, 0) },
		"CrossEntropy": func() {
			xent.Forward(z, y, x)
			xent.Backward(y, y, 1)
		},
	} {
		limit := 2.0
		if name == "Gemm" {
			limit = 0
		}
		assert.LessOrEqual(t, testing.AllocsPerRun(100, fn), limit, name)
	}
	g := Conv{N: 8, C: 8, H: 28, W: 28, OutC: 16, KH: 3, KW: 3, PadH: 1, PadW: 1}
	image, out := make([]float32, g.N*g.C*28*28), make([]float32, g.N*g.OutC*28*28)
	filters := make([]float32, g.OutC*g.C*9)
	withProcs(t, 2, func() {
		n := testing.AllocsPerRun(20, func() {
			ConvForward(ws, g, image, filters, nil, out, true)
			ConvBackwardInput(ws, g, out, filters, image)
			ConvBackwardWeights(ws, g, image, out, filters, nil)
		})
		assert.LessOrEqual(t, n, 30.0, "three convolution kernels")
	})
}

// A NaN must not survive in scratch memory and reach a later call.
func TestScratchDoesNotLeakValues(t *testing.T) {
	eachLevel(t, func(t *testing.T) {
		ws := new(Workspace)
		for i, g := range convCases {
			nan := float32(math.NaN())
			x, w := filled(g.N*g.C*g.H*g.W, nan), filled(g.OutC*g.C*g.KH*g.KW, nan)
			y := filled(g.N*g.OutC*g.OutH()*g.OutW(), nan)
			big := Conv{N: 2, C: 9, H: 30, W: 30, OutC: 9, KH: 3, KW: 3}
			bx, by, bw := filled(2*9*900, nan), filled(2*9*28*28, nan), filled(9*9*9, nan)
			ConvForward(ws, big, bx, bw, nil, by, false)
			ConvBackwardInput(ws, big, by, bw, bx)
			ConvBackwardWeights(ws, big, bx, by, bw, nil)
			ConvForward(ws, g, x, w, nil, y, false)
			checkConv[float32](t, ws, g, uint64(i))
		}
	})
}
