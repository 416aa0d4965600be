package loggers

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

// destination is a server that takes events.
type destination interface {
	// deliver returns nil when the server has all events. They may be sent again
	// after an error, and after a kill at any moment, always the same ones in one
	// call; again says that an earlier call may have had some success. It must not
	// make the server count anything twice. P.Remote is kept with the position.
	deliver(ctx context.Context, p *position, events []record.Event, again bool) error
}

// preparer is a destination that must know what the server calls the run before
// it sends anything. What it leaves in p.Remote is kept before the first delivery.
type preparer interface {
	prepare(ctx context.Context, p *position) error
}

// divider is a destination that wants some events in one delivery, or no others
// after them.
type divider interface {
	// bounds are the most that one delivery may have.
	bounds() bounds
	// divide returns how many of the events to deliver at once. None means to wait
	// for more, and is not an answer when no more will come.
	divide(events []record.Event, last bool) int
}

// beater is a destination that wants to hear, now and then, that the process is
// there. Nothing comes of an error.
type beater interface {
	beat(ctx context.Context, p position)
	pulse() time.Duration
}

// besider is a destination that keeps a file beside the spool for as long as that is
// there; path is that of the spool, without its ending.
type besider interface{ beside(path string) }

// someRefused is the error of a server that has taken all events but some, which
// are named by their places, with the reasons.
type someRefused map[int]error

func (s someRefused) Error() string { return fmt.Sprintf("%d events were refused", len(s)) }

// refusal is the error of a server that will never take the events.
type refusal struct{ err error }

func (r refusal) Error() string { return r.err.Error() }
func (r refusal) Unwrap() error { return r.err }

// hopeless is the error of a server that will take nothing from this process:
// a wrong key, an unknown address.
type hopeless struct{ err error }

func (h hopeless) Error() string { return h.err.Error() }
func (h hopeless) Unwrap() error { return h.err }

// later is the error of a server that says when to come back. All other errors
// are taken for troubles that pass.
type later struct {
	err   error
	after time.Duration
}

func (l later) Error() string { return l.err.Error() }
func (l later) Unwrap() error { return l.err }

// sender sends a spool to a destination. It belongs to one goroutine, and to
// the process that holds the lock of the spool.
type sender struct {
	spool   spool
	to      destination
	file    *os.File
	at      position
	again   bool // what lies between Sent and Trying may have arrived
	refused *record.File
	patience
	random *rand.Rand
	// closing is closed when there is no more time to wait for larger batches.
	closing <-chan struct{}
}

// patience says how a sender waits for a server.
type patience struct {
	// shortest and longest are the bounds of the wait between two attempts,
	// which doubles.
	shortest, longest time.Duration
	// attempts is how often a batch is tried; 0 is without end.
	attempts int
}

const (
	shortestWait = 500 * time.Millisecond
	longestWait  = time.Minute
)

// begin takes the lock, waiting for it, and finds out how far things are.
func (s *sender) begin(ctx context.Context, wait bool) error {
	for {
		file, busy, err := s.spool.lock()
		if err != nil {
			return err
		}
		if !busy {
			s.file = file
			break
		}
		if !wait {
			return errBusy
		}
		if _, ended := s.sleep(ctx, s.shortest); ended != nil {
			return errBusy
		}
	}
	if b, keeps := s.to.(besider); keeps {
		b.beside(strings.TrimSuffix(s.spool.events, eventsSuffix))
	}
	at, err := s.spool.load()
	if err != nil {
		return err
	}
	s.at, s.again = at, at.Trying > at.Sent
	// So that many processes that lost their server do not come back as one.
	s.random = rand.New(rand.NewPCG(uint64(crc32.ChecksumIEEE([]byte(at.Run))), uint64(os.Getpid())))
	return nil
}

var errBusy = errors.New("another process is sending it")

func (s *sender) end() error {
	var errs []error
	if s.refused != nil {
		errs = append(errs, s.refused.Close())
	}
	if s.file != nil {
		errs = append(errs, s.file.Close())
	}
	return errors.Join(errs...)
}

// drain sends what there is: everything if all is true, else full batches and
// one that is not.
func (s *sender) drain(ctx context.Context, all bool) error {
	most := batchBounds
	way, divides := s.to.(divider)
	if divides {
		most = way.bounds()
	}
	for {
		b, err := read(s.file, s.at.Sent, s.at.Trying, most)
		if err != nil || len(b.events) == 0 {
			return err
		}
		full, cut := b.full(), false
		if divides && s.at.Trying <= s.at.Sent {
			n := way.divide(b.events, all && !full)
			if n == 0 && full {
				n = len(b.events) // it will not get better
			}
			cut = n < len(b.events)
			if b = b.first(n); n == 0 {
				return nil
			}
		}
		if err := s.send(ctx, b); err != nil {
			return err
		}
		if !all && !full && !cut {
			return nil
		}
	}
}

// send delivers a batch, however often it has to be tried, and moves on. It
// gives up when the context ends, there is no hope, or patience.
func (s *sender) send(ctx context.Context, b batch) error {
	var trouble error
	wait := s.shortest
	for attempt := 1; ; attempt++ {
		err := s.try(ctx, b)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil || trouble == nil {
			trouble = err // an attempt that was cut short says less than the one before
		}
		var no hopeless
		if errors.As(err, &no) || attempt == s.attempts {
			return trouble
		}
		pause := wait
		var after later
		if errors.As(err, &after) {
			pause = max(after.after, pause)
		}
		woken, ended := s.sleep(ctx, time.Duration(float64(pause)*(0.8+0.4*s.random.Float64())))
		if ended != nil {
			return trouble
		}
		if wait = min(2*wait, s.longest); woken {
			wait = s.shortest
		}
	}
}

// try makes one attempt. The position says what is about to be sent before
// anything is, and that it arrived after.
func (s *sender) try(ctx context.Context, b batch) error {
	p := s.at
	if first, ok := s.to.(preparer); ok && p.Remote == nil {
		if err := first.prepare(ctx, &p); err != nil {
			return err
		}
	}
	if s.at.Remote == nil && p.Remote != nil || p.Trying != b.end {
		p.Trying = b.end
		if err := s.spool.save(p); err != nil {
			return err
		}
		s.at = p
	}
	again, before := s.again, maps.Clone(s.at.Remote)
	s.again = true
	if err := s.deliver(ctx, b.events, again); err != nil {
		s.at.Remote = before // the whole batch comes again
		return err
	}
	s.at.Sent, s.again = b.end, false
	// If this fails, another process would send the batch again, and say so.
	_ = s.spool.save(s.at)
	return nil
}

// deliver halves what is refused until it knows which events are, and puts
// those aside.
func (s *sender) deliver(ctx context.Context, events []record.Event, again bool) error {
	err := s.to.deliver(ctx, &s.at, events, again)
	var some someRefused
	if errors.As(err, &some) {
		for _, i := range slices.Sorted(maps.Keys(some)) {
			if err := s.refuse(events[i], some[i]); err != nil {
				return err
			}
		}
		return nil
	}
	var no refusal
	if !errors.As(err, &no) {
		return err
	}
	if len(events) == 1 {
		return s.refuse(events[0], err)
	}
	half := len(events) / 2
	if err := s.deliver(ctx, events[:half], again); err != nil {
		return err
	}
	return s.deliver(ctx, events[half:], again)
}

// refuse keeps an event that the server will never take, with the reason, in a
// file beside the spool.
func (s *sender) refuse(e record.Event, reason error) (err error) {
	path := strings.TrimSuffix(s.spool.events, eventsSuffix) + ".refused" + eventsSuffix
	if s.refused == nil {
		if s.refused, err = record.Create(path); errors.Is(err, fs.ErrExist) {
			s.refused, err = record.Append(path)
		}
		if err != nil {
			s.refused = nil
			return err
		}
	}
	why := record.Event{Seq: e.Seq, Time: e.Time, Kind: record.Text, Step: e.Step, Name: "refused", Text: reason.Error()}
	for _, e := range []record.Event{why, e} {
		if err := s.refused.Emit(e); err != nil {
			return err
		}
	}
	s.at.Refused++
	return nil
}

// sleep waits, but not while the logger is being closed: the first wait that
// closing meets ends at once, woken.
func (s *sender) sleep(ctx context.Context, d time.Duration) (woken bool, ended error) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
		s.closing, woken = nil, true
	case <-ctx.Done():
		ended = ctx.Err()
	}
	return woken, ended
}
