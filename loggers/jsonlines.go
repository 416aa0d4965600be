package loggers

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/actually-robust-training/art/record"
)

// JSONLines writes every event, whole, as a line of the format of package
// record. Its file holds one run after the other, each from its run-start to
// its run-end.
type JSONLines struct {
	// W is written to; nil means the file at Path.
	W io.Writer
	// Path of the file, which is made or added to; its torn end, if a process
	// was killed, is cut off.
	Path string

	sink   record.Sink
	file   *record.File
	closed bool
	err    error
}

// Emit writes the event.
func (j *JSONLines) Emit(e record.Event) error {
	if j.closed {
		return lost("JSON lines", &e, os.ErrClosed)
	}
	if j.sink == nil && j.err == nil {
		j.err = j.open()
	}
	if j.err != nil {
		return lost("JSON lines", &e, j.err)
	}
	return j.sink.Emit(e)
}

func (j *JSONLines) open() (err error) {
	switch {
	case j.W != nil:
		j.sink = record.NewWriter(j.W)
		return nil
	case j.Path == "":
		return errors.New("it has no destination: set its Path or W")
	}
	if err := os.MkdirAll(filepath.Dir(j.Path), 0o755); err != nil {
		return err
	}
	if j.file, err = record.Create(j.Path); errors.Is(err, fs.ErrExist) {
		j.file, err = record.Append(j.Path)
	}
	j.sink = j.file
	return err
}

// Close closes the file.
func (j *JSONLines) Close() error {
	j.closed = true
	if j.file == nil {
		return nil
	}
	return j.file.Close()
}
