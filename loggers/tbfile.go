package loggers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/actually-robust-training/art/record"
)

// tbFile is one TensorBoard event file: records of TensorFlow, each a protocol
// buffer with its length and two checksums. Every record is written at once, so
// a kill leaves at most one torn record at the end, which TensorBoard passes
// over.
type tbFile struct {
	f      *os.File
	end    int64 // where the next record goes
	value  []byte
	event  []byte
	framed []byte
	count  int64
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum as records have it.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// createTB makes a file in dir that no other process has.
func createTB(dir string, e *record.Event) (*tbFile, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		name := fmt.Sprintf("events.out.tfevents.%010d.art.%d", int64(seconds(e)), n)
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		t := &tbFile{f: f}
		version := protoString(protoDouble(nil, 1, seconds(e)), 3, "brain.Event:2") // Event.wall_time, file_version
		if err := t.frame(version); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return t, nil
	}
}

// write appends an event with the given Summary.Value.
func (t *tbFile) write(e *record.Event, step int64, value []byte) error {
	t.value = value // its memory is used again
	b := protoDouble(t.event[:0], 1, seconds(e))
	b = protoInt(b, 2, step) // Event.step
	head := len(b)
	b = protoBytes(b, 1, value) // Summary.value, to learn its length
	size := len(b) - head
	b = binary.AppendUvarint(protoKey(b[:head], 5, wireBytes), uint64(size)) // Event.summary
	t.event = protoBytes(b, 1, value)
	return t.frame(t.event)
}

// frame appends a record. What a failed write left is written over.
func (t *tbFile) frame(data []byte) error {
	b := binary.LittleEndian.AppendUint64(t.framed[:0], uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, data...)
	t.framed = binary.LittleEndian.AppendUint32(b, masked(data))
	if _, err := t.f.WriteAt(t.framed, t.end); err != nil {
		return errors.Join(err, t.f.Truncate(t.end))
	}
	t.end += int64(len(t.framed))
	return nil
}
