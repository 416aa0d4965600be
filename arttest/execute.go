package arttest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// execute runs a step and judges it. Whatever happens, the step ends with a
// state, and what it did is recorded.
func (r *R) execute(t *testing.T, st *step) {
	start := time.Now()
	st.state = running
	scope := &Scope{r: r, step: st, t: t, progress: newProgress(t.Output(), r, st.plan.Name)}
	r.emit(record.Event{Kind: record.StepStart, Step: st.plan.Name, Model: st.plan.Model, Settings: st.plan.Settings})
	if err := guard(func() error { return r.await(t, st, scope) }); err != nil {
		st.breaks(err)
	} else {
		r.judge(st)
	}
	st.duration = time.Since(start)
	r.emit(record.Event{Kind: record.StepEnd, Step: st.plan.Name, Outcome: st.state.outcome(), Text: st.reason, Duration: st.duration})
	if err := r.takeTrouble(); err != nil && st.state == broken {
		st.reason += "; " + err.Error()
	} else if err != nil {
		st.breaks(err)
	}
	r.remember(t, st)
	if st.state == passed || st.state == failed {
		r.history.forget(st.sum)
	}
}

func (st *step) breaks(err error) {
	st.state, st.reason, st.stack = broken, fmt.Sprint(err), stackOf(err) // Sprint, for a method Error that panics
	st.stopped = errors.Is(err, errStopped)
}

// await runs the step on a goroutine of its own, so that a step that ends its
// goroutine, or does not heed its context, ends neither the test nor the
// report. What it reports after this is dropped.
func (r *R) await(t *testing.T, st *step, scope *Scope) error {
	if err := interrupted.err(); err != nil {
		return fmt.Errorf("not begun: %w", err)
	}
	ctx, limit, cancel := stepContext(t)
	defer cancel(context.Canceled)
	defer scope.progress.end()
	defer scope.end()
	r.onTrouble(cancel)
	defer r.onTrouble(nil)
	if trouble := r.takeTrouble(); trouble != nil {
		return trouble
	}
	select {
	case err := <-begin(func() error {
		if err := st.Run(ctx, scope); err != nil || ctx.Err() != nil {
			return err
		}
		return scope.runSeeds(ctx)
	}):
		if trouble := r.takeTrouble(); trouble != nil {
			return trouble
		}
		if cause := context.Cause(ctx); cause != nil && (err == nil || errors.Is(err, context.Canceled)) {
			// A step that returns nil or ctx.Err() does not say what stopped it,
			// and must not be judged by half of its work.
			return fmt.Errorf("%w%s", cause, scope.progress.position())
		}
		return err
	case <-limit:
		return fmt.Errorf("%w%s; it did not heed its context and was left behind", context.Cause(ctx), scope.progress.position())
	}
}

// stepContext is done when the test is interrupted or its deadline is near,
// with a cause that says so. limit is closed when a step that was told to stop
// has had time to do so.
func stepContext(t *testing.T) (ctx context.Context, limit <-chan struct{}, cancel context.CancelCauseFunc) {
	ctx, stop := context.WithCancelCause(t.Context())
	unwatch := interrupted.watch(ctx, stop)
	grace, timer := 5*time.Second, (*time.Timer)(nil)
	if deadline, ok := t.Deadline(); ok {
		left := time.Until(deadline)
		// A twentieth, but of a short time more: the disk alone may take that long.
		grace = max(min(max(left/20, min(left/4, time.Second)), 10*time.Second), 50*time.Millisecond)
		timer = time.AfterFunc(left-2*grace, func() {
			away := max(0, time.Until(deadline)).Round(100 * time.Millisecond)
			stop(stopError(fmt.Sprintf("stopped, because the deadline of the test is only %v away: raise -timeout", away)))
		})
	}
	over := make(chan struct{})
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, func() { close(over) }) })
	return ctx, over, func(cause error) {
		unwatch()
		if timer != nil {
			timer.Stop()
		}
		stop(cause)
	}
}

// judge runs all checks of a step, none hiding another.
func (r *R) judge(st *step) {
	st.state = passed
	if r.settings.short {
		return
	}
	r.recall(st)
	s := r.run.Step(st.plan.Name)
	for _, c := range st.checks {
		v := verdict(c, s)
		if v.Mark == record.Fail {
			st.state = failed
			if st.reason != "" {
				st.reason += ", "
			}
			st.reason += v.Check
		}
		st.verdicts = append(st.verdicts, v)
		r.emit(record.Event{Kind: record.Judged, Step: st.plan.Name, Verdict: &v})
	}
}

// verdict is what a check says; its panic is a failure.
func verdict(c checks.Check, s *record.StepRun) record.Verdict {
	var v record.Verdict
	err := contain(func() error { v = c.Run(s); return nil })
	if err == nil {
		return v
	}
	v = record.Verdict{Check: c.Name, Claim: or(c.Claim, words(c.Name)), Mark: record.Fail, Trouble: "the check itself broke: " + err.Error()}
	if stack := stackOf(err); stack != "" {
		v.Evidence = []string{stack}
	}
	return v
}

// errStopped is what stopErrors are.
var errStopped = errors.New("stopped")

// stopError says why a step was told to stop before its end.
type stopError string

func (e stopError) Error() string        { return string(e) }
func (e stopError) Is(target error) bool { return target == errStopped }
