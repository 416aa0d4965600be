//go:build !amd64

package kernel

func tile32[F Float](*tileJob[F]) { panic("kernel: no assembly on this architecture") }

func dot32[F Float](*dotJob[F]) { panic("kernel: no assembly on this architecture") }

func copyRows32[F Float]([]F, int, []F, int, int, int) {
	panic("kernel: no assembly on this architecture")
}

func transpose32[F Float]([]F, int, []F, int, int) { panic("kernel: no assembly on this architecture") }

func gatherPanel32[F Float](*gather, []F, int, []F, []int) {
	panic("kernel: no assembly on this architecture")
}
