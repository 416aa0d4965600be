package arttest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// Train runs a training loop that survives the end of its process. From time to
// time it keeps a checkpoint; when the same step, with the same fingerprint, did
// not end in an earlier run, however it was stopped, the loop goes on from there
// to the same bits: weights, optimizer, and what was recorded so far come from
// that run. Steps of package steps train so, and yours may.
//
// Name tells apart the loops of a step; it may be empty. What callbacks and
// decorators of the loop remember from iteration to iteration and the result
// depends on is handed in as pointers, which package encoding/gob can write. What
// only shows something, such as a decorator's plot, begins anew.
//
// A checkpoint is kept when what has passed since the last one is 50 times what that
// cost, and 2 seconds at least, so that all of them cost less than 2 %; when the
// context is done; and when train.State.Keep asks for one. There is none in
// dry runs, of learners that are no train.Stater, and of steps without a fingerprint.
func (s *Scope) Train(ctx context.Context, name string, l *train.Loop, memory ...any) (train.Result, error) {
	s.loops++
	stater, ok := l.Learner.(train.Stater)
	if !ok || s.seed != nil || s.step.sum == "" || s.Dry() || l.Start > 0 {
		return l.Run(ctx)
	}
	file := fmt.Sprintf("%d-%s.safetensors", s.loops, or(checks.Slug(name), "training"))
	k := &keeper{
		scope: s, learner: l.Learner, stater: stater, memory: memory, last: time.Now(), wait: leastWait,
		file: filepath.Join(s.r.history.checkpoints(s.step.sum), file),
	}
	k.from, _ = s.recorded()
	loop := *l
	if s.r.settings.reuse {
		if c, ok := k.resume(); ok && c.Done {
			s.tell(fmt.Sprintf("▸ %s: %s was trained in run %s, which was interrupted later", s.step.plan.Name, or(name, "the model"), c.Run))
			return c.Result, nil
		} else if ok {
			of := ""
			if c.Total > 0 {
				of = fmt.Sprintf(" of %d", c.Total)
			}
			s.tell(fmt.Sprintf("▸ %s goes on at iteration %d%s (run %s was interrupted)", s.step.plan.Name, c.Iteration, of, c.Run))
			loop.Start, k.kept = c.Iteration, c.Iteration
		}
	}
	loop.Between = func(ctx context.Context, st *train.State) error {
		if l.Between != nil {
			if err := l.Between(ctx, st); err != nil {
				return err
			}
		}
		if due := k.due(ctx, st); due && st.Iteration > k.kept {
			k.keep(checkpoint{Iteration: st.Iteration, Epoch: st.Epoch, Total: st.Total})
		}
		return nil
	}
	result, err := loop.Run(ctx)
	if err == nil && k.due(ctx, nil) {
		k.keep(checkpoint{Iteration: result.Iterations, Epoch: result.Epochs, Done: true, Result: result})
	}
	return result, err
}

const (
	leastWait = 2 * time.Second
	costShare = 50 // a checkpoint costs at most one part in so many
)

// keeper keeps checkpoints of one loop.
type keeper struct {
	scope   *Scope
	file    string
	learner train.Learner
	stater  train.Stater
	memory  []any

	from   int // events of the step before the loop
	kept   int // iterations done at the last checkpoint
	last   time.Time
	wait   time.Duration
	asked  bool
	broken bool // no checkpoint can be written
}

// due reports whether it is time for a checkpoint.
func (k *keeper) due(ctx context.Context, st *train.State) bool {
	if k.broken {
		return false
	}
	if st != nil && st.Asked() {
		k.asked = true
		return true
	}
	return k.asked && st == nil || ctx.Err() != nil || time.Since(k.last) >= k.wait
}

// keep writes a checkpoint. That it cannot is said once, and fails nothing.
func (k *keeper) keep(c checkpoint) {
	start := time.Now()
	to, whole := k.scope.recorded()
	if !whole {
		return // its events would not be found again
	}
	c.Run, c.Sum, c.From, c.To = k.scope.r.dir.id, k.scope.step.sum, k.from, to
	if err := c.write(k.file, k.learner, k.stater, k.memory); err != nil {
		k.broken = true
		k.scope.tell(fmt.Sprintf("no checkpoints: %v", err))
		return
	}
	k.last, k.kept = time.Now(), c.Iteration
	k.wait = max(leastWait, costShare*k.last.Sub(start))
}

// resume puts back a checkpoint with what was recorded up to it. ok is false, and
// nothing is changed, if there is none that fits.
func (k *keeper) resume() (c checkpoint, ok bool) {
	c, parts, err := readCheckpoint(k.file)
	if err != nil || c.Sum != k.scope.step.sum {
		return c, false
	}
	events, _, err := k.scope.r.history.events(c.Run, k.scope.step.plan.Name)
	if err != nil || c.From < 0 || c.From > c.To || c.To > len(events) {
		return c, false
	}
	events = events[c.From:c.To]
	if !k.scope.r.history.whole(events, k.scope.r.dir.path) || parts.restore(k.learner, k.stater, k.memory) != nil {
		return c, false
	}
	k.scope.takeOver(events)
	return c, true
}

// recorded is the number of events that the step has recorded, and whether the
// event file has them all.
func (s *Scope) recorded() (n int, whole bool) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.events, s.r.lost.n == 0
}

// takeOver records events of an earlier run.
func (s *Scope) takeOver(events []record.Event) {
	s.r.mu.Lock()
	for _, e := range events {
		if !s.ended {
			s.events++
			s.r.record(e)
		}
	}
	s.r.mu.Unlock()
	s.r.deliver()
}

// checkpoints is the folder for those of a step.
func (h history) checkpoints(print string) string {
	return filepath.Join(h.dir, "checkpoints", print[:12])
}

// forget deletes the checkpoints of a step that has ended with a verdict, and those
// that nobody went on from for a month.
func (h history) forget(print string) {
	if print == "" {
		return
	}
	const month = 30 * 24 * time.Hour
	_ = os.RemoveAll(h.checkpoints(print)) // what is left is never read again
	all, err := os.ReadDir(filepath.Join(h.dir, "checkpoints"))
	if err != nil {
		return
	}
	for _, e := range all {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > month {
			_ = os.RemoveAll(filepath.Join(h.dir, "checkpoints", e.Name()))
		}
	}
}
