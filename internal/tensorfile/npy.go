package tensorfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// The .npy format, version 1.0: the magic, two version bytes, the length of the
// header as uint16, the header (a Python dict, padded with spaces and ended by a
// newline so that the data starts at a multiple of 64), then the data. Version
// 2.0 has a uint32 length, 3.0 also a UTF-8 header.
// Source: numpy/lib/format.py, "NPY format".
const npyMagic = "\x93NUMPY"

// maxNPYHeader bounds the header, bytes. NumPy's own limit for an untrusted file
// is 10,000; a plain array needs less than 1,500 (64 dimensions).
const maxNPYHeader = 1 << 16

// WriteNPY writes one float32 array in C order as a .npy file of version 1.0.
// An empty shape is a scalar. It fails before writing when the shape does not
// hold exactly len(data) elements.
func WriteNPY(w io.Writer, shape []int, data []float32) error {
	if err := checkShape(shape, len(data)); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	if _, err := w.Write(npyHeader("<f4", shape)); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	buf := make([]byte, 0, 1<<15) // in pieces: no second copy of a large tensor
	for i, v := range data {
		buf = binary.LittleEndian.AppendUint32(buf, math.Float32bits(v))
		if len(buf) == cap(buf) || i == len(data)-1 {
			if _, err := w.Write(buf); err != nil {
				return fmt.Errorf("npy: %w", err)
			}
			buf = buf[:0]
		}
	}
	return nil
}

// WriteNPYArray is [WriteNPY] for any element type but bfloat16, which NumPy
// does not have. The name is not written.
func WriteNPYArray(w io.Writer, a Array) error {
	if err := a.check(); err != nil {
		return fmt.Errorf("npy: %w", err)
	}
	descr, err := npyDescr(a.DType)
	if err != nil {
		return fmt.Errorf("npy: array %q: %w", a.Name, err)
	}
	if _, err := w.Write(npyHeader(descr, a.Shape)); err != nil {
		return fmt.Errorf("npy: array %q: %w", a.Name, err)
	}
	if _, err := w.Write(a.Data); err != nil {
		return fmt.Errorf("npy: array %q: %w", a.Name, err)
	}
	return nil
}

// npyDescr returns the type code NumPy writes: '|' where byte order means
// nothing, '<' for little-endian.
func npyDescr(d DType) (string, error) {
	info, err := d.info()
	if err != nil {
		return "", err
	}
	switch {
	case info.npy == "":
		return "", fmt.Errorf("NumPy has no %s: convert it with Float32 first", d)
	case info.size == 1:
		return "|" + info.npy, nil
	}
	return "<" + info.npy, nil
}

func npyHeader(descr string, shape []int) []byte {
	var dims strings.Builder
	for i, d := range shape {
		if i > 0 {
			dims.WriteString(", ")
		}
		dims.WriteString(strconv.Itoa(d))
	}
	if len(shape) == 1 {
		dims.WriteByte(',') // (3,) is a tuple, (3) a number
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, &dims)
	const before = len(npyMagic) + 4
	total := (before + len(dict) + 1 + 63) / 64 * 64
	out := make([]byte, 0, total)
	out = append(out, npyMagic...)
	out = append(out, 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(total-before))
	out = append(out, dict...)
	for len(out) < total-1 {
		out = append(out, ' ')
	}
	return append(out, '\n')
}

// ReadNPY reads one array and nothing beyond it. Every plain element type reads
// bit for bit; big-endian and Fortran-ordered files are turned into little-endian
// C order. Text, dates, structured and pickled object arrays are refused with an
// error that names the type and what to save instead. The array's Name is empty.
func ReadNPY(r io.Reader) (Array, error) {
	a, err := readNPY(r)
	if err != nil {
		return Array{}, fmt.Errorf("npy: %w", err)
	}
	return a, nil
}

func readNPY(r io.Reader) (Array, error) {
	text, err := readNPYHeader(r)
	if err != nil {
		return Array{}, err
	}
	header, err := parseNPYHeader(text)
	if err != nil {
		return Array{}, fmt.Errorf("header %.200q: %w", text, err)
	}
	info, swapped, err := parseDescr(header.descr)
	if err != nil {
		return Array{}, err
	}
	n, err := byteLen(header.shape, info.size)
	if err != nil {
		return Array{}, err
	}
	data, err := readExactly(r, n)
	if err != nil {
		return Array{}, fmt.Errorf("data of shape %v %s: %w", header.shape, info.dtype, err)
	}
	if swapped {
		swapBytes(data, info.part)
	}
	if header.fortran {
		data = toCOrder(data, header.shape, info.size)
	}
	return Array{Shape: header.shape, DType: info.dtype, Data: data}, nil
}

// readNPYHeader returns the text of the header dict.
func readNPYHeader(r io.Reader) (string, error) {
	start, err := readExactly(r, len(npyMagic)+2)
	if err != nil {
		return "", fmt.Errorf("magic and version: %w", err)
	}
	if string(start[:len(npyMagic)]) != npyMagic {
		return "", fmt.Errorf("starts with %q, not %q: not a .npy file", start[:len(npyMagic)], npyMagic)
	}
	major := start[len(npyMagic)]
	width := 4
	switch major {
	case 1:
		width = 2
	case 2, 3:
	default:
		return "", fmt.Errorf("format version %d.%d, known are 1.0, 2.0 and 3.0", major, start[len(npyMagic)+1])
	}
	length := make([]byte, 4)
	if _, err := io.ReadFull(r, length[:width]); err != nil {
		return "", errors.New("truncated in the length of the header")
	}
	n := binary.LittleEndian.Uint32(length)
	if n > maxNPYHeader {
		return "", fmt.Errorf("header of %d bytes, at most %d are allowed", n, maxNPYHeader)
	}
	header, err := readExactly(r, int(n))
	if err != nil {
		return "", fmt.Errorf("header: %w", err)
	}
	return string(header), nil
}

// swapBytes reverses each group of size bytes in place.
func swapBytes(data []byte, size int) {
	for i := 0; i+size <= len(data); i += size {
		for a, b := i, i+size-1; a < b; a, b = a+1, b-1 {
			data[a], data[b] = data[b], data[a]
		}
	}
}

// toCOrder returns Fortran-ordered elements (first index fastest) in C order.
func toCOrder(data []byte, shape []int, size int) []byte {
	out := make([]byte, len(data))
	index := make([]int, len(shape))
	for from := 0; from < len(data); from += size {
		to := 0
		for i, d := range shape {
			to = to*d + index[i]
		}
		copy(out[to*size:(to+1)*size], data[from:from+size])
		for i := range index {
			if index[i]++; index[i] < shape[i] {
				break
			}
			index[i] = 0
		}
	}
	return out
}
