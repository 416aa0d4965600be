// Package kernel holds the numeric kernels of the training engine: matrix
// products, convolutions, pools, norms, activations, softmax, reductions and
// optimizer updates on dense row-major slices. Package nn builds its operators
// on it; nothing else should import it. It imports no other package of this
// module.
//
// # Conventions
//
//   - Tensors are dense and row-major. Images are NCHW, convolution filters
//     are OIHW, matrices are [rows, cols]. No function keeps a slice.
//   - Functions overwrite their destination unless the name or a field says
//     "accumulate" or "add". Element-wise functions work in place (dst may be
//     the same slice as a source); partially overlapping slices are not allowed.
//   - Every function is generic over float32 and float64. float32 runs on
//     assembly where there is some (amd64: AVX2 with FMA, AVX-512); float64 is
//     portable Go and serves to prove gradients numerically.
//   - A slice of the wrong length is a programming error of the caller and
//     panics with the argument, the length it has and the length it needs.
//   - NaN and infinity propagate: ReLU(NaN) is NaN, the maximum of a window
//     with a NaN is NaN.
//
// # Threads and reproducibility
//
// Functions that pay for it run on several cores through [Parallel], which
// never uses more than GOMAXPROCS goroutines in total. Outputs are shared among
// them; sums are split into blocks of a fixed size, never by the number of
// threads, so that every result is the same bits for any GOMAXPROCS. Another
// instruction set (AVX2 instead of AVX-512, or another architecture) may round
// differently.
//
// # Other architectures
//
// Without assembly every kernel runs in portable Go, tested like the rest. To
// run the tests of another architecture under emulation (Debian: qemu-user):
//
//	GOARCH=arm64 go test -c -o kernel.arm64.test . && qemu-aarch64 kernel.arm64.test -test.short
//
// # Memory
//
// Scratch memory comes from a [Workspace] that the caller owns and reuses. In
// the steady state nothing is allocated per element: a call makes at most a few
// small allocations, a serial matrix product none.
package kernel
