package record

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Sink takes events in, one after the other, from one goroutine. What is
// passed belongs to the sink only until Emit returns, unless it copies. A sink
// that may be slow buffers for itself. After an error the caller may go on
// emitting; the sink says what it lost.
//
// A sink that must be closed also implements io.Closer.
type Sink interface {
	Emit(Event) error
}

// SinkFunc is a function as a sink.
type SinkFunc func(Event) error

// Emit calls f.
func (f SinkFunc) Emit(e Event) error { return f(e) }

// Discard takes events in and forgets them.
var Discard Sink = SinkFunc(func(Event) error { return nil })

// Tee sends every event to all sinks, in order, whatever errors some return.
// Closing it closes those that can be closed.
func Tee(sinks ...Sink) Sink { return &tee{sinks: slices.Clone(sinks)} }

type tee struct {
	sinks  []Sink
	closed bool
}

func (t *tee) Emit(e Event) error {
	if t.closed {
		return fmt.Errorf("record: event %d (%s): the sinks are closed: %w", e.Seq, e.Kind, os.ErrClosed)
	}
	var errs []error
	for _, s := range t.sinks {
		if err := s.Emit(e); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (t *tee) Close() error {
	if t.closed {
		return nil
	}
	t.closed = true
	var errs []error
	for _, s := range t.sinks {
		if c, ok := s.(io.Closer); ok {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}
