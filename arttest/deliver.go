package arttest

import (
	"fmt"
	"io"
	"time"

	"github.com/actually-robust-training/art/record"
)

// logger is a sink of the recipe with what became of it.
type logger struct {
	record.Sink
	name     string
	dead     bool // it panicked; whoever has r.turn may look
	failures      // guarded by r.mu
}

// deliver hands waiting events to the loggers, in order, from one goroutine at a
// time. It returns when none is waiting: then the caller's has been delivered,
// if by another goroutine.
func (r *R) deliver() {
	if len(r.loggers) == 0 {
		return
	}
	r.turn.Lock()
	defer r.turn.Unlock()
	for {
		r.mu.Lock()
		if r.hung || len(r.queue) == 0 {
			r.mu.Unlock()
			return
		}
		e := r.queue[0]
		r.queue = r.queue[:copy(r.queue, r.queue[1:])]
		r.mu.Unlock()
		for _, l := range r.loggers {
			r.call(l, "Emit", func() error { return l.Emit(e) })
		}
	}
}

// closeLoggers closes those that can be closed.
func (r *R) closeLoggers() {
	r.turn.Lock()
	defer r.turn.Unlock()
	for _, l := range r.loggers {
		if c, ok := l.Sink.(io.Closer); ok {
			l.dead = false // one that panicked may have something to give back
			r.call(l, "Close", c.Close)
		}
	}
}

// call calls a method of a logger; r.turn is held. Its error is counted. A logger
// that panics, or ends its goroutine, gets no more events.
func (r *R) call(l *logger, name string, method func() error) {
	if l.dead {
		return
	}
	r.mu.Lock()
	r.calling = name + " of the " + l.name
	r.mu.Unlock()
	err := errEnded
	defer func() { // also when the goroutine ends
		if err == nil {
			return
		}
		l.dead = true
		r.mu.Lock()
		r.troubled(fmt.Errorf("%s of the %s broke: %w", name, l.name, err))
		r.mu.Unlock()
	}()
	var failure error
	err = guard(func() error { failure = method(); return nil })
	if failure != nil {
		r.mu.Lock()
		l.add(failure)
		r.mu.Unlock()
	}
}

// patiently calls loggers on a goroutine of their own, and gives all of them up
// when one does not return.
func (r *R) patiently(f func()) {
	r.mu.Lock()
	hung := r.hung
	r.mu.Unlock()
	if hung || len(r.loggers) == 0 {
		return
	}
	patience := time.NewTimer(r.patience())
	defer patience.Stop()
	select {
	case err := <-begin(func() error { f(); return nil }):
		if err != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.troubled(err)
		}
	case <-patience.C:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.hung = true
		r.troubled(fmt.Errorf("%s does not return: a logger that may be slow must buffer for itself", r.calling))
	}
}

// patience is how long the recipe waits for a logger between steps: a minute, if
// there is one.
func (r *R) patience() time.Duration {
	p := time.Minute
	if interrupted.err() != nil {
		p = time.Second
	}
	if deadline, ok := r.t.Deadline(); ok {
		p = min(p, max(time.Until(deadline)/4, 50*time.Millisecond))
	}
	return p
}
