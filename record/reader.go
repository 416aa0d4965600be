package record

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// Reader reads the events that a [Writer] or a [File] wrote, of this version
// of the schema or an older one. Whatever it is given, it holds no more than a
// few times [MaxLine] in memory.
//
// Fields that the version does not know are skipped. Empty lists and maps are
// written as nil ones are, not at all. Times are in UTC.
type Reader struct {
	r      *bufio.Reader
	d      decoder
	line   int
	offset int64
	rest   bool
	torn   int
	err    error
}

// NewReader returns a Reader of an event file from its beginning.
func NewReader(r io.Reader) *Reader {
	return &Reader{r: bufio.NewReaderSize(r, 64<<10)}
}

// NewRestReader returns a Reader of an event file from the beginning of any of
// its lines, which need not say the schema: where an earlier Reader's Offset was.
// Offset and the numbers of lines count from there.
func NewRestReader(r io.Reader) *Reader {
	reader := NewReader(r)
	reader.rest = true
	return reader
}

// Offset is the number of bytes of the whole lines that were read.
func (r *Reader) Offset() int64 { return r.offset }

// Next returns the next event, and [io.EOF] after the last whole one. An error
// names the line and why it cannot be read; every later call returns it again.
func (r *Reader) Next() (Event, error) {
	if r.err != nil {
		return Event{}, r.err
	}
	line, err := r.next()
	if err == nil {
		var e Event
		if e, err = r.decode(line); err == nil {
			r.offset += int64(len(line)) + 1
			return e, nil
		}
	}
	if !errors.Is(err, io.EOF) {
		err = fmt.Errorf("record: line %d: %w", r.line, err)
	}
	r.err = err
	return Event{}, err
}

// Torn is the number of bytes after the last newline: the beginning of an
// event that was being written when the process was killed. It is known once
// Next has returned [io.EOF].
func (r *Reader) Torn() int { return r.torn }

// All returns the events that are left. After an error, which comes with the
// zero event, it ends.
func (r *Reader) All() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := r.Next()
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// Fold reads an event file into a Run. On error it returns what came before.
func Fold(from io.Reader) (*Run, error) {
	run := &Run{}
	for e, err := range NewReader(from).All() {
		if err != nil {
			return run, err
		}
		if err := run.Emit(e); err != nil {
			return run, err
		}
	}
	return run, nil
}

// next returns the next whole line without its newline, valid until the next
// call.
func (r *Reader) next() ([]byte, error) {
	r.line++
	line, err := r.r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) && len(long) <= MaxLine {
			line, err = r.r.ReadSlice('\n')
			long = append(long, line...)
		}
		line = long
	}
	if len(bytes.TrimSuffix(line, []byte("\n"))) > MaxLine {
		return nil, fmt.Errorf("it is longer than the %d bytes of record.MaxLine: is this an event file?", MaxLine)
	}
	if errors.Is(err, io.EOF) {
		r.torn = len(line)
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return line[:len(line)-1], nil
}

func (r *Reader) decode(line []byte) (Event, error) {
	e, schema, err := r.d.event(line)
	switch {
	case schema > Schema:
		return e, fmt.Errorf("schema %d is newer than %d, the newest that this version of the project reads: update it", schema, Schema)
	case err != nil:
		return e, fmt.Errorf("%w, in: %s", err, short(line))
	case schema < 0, schema == 0 && r.line == 1 && !r.rest:
		return e, fmt.Errorf(`it has no "schema" from 1 to %d: is this an event file?`, Schema)
	}
	return e, nil
}
