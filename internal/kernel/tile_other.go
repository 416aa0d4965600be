//go:build !amd64

package kernel

func tile32[F Float](*tileJob[F]) { panic(noAssembly) }

func dot32[F Float](*dotJob[F]) { panic(noAssembly) }

func copyRows32[F Float]([]F, int, []F, int, int, int) {
	panic(noAssembly)
}

func transpose32[F Float]([]F, int, []F, int, int) { panic(noAssembly) }

func gatherPanel32[F Float](*gather, []F, int, []F, []int) {
	panic(noAssembly)
}
