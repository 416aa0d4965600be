package datasets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"

	"github.com/actually-robust-training/art/train"
)

// IDX is a data set in two files of the format of MNIST, which may be gzip: big
// endian, a magic number that gives type and number of axes, the axes, the
// elements. Files are kept in memory as they are, one byte a pixel.
type IDX struct {
	// Images is the path of the inputs: [rows, …]. Pictures, [rows, height,
	// width], become [1, height, width]. Bytes are divided by 255.
	Images string
	// Labels is the path of the class ids: [rows].
	Labels string
	// Classes names the classes. Default: "0", "1", … up to the highest label.
	Classes []string
	// Name of the set. Default: the name of the images' file.
	Name string
}

// Load reads both files. Labels out of range, NaN, lengths that disagree and
// files that are cut short are errors that name file and row.
func (x IDX) Load() (Set, error) {
	var images, labels idxArray
	for _, f := range []struct {
		path string
		to   *idxArray
	}{{x.Images, &images}, {x.Labels, &labels}} {
		err := open(f.path, func(r io.Reader) (err error) {
			*f.to, err = readIDX(r)
			return err
		})
		if err != nil {
			return Set{}, err
		}
	}
	if x.Name == "" {
		x.Name = filepath.Base(x.Images)
	}
	if err := x.check(images, labels); err != nil {
		return Set{}, err
	}
	if x.Classes == nil {
		x.Classes = numbered(labels)
	}
	for row := range labels.shape[0] {
		if v := labels.at(row); v < 0 || int(v) >= len(x.Classes) || v != float32(math.Trunc(float64(v))) {
			return Set{}, fmt.Errorf("%s: row %d: label %v is out of range: there are %d classes, 0 to %d",
				x.Labels, row, v, len(x.Classes), len(x.Classes)-1)
		}
	}
	shape := images.shape[1:]
	if len(shape) == 2 {
		shape = []int{1, shape[0], shape[1]}
	}
	size := train.Size(shape)
	return Set{
		Name: x.Name, Rows: images.shape[0], Shape: shape, Classes: x.Classes,
		class: func(row int) int { return int(labels.at(row)) },
		Read: func(_ train.Pass, row int, inputs, targets []float32) error {
			for i := range inputs {
				inputs[i] = images.at(row*size + i)
				if images.kind == idxByte {
					inputs[i] /= 255
				}
			}
			targets[0] = labels.at(row)
			return nil
		},
	}, nil
}

func (x IDX) check(images, labels idxArray) error {
	switch {
	case len(images.shape) < 2:
		return fmt.Errorf("%s: the images have %d axes: [rows, …] is needed", x.Images, len(images.shape))
	case len(labels.shape) != 1:
		return fmt.Errorf("%s: the labels have %d axes, not one: are the two files swapped?", x.Labels, len(labels.shape))
	case images.shape[0] != labels.shape[0]:
		return fmt.Errorf("%s has %d images but %s has %d labels: take both from one data set", x.Images, images.shape[0], x.Labels, labels.shape[0])
	case images.len() == 0:
		return fmt.Errorf("%s: %w: the axes are %v", x.Images, ErrNoExamples, images.shape)
	}
	if images.kind != idxFloat && images.kind != idxDouble {
		return nil
	}
	for i := range images.len() {
		if v := images.at(i); !finite(v) {
			size := train.Size(images.shape[1:])
			return fmt.Errorf("%s: row %d: value %d is %v: a number is needed", x.Images, i/size, i%size, v)
		}
	}
	return nil
}

// maxClasses bounds the ids that are taken for classes without being named.
const maxClasses = 1 << 16

// numbered names classes by their numbers, up to the highest label.
func numbered(labels idxArray) []string {
	highest := 0
	for i := range labels.len() {
		if v := labels.at(i); v >= 0 && v < maxClasses {
			highest = max(highest, int(v))
		}
	}
	return numbers(highest + 1)
}

// numbers is "0", "1", … n names.
func numbers(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}

// The element types of the format.
const (
	idxByte   = 0x08
	idxInt8   = 0x09
	idxInt16  = 0x0b
	idxInt32  = 0x0c
	idxFloat  = 0x0d
	idxDouble = 0x0e
)

// idxArray is a file in memory: elements as they are stored.
type idxArray struct {
	kind  byte
	shape []int
	raw   []byte
}

func (a idxArray) len() int { return len(a.raw) / idxSize(a.kind) }

// at is element i as float32.
func (a idxArray) at(i int) float32 {
	switch a.kind {
	case idxByte:
		return float32(a.raw[i])
	case idxInt8:
		return float32(int8(a.raw[i]))
	case idxInt16:
		return float32(int16(binary.BigEndian.Uint16(a.raw[2*i:])))
	case idxInt32:
		return float32(int32(binary.BigEndian.Uint32(a.raw[4*i:])))
	case idxFloat:
		return math.Float32frombits(binary.BigEndian.Uint32(a.raw[4*i:]))
	}
	return float32(math.Float64frombits(binary.BigEndian.Uint64(a.raw[8*i:])))
}

// idxSize is the number of bytes of an element, 0 for a type that does not exist.
func idxSize(kind byte) int {
	return map[byte]int{idxByte: 1, idxInt8: 1, idxInt16: 2, idxInt32: 4, idxFloat: 4, idxDouble: 8}[kind]
}

// readIDX reads a whole file. Memory grows with the bytes that arrive: axes are
// claims until then.
func readIDX(r io.Reader) (idxArray, error) {
	var header [4]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return idxArray{}, short("the magic number", err)
	}
	size := idxSize(header[2])
	if header[0] != 0 || header[1] != 0 || size == 0 || header[3] == 0 {
		return idxArray{}, fmt.Errorf("this is no idx file: the magic number is %#08x; %#08x for images and %#08x for labels are usual",
			binary.BigEndian.Uint32(header[:]), 0x803, 0x801)
	}
	a := idxArray{kind: header[2]}
	want := int64(size)
	for i := range header[3] {
		var axis [4]byte
		if _, err := io.ReadFull(r, axis[:]); err != nil {
			return idxArray{}, short(fmt.Sprintf("axis %d", i), err)
		}
		n := int64(binary.BigEndian.Uint32(axis[:]))
		if n > math.MaxInt32 || n > 0 && want > math.MaxInt64/n {
			return idxArray{}, fmt.Errorf("axis %d claims %d elements: the file is damaged", i, n)
		}
		a.shape, want = append(a.shape, int(n)), want*n
	}
	var content bytes.Buffer
	got, err := io.CopyN(&content, r, want)
	if err != nil && !errors.Is(err, io.EOF) {
		return idxArray{}, err
	}
	if got < want {
		row := want / int64(max(a.shape[0], 1))
		return idxArray{}, fmt.Errorf("the file ends early, in row %d: shape %v needs %d bytes, there are %d: fetch it again", got/max(row, 1), a.shape, want, got)
	}
	if n, _ := io.ReadFull(r, header[:1]); n != 0 {
		return idxArray{}, fmt.Errorf("there are more bytes than shape %v needs: the file is damaged", a.shape)
	}
	a.raw = content.Bytes()
	return a, nil
}

// short explains a header that is cut off.
func short(what string, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("the file ends before %s", what)
	}
	return fmt.Errorf("the file ends before %s: %w", what, err)
}
