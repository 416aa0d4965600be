package kernel

import "unsafe"

// Workspace is reusable scratch memory. The zero value is ready for use; it
// grows to what the largest call needs and stays there. One goroutine at a time
// may use a Workspace, so give every learner its own. It must not be copied
// after first use.
type Workspace struct {
	shared [sharedBuffers][]float64         // one of each per call
	slots  [maxSlots][slotBuffers][]float64 // one of each per goroutine of a call
	ints   []int
	phases []convPhase
}

// Names of the shared buffers. Two values used in one call need two names.
const (
	bufWeights = iota // filters in the order a kernel reads them
	bufPartial        // partial results, combined in a fixed order
	bufTurned         // left operand of a product, transposed
	sharedBuffers
)

// Names of the buffers each slot has.
const (
	slotImage = iota // one image with its padding
	slotGrad         // one output gradient with its padding
	slotPanel        // packed panel of the right operand
	slotLeft         // packed panel of the left operand
	slotBuffers
)

// Bytes returns the memory the workspace holds.
func (ws *Workspace) Bytes() int {
	n := 0
	for _, b := range ws.shared {
		n += cap(b)
	}
	for i := range ws.slots {
		for _, b := range ws.slots[i] {
			n += cap(b)
		}
	}
	return 8 * (n + cap(ws.ints))
}

// offsets returns n integers, contents undefined.
func (ws *Workspace) offsets(n int) []int {
	if len(ws.ints) < n {
		ws.ints = make([]int, n)
	}
	return ws.ints[:n:n]
}

// sharedBuf returns n elements of a shared buffer, contents undefined.
func sharedBuf[F Float](ws *Workspace, name, n int) []F {
	return grown[F](&ws.shared[name], n)
}

// slotBuf returns n elements of a slot's buffer, contents undefined.
func slotBuf[F Float](ws *Workspace, slot, name, n int) []F {
	return grown[F](&ws.slots[slot][name], n)
}

// grown returns n elements at the start of a cache line of *buf.
func grown[F Float](buf *[]float64, n int) []F {
	const line = 64
	var zero F
	words := (n*int(unsafe.Sizeof(zero))+7)/8 + line/8
	if len(*buf) < words {
		*buf = make([]float64, words+words/8)
	}
	base := unsafe.Pointer(unsafe.SliceData(*buf))
	skip := (line - uintptr(base)%line) % line
	return unsafe.Slice((*F)(unsafe.Add(base, skip)), n)
}
