package arttest

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/actually-robust-training/art/checks"
)

// progress shows long work: a line that is redrawn on the terminal, if the
// process has one; without one, a plain line from time to time.
type progress struct {
	title    string
	out      io.Writer             // for plain lines
	terminal func() io.WriteCloser // opens the terminal, nil if there is none
	now      func() time.Time
	plain    func(string) string

	mu      sync.Mutex // a step left behind may still report
	started time.Time
	shown   time.Time
	every   time.Duration // between two drawings
	screen  io.WriteCloser
	drawn   bool
	quiet   bool

	done, total int
	note        string
}

const (
	redraw    = 100 * time.Millisecond
	plainLine = 15 * time.Second
	patience  = time.Second // work shorter than this shows nothing
	lineWidth = 79          // a longer line would wrap, and its beginning would stay
)

// newProgress does not open the terminal yet: most steps end before they need it.
func newProgress(out io.Writer, r *R, step string) *progress {
	now := time.Now()
	return &progress{
		title: r.recipe.Name + "/" + step, out: out, terminal: findTerminal, now: time.Now, plain: r.marks.plain,
		started: now, shown: now, every: patience, quiet: r.settings.quiet,
	}
}

// update is cheap between two drawings: it reads the clock.
func (p *progress) update(done, total int, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total, p.note = done, total, note
	if p.quiet {
		return
	}
	now := p.now()
	if now.Sub(p.shown) < p.every {
		return
	}
	if p.every == patience {
		p.every = plainLine
		if p.screen = p.terminal(); p.screen != nil {
			p.every = redraw
		}
	}
	if p.screen == nil {
		if now.Sub(p.started) >= plainLine {
			p.shown = now
			_, _ = fmt.Fprintln(p.out, p.line(now))
		}
		return
	}
	p.shown = now
	line := []rune(p.line(now))
	if _, err := fmt.Fprintf(p.screen, "\r\x1b[K%s", string(line[:min(len(line), lineWidth)])); err != nil {
		p.quiet = true // a terminal that went away, or that takes nothing
		return
	}
	p.drawn = true
}

// findTerminal asks for the terminal by name, for go test hands the test a
// pipe. CI machines have none, whatever they pretend.
func findTerminal() io.WriteCloser {
	if os.Getenv("CI") != "" || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" {
		return nil
	}
	return openTerminal()
}

// end removes the line from the terminal. Nothing is shown after it.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.quiet = true
	if p.screen == nil {
		return
	}
	if p.drawn {
		_, _ = fmt.Fprint(p.screen, "\r\x1b[K") // if the terminal is gone, so is the line
	}
	_ = p.screen.Close()
	p.screen = nil
}

func (p *progress) line(now time.Time) string {
	const width = 20
	passed := now.Sub(p.started)
	rate := float64(p.done) / passed.Seconds()
	parts := []string{p.title}
	if p.total > 0 {
		done := min(max(p.done, 0), p.total)
		filled := width * done / p.total
		parts = append(parts, fmt.Sprintf("[%s%s] %3d%%", strings.Repeat("#", filled), strings.Repeat(".", width-filled), 100*done/p.total))
	}
	parts = append(parts, fmt.Sprintf("%d it", p.done), fmt.Sprintf("%.0f it/s", rate))
	if p.total > p.done && rate > 0 {
		left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second)).Round(time.Second)
		parts = append(parts, fmt.Sprintf("%d:%02d left", int(left.Minutes()), int(left.Seconds())%60))
	}
	if p.note != "" { // the last, for it may not fit
		parts = append(parts, p.note)
	}
	return p.plain(strings.Map(printable, strings.Join(parts, "  ")))
}

// printable keeps a note from moving the cursor.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// position says how far the work came.
func (p *progress) position() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.done == 0:
		return ""
	case p.total > 0:
		return fmt.Sprintf(", after %d of %d iterations", p.done, p.total)
	}
	return fmt.Sprintf(", after %d iterations", p.done)
}

// share lets several trials, of which each is about as long as what was shown so
// far, report side by side.
func (p *progress) share(trials []*seedRun) func(i, done, total int, note string) {
	p.mu.Lock()
	before, each := p.done, p.total
	p.mu.Unlock()
	var mu sync.Mutex
	shares := make([]float64, len(trials))
	one := max(before, each) // iterations
	return func(i, done, total int, note string) {
		mu.Lock()
		defer mu.Unlock()
		if total > 0 {
			shares[i] = min(float64(done)/float64(total), 1)
		}
		sum := 1.
		for _, share := range shares {
			sum += share
		}
		p.update(int(sum*float64(one)), one*(len(trials)+1), strings.TrimSpace(checks.SeedTrial(trials[i].seed)+"  "+note))
	}
}
