package arttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// execute runs a step and judges it. Whatever happens, the step ends with a
// state, and what it did is recorded.
func (r *R) execute(t *testing.T, st *step) {
	start := time.Now()
	st.state = running
	scope := &Scope{r: r, step: st, t: t, progress: newProgress(t, r, st.plan.Name)}
	err := guard(func() error {
		r.emit(record.Event{Kind: record.StepStart, Step: st.plan.Name, Model: st.plan.Model, Settings: st.plan.Settings})
		return nil
	})
	if err == nil {
		ctx, limit, cancel := stepContext(t)
		err = r.await(ctx, limit, st, scope)
		cancel()
	}
	scope.progress.end()
	if err != nil {
		st.state, st.reason = broken, err.Error()
		errors.As(err, &st.panicked)
	} else {
		r.judge(st)
	}
	st.duration = time.Since(start)
	if err := guard(func() error {
		r.emit(record.Event{Kind: record.StepEnd, Step: st.plan.Name, Outcome: st.state.outcome(), Text: st.reason, Duration: st.duration})
		return nil
	}); err != nil && st.state != broken {
		st.state, st.reason = broken, err.Error()
		errors.As(err, &st.panicked)
	}
}

// await runs the step on a goroutine of its own, so that a step that ends its
// goroutine, or does not heed its context, ends neither the test nor the
// report. limit is closed when a step that was told to stop has had its time.
func (r *R) await(ctx context.Context, limit <-chan struct{}, st *step, scope *Scope) error {
	done := make(chan error, 1)
	go func() {
		err := errors.New("the step ended its goroutine (t.FailNow or runtime.Goexit); return an error instead")
		defer func() { done <- err }()
		err = guard(func() error { return st.Run(ctx, scope) })
	}()
	select {
	case err := <-done:
		return err
	case <-limit:
		scope.abandon()
		return fmt.Errorf("%w; the step did not heed its context and was left behind%s", context.Cause(ctx), scope.position())
	}
}

// stepContext is done when the test is interrupted or its deadline is near,
// with a cause that says so. limit is closed some time after it.
func stepContext(t *testing.T) (ctx context.Context, limit <-chan struct{}, cancel func()) {
	ctx, stop := context.WithCancelCause(t.Context())
	grace := 5 * time.Second
	timers := []*time.Timer{}
	if deadline, ok := t.Deadline(); ok {
		left := time.Until(deadline)
		grace = min(max(left/20, 100*time.Millisecond), 10*time.Second)
		timers = append(timers, time.AfterFunc(left-2*grace, func() {
			stop(fmt.Errorf("the deadline of the test is %v away; raise -timeout", (2 * grace).Round(100*time.Millisecond)))
		}))
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	over := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals) // a second one kills at once
			stop(fmt.Errorf("interrupted (%v)", s))
		case <-ctx.Done():
		}
	}()
	context.AfterFunc(ctx, func() { time.AfterFunc(grace, func() { close(over) }) })
	return ctx, over, func() {
		signal.Stop(signals)
		for _, timer := range timers {
			timer.Stop()
		}
		stop(context.Canceled)
	}
}

// judge runs all checks of a step, none hiding another.
func (r *R) judge(st *step) {
	st.state = passed
	if r.settings.short {
		return
	}
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
		if err := guard(func() error {
			r.emit(record.Event{Kind: record.Judged, Step: st.plan.Name, Verdict: &v})
			return nil
		}); err != nil {
			st.state, st.reason = broken, err.Error()
			return
		}
	}
}

// verdict is what a check says; its panic is a failure.
func verdict(c checks.Check, s *record.StepRun) (v record.Verdict) {
	err := guard(func() error { v = c.Run(s); return nil })
	if err != nil {
		v = record.Verdict{Check: c.Name, Mark: record.Fail, Trouble: "the check itself broke: " + err.Error()}
		if p := (*train.PanicError)(nil); errors.As(err, &p) {
			v.Evidence = []string{string(p.Stack)}
		}
	}
	return v
}

// guard turns a panic of f into an error.
func guard(f func() error) (err error) {
	defer func() {
		if caught := train.Caught(recover()); caught != nil {
			err = caught
		}
	}()
	return f()
}
