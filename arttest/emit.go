package arttest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/actually-robust-training/art/record"
)

// emit records an event of the run or of a step as a whole. It returns whatever a
// logger does.
func (r *R) emit(e record.Event) {
	r.mu.Lock()
	r.record(e)
	r.mu.Unlock()
	r.patiently(r.deliver)
}

// record stamps an event, folds it, writes it and queues it for the loggers; r.mu is
// held. It never waits for anybody, so that what happened is known and kept
// whatever becomes of the loggers.
func (r *R) record(e record.Event) {
	if r.closed {
		return
	}
	r.seq++
	e.Seq, e.Time = r.seq, time.Now()
	_ = r.run.Emit(e) // a fold takes every event
	r.lost.add(r.dir.events.Emit(e))
	if len(r.loggers) > 0 {
		r.queue = append(r.queue, e)
	}
}

// failures counts errors.
type failures struct {
	n      int
	first  error
	strict bool // one of them is to fail the test
}

// strict is an error of a logger that was asked to fail the test with its troubles.
type strict interface {
	error
	Strict() bool
}

func (f *failures) add(err error) {
	if err == nil {
		return
	}
	if f.n++; f.first == nil {
		f.first = err
	}
	var s strict
	if errors.As(err, &s) && s.Strict() {
		f.strict = true
	}
}

func (f failures) String() string {
	return fmt.Sprintf("%s, the first: %v", count(f.n, "error"), f.first)
}

// troubled notes that a logger broke, and ends the running step, by way of its
// context: on most goroutines a panic would end the process. r.mu is held.
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

// takeTrouble returns what broke since it was last asked.
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
	r.prints.reader = nil // the test may outlive the recipe, and the source is not needed any more
	if err := r.takeTrouble(); err != nil {
		r.t.Error(r.marks.plain(withStack(err)))
	}
	r.mu.Lock()
	defer r.mu.Unlock() // a logger that was given up may return yet
	if r.lost.n > 0 {
		r.t.Error(r.marks.plain("the run is not recorded whole: " + r.lost.String()))
	}
	for _, l := range r.loggers {
		switch {
		case l.strict:
			r.t.Error(r.marks.plain(fmt.Sprintf("%s is strict: %s", l.name, l.failures)))
		case l.n > 0:
			r.say(r.t, fmt.Sprintf("%s %s: %s", r.marks.warn, l.name, l.failures))
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

// close closes the event file and the loggers; what is recorded after it is
// dropped.
func (r *R) close() {
	r.mu.Lock()
	r.closed = true
	r.lost.add(r.dir.events.Close())
	r.mu.Unlock()
	r.patiently(r.closeLoggers)
}
