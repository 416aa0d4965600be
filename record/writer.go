package record

import (
	"bytes"
	"fmt"
	"io"
)

// maxHeld is how much a Writer keeps, in bytes, while its destination fails.
const maxHeld = 1 << 20

// Writer writes events as lines of an event file. It is a [Sink]; it assigns
// neither numbers nor times, a [Stamp] does. Every event is one call of Write.
//
// Lines are never broken by a destination that fails: what a failed Write did
// not take is kept, in order, and goes first with the next event, until 1 MiB is
// kept; from then on events are lost, and each error names the one that is.
type Writer struct {
	w     io.Writer
	begun bool
	held  []byte
}

// NewWriter returns a Writer whose first line carries the schema.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Emit writes the event. It returns an error if the event cannot be written as
// a line (the next ones can), or if the destination fails.
func (w *Writer) Emit(e Event) error {
	if len(w.held) >= maxHeld {
		if err := w.Flush(); err != nil && len(w.held) >= maxHeld {
			return fmt.Errorf("record: event %d (%s) is lost: %w", e.Seq, e.Kind, err)
		}
	}
	schema := 0
	if !w.begun {
		schema = Schema
	}
	line, err := appendLine(w.held, schema, &e)
	w.held = line
	if err != nil {
		return err
	}
	w.begun = true
	return w.Flush()
}

// Flush writes what failed writes left behind. A file is whole if the last
// Emit or Flush returned nil.
func (w *Writer) Flush() error {
	if len(w.held) == 0 {
		return nil
	}
	n, err := w.w.Write(w.held)
	if n < len(w.held) && err == nil {
		err = io.ErrShortWrite
	}
	rest := w.held[max(0, min(n, len(w.held))):]
	w.held = w.held[:copy(w.held, rest)]
	if len(w.held) == 0 && cap(w.held) > maxHeld {
		w.held = nil
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("record: events waiting to be written: %d: %w", bytes.Count(w.held, []byte("\n")), err)
}
