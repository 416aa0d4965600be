//go:build !amd64

package kernel

// The vector assembly of other architectures: none. simd is constant there, so
// that nothing of this is ever called or linked.

func vecAdd(dst *float32, x *float32, y *float32, n int)                  { panic(noAssembly) }
func vecSub(dst *float32, x *float32, y *float32, n int)                  { panic(noAssembly) }
func vecMul(dst *float32, x *float32, y *float32, n int)                  { panic(noAssembly) }
func vecMulScaled(dst *float32, x *float32, y *float32, n int, a float32) { panic(noAssembly) }
func vecAxpy(dst *float32, x *float32, n int, a float32)                  { panic(noAssembly) }
func vecScale(dst *float32, x *float32, n int, a float32)                 { panic(noAssembly) }
func vecAffine(dst *float32, x *float32, n int, a float32, b float32)     { panic(noAssembly) }
func vecAffine2(dst *float32, x *float32, y *float32, n int, a float32, b float32, c float32) {
	panic(noAssembly)
}
func vecSoftmaxBackward(dst *float32, x *float32, y *float32, n int, a float32, b float32) {
	panic(noAssembly)
}
func vecReLU(dst *float32, x *float32, n int)                             { panic(noAssembly) }
func vecReLUBackward(dst *float32, y *float32, dy *float32, n int)        { panic(noAssembly) }
func vecLeaky(dst *float32, x *float32, y *float32, n int, slope float32) { panic(noAssembly) }
func vecSigmoid(dst *float32, x *float32, n int)                          { panic(noAssembly) }
func vecTanh(dst *float32, x *float32, n int)                             { panic(noAssembly) }
func vecSigmoidBackward(dst *float32, y *float32, dy *float32, n int)     { panic(noAssembly) }
func vecTanhBackward(dst *float32, y *float32, dy *float32, n int)        { panic(noAssembly) }
func vecGELUTanh(dst *float32, x *float32, n int)                         { panic(noAssembly) }
func vecGELUTanhBackward(dst *float32, x *float32, dy *float32, n int)    { panic(noAssembly) }
func vecGELU(dst *float32, x *float32, n int)                             { panic(noAssembly) }
func vecGELUBackward(dst *float32, x *float32, dy *float32, n int)        { panic(noAssembly) }
func vecExp(dst *float32, x *float32, n int)                              { panic(noAssembly) }
func vecMomentum(w *float32, v *float32, d *float32, n int, decay float32, old float32, add float32, direct float32, rate float32) {
	panic(noAssembly)
}
func vecRMSProp(w *float32, s *float32, d *float32, n int, decay float32, alpha float32, rest float32, rate float32, eps float32) {
	panic(noAssembly)
}
func vecAdam(w *float32, m *float32, v *float32, d *float32, n int, c *float32)    { panic(noAssembly) }
func vecSum(x *float32, n int, lanes *float32)                                     { panic(noAssembly) }
func vecDot(x *float32, y *float32, n int, lanes *float32)                         { panic(noAssembly) }
func vecSquaredDiff(x *float32, n int, m float32, lanes *float32)                  { panic(noAssembly) }
func vecMax(x *float32, n int, lanes *float32)                                     { panic(noAssembly) }
func vecExpShifted(dst *float32, x *float32, n int, shift float32, lanes *float32) { panic(noAssembly) }

func maxPoolPlane32[F Float](y []F, argmax []int32, x []F, width, outH, outW int, relu bool) {
	panic(noAssembly)
}

func maxPoolPlaneBackward32[F Float](dx []F, argmax []int32, dy []F, width, outH, outW int) {
	panic(noAssembly)
}
