package main

import (
	"fmt"
	"io"
	"time"
)

// progress prints a line for each piece of work, with the time left. Work is
// counted in the seconds it was expected to take.
type progress struct {
	out     io.Writer
	now     func() time.Time
	begin   time.Time
	planned float64
	done    float64
}

func newProgress(out io.Writer, now func() time.Time) *progress {
	return &progress{out: out, now: now, begin: now()}
}

// plan adds work that is to come.
func (p *progress) plan(seconds float64) { p.planned += seconds }

// finish counts work that was planned and says what came of it.
func (p *progress) finish(seconds float64, format string, args ...any) {
	p.done += seconds
	left := "?"
	if p.done > 0 {
		passed := p.now().Sub(p.begin).Seconds()
		rest := max(0, p.planned-p.done) / p.done * passed
		left = (time.Duration(rest) * time.Second).String()
	}
	p.say("%3.0f%% · %s left · %s\n", 100*p.done/max(p.planned, p.done, 1e-9), left, fmt.Sprintf(format, args...))
}

// note says something between.
func (p *progress) note(format string, args ...any) {
	p.say("     "+format+"\n", args...)
}

func (p *progress) say(format string, args ...any) {
	fmt.Fprintf(p.out, format, args...) //nolint:errcheck // without a terminal there is nobody to tell
}
