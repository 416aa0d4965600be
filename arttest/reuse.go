package arttest

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/record"
)

// again is the sign of what is not done twice.
const again = "↺"

// takeOver takes the result of a step from an earlier run if nothing that it
// depends on has changed since, and judges it by the checks of today. When it
// does not, it says why the step runs again.
func (r *R) takeOver(t *testing.T, st *step) bool {
	if r.settings.short {
		return false
	}
	r.printOf(t, st)
	if !r.settings.reuse {
		return false
	}
	if st.unknown != nil {
		if _, err := r.history.read(r.history.passed(st.plan.Name, "")); err == nil || st.plan.Options.Fresh {
			r.say(t, fmt.Sprintf("%s runs: it cannot be reused: %v", st.plan.Name, st.unknown))
		}
		return false
	}
	old, events, why := r.earlier(r.history.passed(st.plan.Name, st.sum), st)
	if why == nil && old.Chose && !r.holds(st, events) {
		why = fmt.Errorf("a check that it chose by holds no longer")
	}
	if why != nil {
		r.sayWhy(t, st, why)
		return false
	}
	r.restore(t, st, old, events)
	return true
}

// restore puts the record of an earlier run into this one.
func (r *R) restore(t *testing.T, st *step, old passedStep, events []record.Event) {
	start := time.Now()
	st.reused, st.state = old.Run, running
	r.emit(record.Event{Kind: record.StepStart, Step: st.plan.Name, Model: st.plan.Model, Settings: st.plan.Settings, Text: old.Run})
	r.replay(events)
	r.judge(st)
	st.duration = time.Since(start)
	r.emit(record.Event{Kind: record.StepEnd, Step: st.plan.Name, Outcome: st.state.outcome(), Text: st.reason, Duration: st.duration})
	r.history.forget(st.sum) // the run may have been killed before it did
	what := again + " "
	if !strings.HasSuffix(t.Name(), "/"+st.plan.Name) { // for another step that needs it
		what += st.plan.Name + " "
	}
	r.say(t, fmt.Sprintf("%sreused from run %s (nothing it depends on has changed; -art.fresh runs it)", what, old.Run))
	if err := r.takeTrouble(); err != nil {
		st.breaks(err)
		return
	}
	if last, err := r.history.read(r.history.passed(st.plan.Name, "")); st.state == passed && (err != nil || last.Sum != st.sum) {
		_ = r.history.write(r.history.passed(st.plan.Name, ""), old) // only says what changed
	}
}

// replay records events of an earlier run as those of this one.
func (r *R) replay(events []record.Event) {
	r.mu.Lock()
	for _, e := range events {
		r.record(e)
	}
	r.mu.Unlock()
	r.patiently(r.deliver)
}

// earlier returns an entry of the history for the fingerprint of the step, with
// what was recorded then.
func (r *R) earlier(file string, st *step) (old passedStep, events []record.Event, why error) {
	old, err := r.history.read(file)
	if err != nil {
		return old, nil, err
	}
	if old.Sum != st.sum {
		return old, nil, fmt.Errorf("another fingerprint begins like its own")
	}
	events, ended, err := r.history.events(old.Run, st.plan.Name)
	switch {
	case err != nil:
		return old, nil, fmt.Errorf("it passed in run %s: %w", old.Run, err)
	case ended != record.Passed:
		return old, nil, fmt.Errorf("run %s does not say that it passed", old.Run)
	case !r.history.whole(events, r.dir.path):
		return old, nil, fmt.Errorf("files that it saved in run %s are gone", old.Run)
	}
	return old, events, nil
}

// holds judges what an earlier run recorded as if it were recorded now.
func (r *R) holds(st *step, events []record.Event) bool {
	r.recall(st)
	trial := r.fork(st)
	for _, e := range events {
		_ = trial.Emit(e) // a fold takes every event
	}
	return !slices.ContainsFunc(st.checks, func(c checks.Check) bool { return verdict(c, trial.Step(st.plan.Name)).Mark == record.Fail })
}

// sayWhy says why a step that passed before runs again.
func (r *R) sayWhy(t *testing.T, st *step, why error) {
	last, err := r.history.read(r.history.passed(st.plan.Name, ""))
	if err != nil {
		return // it never passed
	}
	if changes := changed(last.print(), st.print); len(changes) > 0 {
		r.say(t, fmt.Sprintf("%s runs again: %s", st.plan.Name, some(changes, 3)))
		return
	}
	r.say(t, fmt.Sprintf("%s runs again: %v", st.plan.Name, why))
}

// changed says what differs between two prints. That a step before changed is
// said only when nothing else did: then it is what that step says of itself.
func changed(old, now fingerprint.Print) []string {
	var own, upstream []string
	for _, c := range telling(fingerprint.Diff(old, now)) {
		if strings.HasPrefix(c.Name, fingerprint.Upstream("", "").Name) {
			upstream = append(upstream, strings.TrimSpace(strings.TrimPrefix(c.Name, fingerprint.Upstream("", "").Name))+", which it needs, changed")
		} else {
			own = append(own, c.Text)
		}
	}
	if len(own) == 0 {
		return upstream
	}
	return own
}

// telling puts changes that say what became of what before those that only say where
// to look. Fields of the step are left out where others say more.
func telling(changes []fingerprint.Change) []fingerprint.Change {
	for i := range changes {
		changes[i].Text = strings.Replace(changes[i].Text, " (part) changed", " changed in part", 1)
	}
	rank := func(c fingerprint.Change) int {
		switch {
		case strings.HasPrefix(c.Name, "code "):
			return 1
		case strings.HasPrefix(c.Name, "fields of "):
			return 2
		}
		return 0
	}
	slices.SortStableFunc(changes, func(a, b fingerprint.Change) int { return rank(a) - rank(b) })
	if len(changes) > 0 && rank(changes[0]) < 2 {
		changes = slices.DeleteFunc(changes, func(c fingerprint.Change) bool { return rank(c) == 2 })
	}
	return changes
}

// remember enters a step that passed into the history.
func (r *R) remember(t *testing.T, st *step) {
	if r.settings.short || st.state != passed || st.sum == "" {
		return
	}
	entry := r.entry(st)
	for _, file := range []string{r.history.passed(st.plan.Name, st.sum), r.history.passed(st.plan.Name, "")} {
		if err := r.history.write(file, entry); err != nil {
			r.say(t, fmt.Sprintf("%s cannot be reused by later runs: %v", st.plan.Name, err))
			return
		}
	}
}

func (r *R) entry(st *step) passedStep {
	return passedStep{
		Run: r.dir.id, Step: st.plan.Name, Time: time.Now().UTC(), Sum: st.sum, Chose: st.chose,
		Ingredients: st.print.Ingredients, Environment: r.run.Settings, Scores: finalScores(r.run.Step(st.plan.Name)),
	}
}

// finalScores are the last values of all whole-set scores of a step.
func finalScores(s *record.StepRun) []finalScore {
	var all []finalScore
	for _, c := range s.Series {
		if p, ok := c.Last(); ok && c.Whole {
			all = append(all, finalScore{Trial: c.Trial, Model: c.Model, Stage: c.Stage, Name: c.Name,
				Value: strconv.FormatFloat(p.Value, 'g', -1, 64), Rows: p.Rows})
		}
	}
	return all
}

// folder is where the files of a step are, for people.
func (r *R) folder(st *step) string {
	if st.reused == "" {
		return r.dir.shown + "/" + st.plan.Name
	}
	return filepath.ToSlash(filepath.Join(filepath.Dir(r.dir.shown), st.reused, st.plan.Name))
}
