package kernel

import "unsafe"

func maxPoolPlane32[F Float](y []F, argmax []int32, x []F, width, outH, outW int, relu bool) {
	if simd == levelAVX512 {
		maxPool512(head(y), unsafe.SliceData(argmax), head(x), width, outH, outW, asInt(relu))
		return
	}
	maxPool2(head(y), unsafe.SliceData(argmax), head(x), width, outH, outW, asInt(relu))
}

func maxPoolPlaneBackward32[F Float](dx []F, argmax []int32, dy []F, width, outH, outW int) {
	if simd == levelAVX512 {
		maxPool512Backward(head(dx), unsafe.SliceData(argmax), head(dy), width, outH, outW)
		return
	}
	maxPool2Backward(head(dx), unsafe.SliceData(argmax), head(dy), width, outH, outW)
}
