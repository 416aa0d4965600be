//go:build !amd64

package kernel

// simd is the instruction set in use: no assembly on this architecture.
const simd = levelGo

const noAssembly = "kernel: no assembly on this architecture"
