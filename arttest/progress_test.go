package arttest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// screen is a terminal of memory; after fail it takes nothing.
type screen struct {
	bytes.Buffer
	fail   bool
	closed bool
}

func (s *screen) Write(b []byte) (int, error) {
	if s.fail {
		return 0, errors.New("gone")
	}
	return s.Buffer.Write(b)
}

func (s *screen) Close() error { s.closed = true; return nil }

// watched is a progress with a clock that the test moves.
func watched(s *screen) (p *progress, out *bytes.Buffer, wait func(time.Duration)) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	out = &bytes.Buffer{}
	p = &progress{title: "iris/overfit", out: out, now: func() time.Time { return now }, plain: func(s string) string { return s },
		started: now, shown: now, every: patience}
	p.terminal = func() io.WriteCloser {
		if s == nil {
			return nil
		}
		return s
	}
	return p, out, func(d time.Duration) { now = now.Add(d) }
}

func TestProgressOnTerminal(t *testing.T) {
	s := &screen{}
	p, out, wait := watched(s)
	p.update(1, 100, "")
	wait(patience - 1)
	p.update(2, 100, "")
	assert.Empty(t, s.String(), "short work shows nothing")
	wait(1)
	p.update(25, 100, "loss 0.2")
	assert.Equal(t, "\r\x1b[Kiris/overfit  [#####...............]  25%  25 it  25 it/s  0:03 left  loss 0.2", s.String())
	s.Reset()
	wait(redraw - 1)
	p.update(26, 100, "")
	assert.Empty(t, s.String(), "not so often")
	wait(1)
	p.update(27, 100, "a note\rwith a\x1b[31m trick, long enough to fill the line of a terminal and more")
	assert.Len(t, []rune(strings.TrimPrefix(s.String(), "\r\x1b[K")), lineWidth)
	assert.NotContains(t, s.String()[3:], "\x1b")
	assert.NotContains(t, s.String()[3:], "\r")
	s.Reset()
	p.end()
	assert.Equal(t, "\r\x1b[K", s.String())
	assert.True(t, s.closed)
	wait(time.Hour)
	p.update(99, 100, "late")
	assert.Equal(t, "\r\x1b[K", s.String(), "nothing after the end")
	assert.Empty(t, out.String(), "nothing in the test's output")
	assert.Equal(t, ", after 99 of 100 iterations", p.position())
}

func TestProgressWithoutTerminal(t *testing.T) {
	p, out, wait := watched(nil)
	for range 14 {
		wait(time.Second)
		p.update(1, 0, "")
	}
	assert.Empty(t, out.String(), "nothing for a while")
	wait(time.Second)
	p.update(30, 0, "")
	wait(time.Second)
	p.update(32, 0, "")
	assert.Equal(t, "iris/overfit  30 it  2 it/s\n", out.String())
	wait(plainLine)
	p.update(200, 100, "more than planned")
	assert.Equal(t, "iris/overfit  [####################] 100%  200 it  6 it/s  more than planned\n", strings.SplitAfter(out.String(), "\n")[1])
	p.end()
	assert.Equal(t, ", after 200 of 100 iterations", p.position())
}

func TestProgressQuiet(t *testing.T) {
	s := &screen{}
	p, out, wait := watched(s)
	p.quiet = true
	wait(time.Hour)
	p.update(3, 0, "")
	p.end()
	assert.Empty(t, s.String()+out.String())
	assert.Equal(t, ", after 3 iterations", p.position())
}

// A terminal that goes away, or is held, ends the drawing and not the work.
func TestProgressTerminalGone(t *testing.T) {
	s := &screen{fail: true}
	p, _, wait := watched(s)
	wait(time.Minute)
	p.update(3, 9, "")
	s.fail = false
	wait(time.Minute)
	p.update(4, 9, "")
	p.end()
	assert.Empty(t, s.String())
	assert.True(t, s.closed)
}

func TestFindTerminal(t *testing.T) {
	for _, env := range [][2]string{{"CI", "true"}, {"TERM", "dumb"}, {"TERM", ""}} {
		t.Run(env[0]+"="+env[1], func(t *testing.T) {
			t.Setenv("CI", "")
			t.Setenv("TERM", "xterm")
			t.Setenv(env[0], env[1])
			assert.Nil(t, findTerminal())
		})
	}
}

// Several seeds at once are one line, as long as all of them together.
func TestProgressOfSeeds(t *testing.T) {
	s := &screen{}
	p, _, wait := watched(s)
	p.update(10, 10, "")
	report := p.share([]*seedRun{{seed: 8}, {seed: 9}, {seed: 10}})
	wait(patience)
	report(1, 5, 10, "")
	assert.Equal(t, "\r\x1b[Kiris/overfit  [#######.............]  37%  15 it  15 it/s  0:02 left  seed 9", s.String())
	report(0, 30, 10, "") // more than planned
	report(1, 10, 10, "")
	report(2, 0, 0, "no total")
	assert.Equal(t, ", after 30 of 40 iterations", p.position())
	p, _, _ = watched(s)
	p.share([]*seedRun{{seed: 8}})(0, 1, 1, "") // of a step that showed nothing
	assert.Empty(t, p.position())
}
