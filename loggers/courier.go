package loggers

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/actually-robust-training/art/record"
)

// courier is what loggers that send to a server have in common. Emit appends
// to a spool on disk; a goroutine of its own sends.
type courier struct {
	name   string // for messages: "MLflow at http://localhost:5000"
	spool  spool
	file   *spoolFile
	linger time.Duration
	grace  time.Duration
	// eager is true if the first events are not to wait for more.
	eager bool

	wake    chan struct{}
	closing chan struct{}
	done    chan struct{}
	closed  bool
	cancel  context.CancelFunc
	sender  sender
	err     error // why sending ended early; written before done is closed
}

const (
	defaultLinger = time.Second
	defaultGrace  = 10 * time.Second
)

// start opens the spool and begins to send. A logger fills in the name, the
// spool, and linger and grace if they differ.
func (c *courier) start(to destination, fresh position) error {
	file, err := c.spool.open(fresh)
	if err != nil {
		return err
	}
	if c.linger == 0 {
		c.linger = defaultLinger
	}
	if c.grace == 0 {
		c.grace = defaultGrace
	}
	c.file = file
	c.wake, c.closing, c.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
	c.sender.spool, c.sender.to, c.sender.closing = c.spool, to, c.closing
	if c.sender.shortest == 0 {
		c.sender.patience = patience{shortest: shortestWait, longest: longestWait}
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	go func() {
		defer close(c.done)
		defer func() {
			if r := recover(); r != nil {
				c.err = fmt.Errorf("a fault of this project: %v\n%s", r, debug.Stack())
			}
		}()
		c.err = c.send(ctx)
	}()
	return nil
}

// Emit never waits for the server.
func (c *courier) Emit(e record.Event) error {
	if err := c.file.Emit(e); err != nil {
		return lost(c.name, &e, err)
	}
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return nil
}

// send is the goroutine: it lets events gather for a while, sends them, and at
// the end sends the rest.
func (c *courier) send(ctx context.Context) error {
	if err := c.sender.begin(ctx, true); err != nil {
		return err
	}
	var pulse <-chan time.Time
	heart, beats := c.sender.to.(beater)
	if beats {
		ticker := time.NewTicker(heart.pulse())
		defer ticker.Stop()
		pulse = ticker.C
	}
	for {
		last, linger := false, c.linger
		if c.eager {
			c.eager, linger = false, 0
		}
		select {
		case <-pulse:
			heart.beat(ctx, c.sender.at)
			continue
		case <-c.wake:
			select {
			case <-time.After(linger):
			case <-c.closing:
				last = true
			}
		case <-c.closing:
			last = true
		}
		if err := c.sender.drain(ctx, last); err != nil || last {
			return err
		}
	}
}

// Close sends what is left, for no longer than the grace. Its error says in one
// line what the server does not have.
func (c *courier) Close() error {
	if c.closed {
		return nil
	}
	c.closed = true
	err := c.file.Close()
	close(c.closing)
	timer := time.AfterFunc(c.grace, c.cancel)
	<-c.done
	timer.Stop()
	c.cancel()
	return errors.Join(err, c.report(), c.sender.end())
}

// report is called while the sender still holds the lock, so that the spool
// can be removed if nothing is left to send.
func (c *courier) report() error {
	at := c.sender.at
	if c.sender.file == nil {
		if there, err := c.spool.load(); err == nil {
			at = there
		}
	}
	all, waiting, err := c.spool.count(at.Sent)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	dir := filepath.Dir(c.spool.events)
	if waiting > 0 {
		return fmt.Errorf("%s does not have %d of %d events (%w): they are kept in %s, and art sync sends them", c.name, waiting, all, c.reason(), dir)
	}
	if at.Refused > 0 {
		err = fmt.Errorf("%s refused %d of %d events: they are kept in %s, with the reasons", c.name, at.Refused, all, dir)
	}
	if c.sender.file != nil {
		err = errors.Join(err, c.spool.clear())
	}
	return err
}

func (c *courier) reason() error {
	if c.err != nil {
		return c.err
	}
	return errors.New("there was not enough time")
}

// fingerprint tells apart loggers of one kind in one run.
func fingerprint(target map[string]string) string {
	var all []byte
	for name, value := range sorted(target) {
		all = fmt.Appendf(all, "%q=%q;", name, value)
	}
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(all))
}
