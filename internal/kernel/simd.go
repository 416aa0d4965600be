package kernel

// level is an instruction set with kernels of its own.
type level int

const (
	levelGo     level = iota // portable Go
	levelAVX2                // amd64 with AVX2, FMA and BMI2
	levelAVX512              // amd64 with AVX-512 F, VL, DQ and BW
)

func (l level) String() string { return [...]string{"go", "avx2", "avx512"}[l] }

// useSIMD reports whether F has assembly in use.
func useSIMD[F Float]() bool { return isFloat32[F]() && simd > levelGo }

// tiling is the shape of the tiles a matrix kernel keeps in registers.
type tiling struct {
	rows, cols int // of a tile of C; cols is a multiple of lanes
	lanes      int // elements the kernel reads at a time
}

// tilingFor returns the tile shape in use for F.
func tilingFor[F Float]() tiling {
	if isFloat32[F]() {
		switch simd {
		case levelAVX512:
			return tiling{rows: 8, cols: 48, lanes: 16}
		case levelAVX2:
			return tiling{rows: 4, cols: 24, lanes: 8}
		}
	}
	return tiling{rows: 4, cols: 4, lanes: 1}
}
