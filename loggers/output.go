package loggers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/actually-robust-training/art/record"
)

// output is the destination of a logger that writes text: a writer that was
// given, or a file that it opens.
type output struct {
	w      io.Writer
	file   *os.File
	half   []byte // what is left of a line that a failed write began
	closed bool
	err    error
}

// open returns where to write: w if there is one, else the file at path, which
// is added to. The first error stays.
func (o *output) open(w io.Writer, path string) (io.Writer, error) {
	switch {
	case o.closed:
		return nil, os.ErrClosed
	case o.err != nil || o.w != nil:
	case w != nil:
		o.w = w
	case path == "":
		o.err = errors.New("it has no destination: set its Path or W")
	default:
		if o.err = os.MkdirAll(filepath.Dir(path), 0o755); o.err == nil {
			o.file, o.err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o644)
		}
		o.w = o.file
	}
	return o.w, o.err
}

// write writes a line. If only its beginning can be written, the rest goes
// before the next line, so that no line is broken.
func (o *output) write(line []byte) error {
	half := len(o.half)
	if half > 0 {
		line = append(o.half, line...)
	}
	n, err := o.w.Write(line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	switch {
	case err == nil || n == half:
		o.half = nil
	case n < half:
		o.half = bytes.Clone(line[max(n, 0):half])
	default:
		o.half = bytes.Clone(line[min(n, len(line)):])
	}
	return err
}

// close closes the file, if it was opened here.
func (o *output) close() error {
	if o.closed {
		return nil
	}
	o.closed = true
	if o.file == nil {
		return nil
	}
	return o.file.Close()
}

// lost is the error for an event that a logger could not keep.
func lost(logger string, e *record.Event, err error) error {
	return fmt.Errorf("%s: event %d (%s %q of step %q): %w", logger, e.Seq, e.Kind, e.Name, e.Step, err)
}
