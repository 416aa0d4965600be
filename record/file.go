package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// File is the event file of a run: a [Sink] that must be closed. One process
// at a time may have it open for writing; others may read it as it grows.
//
// When Emit returns nil, the event is with the operating system: killing the
// process at any moment, even while it writes, loses none, and leaves at most
// the torn end of the one being written. Nothing is forced to the disk before
// Close, so a power cut may cost the last seconds.
type File struct {
	f   *os.File
	w   *Writer
	seq int64
}

// Create makes a new event file. It is an error if the path exists.
func Create(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("record: %w: a run has its own file; Append goes on with this one", err)
	}
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return &File{f: f, w: NewWriter(f)}, nil
}

// Append opens the event file of a run that was killed, cuts off its torn end,
// and goes on after its last event. It is an error if the file does not exist,
// or if its first or last line is not an event that this version writes.
func Append(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	last, err := repair(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("record: going on with %s: %w", path, err), f.Close())
	}
	return &File{f: f, w: NewWriter(f), seq: last.Seq}, nil
}

// Seq is the number of the last event that was in the file when it was opened,
// 0 if there was none. A [Stamp] goes on from it.
func (f *File) Seq() int64 { return f.seq }

// Emit appends the event.
func (f *File) Emit(e Event) error {
	if f.f == nil {
		return fmt.Errorf("record: event %d (%s): the event file is closed: %w", e.Seq, e.Kind, os.ErrClosed)
	}
	return f.w.Emit(e)
}

// Close writes what is left, forces the file to the disk and closes it. A second call does
// nothing.
func (f *File) Close() error {
	if f.f == nil {
		return nil
	}
	err := errors.Join(f.w.Flush(), f.f.Sync(), f.f.Close())
	f.f = nil
	if err != nil {
		return fmt.Errorf("record: closing the event file: %w", err)
	}
	return nil
}

// repair cuts the file after its last newline and returns the last event.
func repair(f *os.File) (last Event, err error) {
	if _, err := NewReader(f).Next(); err != nil && !errors.Is(err, io.EOF) {
		return last, err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return last, err
	}
	end, err := newlineBefore(f, size)
	if err != nil {
		return last, err
	}
	if end > 0 {
		if last, err = lineBefore(f, end-1); err != nil {
			return last, err
		}
	}
	if end < size {
		err = f.Truncate(end)
	}
	return last, err
}

// lineBefore decodes the line whose newline is at the given offset.
func lineBefore(f *os.File, end int64) (e Event, err error) {
	start, err := newlineBefore(f, end)
	if err != nil {
		return e, err
	}
	line := make([]byte, end-start)
	if _, err := f.ReadAt(line, start); err != nil {
		return e, err
	}
	var d decoder
	if e, _, err = d.event(line); err != nil {
		return e, fmt.Errorf("its last line: %w, in: %s", err, short(line))
	}
	return e, nil
}

// newlineBefore returns the offset after the last newline before the given
// offset, 0 if there is none within the length of a line.
func newlineBefore(f *os.File, end int64) (int64, error) {
	block := make([]byte, 64<<10)
	for at := end; at > 0; {
		n := min(at, int64(len(block)))
		at -= n
		if _, err := f.ReadAt(block[:n], at); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(block[:n], '\n'); i >= 0 {
			return at + int64(i) + 1, nil
		}
		if end-at > 2*MaxLine {
			return 0, fmt.Errorf("it has a line longer than record.MaxLine, %d bytes: is this an event file?", MaxLine)
		}
	}
	return 0, nil
}
