package kernel

import "golang.org/x/sys/cpu"

// simd is the instruction set in use. It is set once, at start; tests set it to
// run every path on one machine.
var simd = detect()

func detect() level {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA || !x.HasBMI2:
		return levelGo
	case x.HasAVX512F && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512BW:
		return levelAVX512
	default:
		return levelAVX2
	}
}
