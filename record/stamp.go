package record

import (
	"io"
	"time"
)

// Stamp numbers the events of a run, gives them the time, and hands them to a
// sink. A run has one, in front of all its sinks, so that all see the same.
type Stamp struct {
	Sink Sink
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Seq is the number of the last event: 0 for a new run, that of
	// [File.Seq] to go on with one.
	Seq int64
}

// Emit sets Seq and Time. The number is used up even if the sink fails: the
// event happened, and a gap shows that it was lost.
func (s *Stamp) Emit(e Event) error {
	now := s.Now
	if now == nil {
		now = time.Now
	}
	s.Seq++
	e.Seq, e.Time = s.Seq, now()
	return s.Sink.Emit(e)
}

// Close closes the sink if it can be closed.
func (s *Stamp) Close() error {
	if c, ok := s.Sink.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
