package arttest

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/actually-robust-training/art/record"
)

// sink is a logger with what became of it.
type sink struct {
	record.Sink
	name   string
	errors int
	first  error
	dead   bool // it panicked
}

// emit records an event of the run or of a step as a whole. It returns whatever a
// logger does.
func (r *R) emit(e record.Event) {
	err := contain(func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.send(e)
		return nil
	})
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.troubled(fmt.Errorf("a logger of the recipe broke: %w", err))
	}
}

// send stamps an event and hands it to all sinks; r.mu is held. Errors of a sink
// are counted. A panic ends the running step, by way of its context: send may have
// been called from any goroutine, and on most of them a panic would end the process.
func (r *R) send(e record.Event) {
	if r.closed {
		return
	}
	r.seq++
	e.Seq, e.Time = r.seq, time.Now()
	for i := range r.sinks {
		s := &r.sinks[i]
		if s.dead {
			continue
		}
		err := guard(func() error { s.fails(s.Emit(e)); return nil })
		if err != nil {
			s.dead = true
			r.troubled(fmt.Errorf("the %s broke: %w", s.name, err))
		}
	}
}

func (s *sink) fails(err error) {
	if err == nil {
		return
	}
	if s.errors++; s.first == nil {
		s.first = err
	}
}

// troubled notes the panic of a sink; r.mu is held.
func (r *R) troubled(err error) {
	if r.trouble == nil {
		r.trouble = err
	}
	if r.stop != nil {
		r.stop(err)
	}
}

// onTrouble says what ends the running step; nil for none.
func (r *R) onTrouble(stop context.CancelCauseFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop = stop
}

// takeTrouble returns the panic of a sink since it was last asked.
func (r *R) takeTrouble() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.trouble
	r.trouble = nil
	return err
}

// finish closes the run: summary, manifest, sinks.
func (r *R) finish() {
	r.t.Helper()
	outcome := record.Passed
	switch {
	case unwinding():
		outcome = record.Broken
	case r.t.Failed():
		outcome = record.Failed
	case r.t.Skipped():
		outcome = record.Skipped
	}
	r.emit(record.Event{Kind: record.RunEnd, Outcome: outcome, Duration: time.Since(r.started)})
	r.say(r.t, r.summary())
	r.close()
	if err := r.takeTrouble(); err != nil {
		r.t.Error(r.marks.plain(withStack(err)))
	}
	for _, s := range r.sinks {
		if s.first == nil {
			continue
		}
		message := fmt.Sprintf("%s: %s, the first: %v", s.name, count(s.errors, "error"), s.first)
		if s.Sink == record.Sink(r.dir.events) {
			r.t.Error(r.marks.plain("the run is not recorded whole: " + message))
		} else {
			r.say(r.t, r.marks.warn+" "+message)
		}
	}
	if err := r.dir.writeManifest(&r.run); err != nil {
		r.t.Errorf("the manifest of the run: %v", err)
	}
}

// unwinding reports whether a panic is ending the test. When its cleanups run,
// the test does not know that yet.
func unwinding() bool {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	for {
		f, more := frames.Next()
		if f.Function == "runtime.gopanic" {
			return true
		}
		if !more {
			return false
		}
	}
}

// close closes the sinks; what is recorded after it is dropped.
func (r *R) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for i := range r.sinks {
		s := &r.sinks[i]
		c, ok := s.Sink.(io.Closer)
		if !ok {
			continue
		}
		if err := contain(func() error { s.fails(c.Close()); return nil }); err != nil {
			r.troubled(fmt.Errorf("the %s broke when it was closed: %w", s.name, err))
		}
	}
}
