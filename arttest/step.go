package arttest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/record"
)

// step is a step of the recipe with what became of it.
type step struct {
	Stepper
	plan   Plan
	checks []checks.Check
	needs  []*step
	call   fingerprint.Call // of Step
	seeds  int              // that its checks ask for, 0 for that of the recipe
	own    int              // the first of the checks, which the step brought itself

	print   fingerprint.Print
	sum     string // of the print, "" as long as there is none
	unknown error  // why there is none
	reused  string // the run that its result was taken from
	chose   bool   // it judged itself on the way

	compared bool // with the last run in which it passed, in a message

	state    state
	reason   string
	stack    string // of the panic that broke it
	stopped  bool   // it broke because the test is to end: by a signal, by the deadline
	cause    string // of being skipped: what the first need of its needs did
	verdicts []record.Verdict
	duration time.Duration
}

// state is what became of a step. It is our own book: what t.Run returns says
// nothing about steps that were skipped or filtered out.
type state int

const (
	waiting state = iota // not asked for, or filtered out by -run
	running
	passed
	failed  // a check failed
	broken  // an error or a panic ended it
	skipped // what it needs did not pass
)

func (s state) String() string {
	return [...]string{"was not run", "is running", "passed", "failed", "broke", "was skipped"}[s]
}

// became is what became of a step, in words.
func (st *step) became() string {
	if st.stopped {
		return "was stopped"
	}
	return st.state.String()
}

func (s state) outcome() record.Outcome {
	return map[state]record.Outcome{passed: record.Passed, failed: record.Failed, broken: record.Broken, skipped: record.Skipped}[s]
}

// Step adds a step to the recipe and runs it as a subtest, with its own checks
// and the given ones. It fails the test at once when the step cannot be part of the
// recipe: a name that is taken, a check of something it never measures.
func Step(r *R, s Stepper, more ...checks.Check) {
	r.t.Helper()
	st, err := r.add(s, more)
	if err != nil {
		r.t.Fatal(r.marks.plain("arttest.Step: " + withStack(err)))
	}
	st.call = fingerprint.Caller(0)
	selected := false
	r.t.Run(st.plan.Name, func(t *testing.T) {
		t.Helper()
		selected = true
		r.perform(t, st)
	})
	if !selected && r.settings.failFast && r.t.Failed() {
		st.state, st.cause = skipped, "an earlier failure ended the test (-failfast)"
	}
}

// perform runs a step in its subtest: what it needs first, if -run left that out.
func (r *R) perform(t *testing.T, st *step) {
	t.Helper()
	dir := r.artifactDir(t)
	if !r.satisfy(t, st) {
		r.skip(st)
		r.attach(t, st, dir)
		if t.Failed() { // what it needs ran, and failed, in this very test
			t.Fatal("not run: " + st.reason)
		}
		t.Skip(st.reason)
	}
	if !r.takeOver(t, st) {
		r.execute(t, st)
	}
	r.report(t, st)
	r.attach(t, st, dir)
}

// skip records that a step is not run.
func (r *R) skip(st *step) {
	st.state = skipped
	r.emit(record.Event{Kind: record.StepStart, Step: st.plan.Name, Model: st.plan.Model, Settings: st.plan.Settings})
	r.emit(record.Event{Kind: record.StepEnd, Step: st.plan.Name, Outcome: record.Skipped, Text: st.reason})
}

// satisfy makes sure that what st needs has passed, and runs what -run left
// out. When it has not, st.reason says why.
func (r *R) satisfy(t *testing.T, st *step) bool {
	t.Helper()
	var reasons []string
	for _, need := range st.needs {
		if need.state == waiting {
			r.performInline(t, need)
		}
		if need.state == passed || need.plan.Options.ContinueOnFailure && (need.state == failed || need.state == broken) {
			continue
		}
		if need.state == skipped && len(reasons) > 0 {
			continue // the cause is named already
		}
		reason := fmt.Sprintf("%s, which %s", need.plan.Name, need.became())
		cause := fmt.Sprintf("%s %s", need.plan.Name, need.became())
		if need.state == skipped && need.cause != "" {
			cause = need.cause
			reason += " because " + cause
		}
		reasons = append(reasons, reason)
		st.cause = or(st.cause, cause)
	}
	if len(reasons) > 0 {
		st.reason = "needs " + strings.Join(reasons, ", and ")
	}
	return len(reasons) == 0
}

// performInline runs a step that -run left out within the subtest of one that
// needs it. Its failures are that subtest's.
func (r *R) performInline(t *testing.T, st *step) {
	t.Helper()
	if !r.satisfy(t, st) {
		r.skip(st)
		return
	}
	if !r.takeOver(t, st) {
		r.say(t, st.plan.Name+" is needed here but left out by -run or -skip, so it runs first")
		r.execute(t, st)
	}
	r.reportInline(t, st)
}
