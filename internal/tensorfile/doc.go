// Package tensorfile reads and writes arrays in the files that Python reads
// too: NumPy's .npy and .npz, and safetensors. It is a leaf: it imports no other
// package of this module. Whatever keeps tensors as artifacts or checkpoints
// turns them into an [Array] and comes here.
//
// An [Array] holds its elements as raw little-endian bytes in C order, as the
// files do, so that reading and writing are bit-exact for every element type:
// NaN payloads, negative zero, infinities and denormals survive.
//
// # Hostile files
//
// Lengths in a header are claims. No reader allocates by one before it was
// bounded by the input: a plain read grows with the bytes that really arrive, an
// archive may not claim to expand further than deflate can, and the tensors of a
// safetensors file must tile its data exactly. A bad file is an error that names
// what is wrong, never a panic.
//
// # Why our own codecs
//
// github.com/sbinet/npyio v0.9.0 brings gonum, gopickle and x/text into every
// test binary, allocates by the 32-bit header length before it read a byte, and
// slices by positions that it did not find. github.com/nlpodyssey/safetensors
// (February 2025) has no dependencies and checks its offsets, but has no tagged
// release, takes a duplicate name silently, and hands back bytes that would
// still need everything in this package. Both formats are small.
package tensorfile
