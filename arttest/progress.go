package arttest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// progress shows long work: a line that is redrawn on the terminal, if the
// process has one; without one, a plain line from time to time.
type progress struct {
	t       *testing.T
	title   string
	started time.Time
	shown   time.Time
	every   time.Duration
	tty     *os.File
	quiet   bool
	drawn   bool

	done, total int
	note        string
}

const (
	redraw    = 100 * time.Millisecond
	plainLine = 15 * time.Second
	patience  = time.Second // work shorter than this shows nothing
)

// newProgress does not open the terminal yet: most steps end before they need it.
func newProgress(t *testing.T, r *R, step string) *progress {
	now := time.Now()
	return &progress{t: t, title: r.recipe.Name + "/" + step, started: now, shown: now, every: patience, quiet: r.settings.quiet}
}

// update is cheap between two drawings: it reads the clock.
func (p *progress) update(done, total int, note string) {
	p.done, p.total, p.note = done, total, note
	now := time.Now()
	if p.quiet || now.Sub(p.shown) < p.every {
		return
	}
	if p.every == patience {
		p.open()
	}
	p.shown = now
	line := p.line(now)
	if p.tty != nil {
		fmt.Fprintf(p.tty, "\r\x1b[K%s", line)
		p.drawn = true
		return
	}
	if now.Sub(p.started) >= plainLine {
		fmt.Fprintln(p.t.Output(), line)
	}
}

// open finds the terminal. go test hands the test a pipe, so it is asked for by
// name; CI machines have none.
func (p *progress) open() {
	p.every = plainLine
	if os.Getenv("CI") != "" || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return
	}
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		p.tty, p.every = tty, redraw
	}
}

// end removes the line from the terminal.
func (p *progress) end() {
	if p.tty == nil {
		return
	}
	if p.drawn {
		fmt.Fprint(p.tty, "\r\x1b[K")
	}
	p.tty.Close()
	p.tty, p.quiet = nil, true
}

func (p *progress) line(now time.Time) string {
	const width = 20
	passed := now.Sub(p.started)
	rate := float64(p.done) / passed.Seconds()
	parts := []string{p.title}
	if p.total > 0 {
		filled := min(width*p.done/p.total, width)
		parts = append(parts, fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("#", filled), strings.Repeat(".", width-filled), 100*p.done/p.total))
	}
	parts = append(parts, fmt.Sprintf("%d it", p.done), fmt.Sprintf("%.0f it/s", rate))
	if p.note != "" {
		parts = append(parts, p.note)
	}
	if p.total > p.done && rate > 0 {
		left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second)).Round(time.Second)
		parts = append(parts, fmt.Sprintf("%d:%02d left", int(left.Minutes()), int(left.Seconds())%60))
	}
	return strings.Join(parts, "  ")
}

// position says how far the work came.
func (p *progress) position() string {
	if p.done == 0 {
		return ""
	}
	return fmt.Sprintf("at iteration %d", p.done)
}
