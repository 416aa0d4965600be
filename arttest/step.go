package arttest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/suggest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// step is a step of the recipe with what became of it.
type step struct {
	Stepper
	plan   Plan
	checks []checks.Check
	needs  []*step

	state    state
	reason   string
	panicked *train.PanicError
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
		r.t.Fatalf("arttest.Step: %v", err)
	}
	selected := false
	r.t.Run(st.plan.Name, func(t *testing.T) {
		t.Helper()
		selected = true
		r.perform(t, st)
	})
	if !selected && r.settings.failFast && r.t.Failed() {
		st.state, st.reason = skipped, "an earlier failure ended the test (-failfast)"
	}
}

// add plans the step and finds misuse.
func (r *R) add(s Stepper, more []checks.Check) (*step, error) {
	if s == nil {
		return nil, fmt.Errorf("the step is nil")
	}
	plan, err := planOf(s)
	if err != nil {
		return nil, err
	}
	if plan.Options.Name != "" {
		plan.Name = plan.Options.Name
	}
	if plan.Name == "" || plan.Name != checks.Slug(plan.Name) {
		return nil, fmt.Errorf("%T: the name %q must have a-z, 0-9, dots and dashes only, as %q; set Options.Name", s, plan.Name, checks.Slug(plan.Name))
	}
	if slices.ContainsFunc(r.steps, func(o *step) bool { return o.plan.Name == plan.Name }) {
		return nil, fmt.Errorf("two steps are named %q: give one another name, %T{Options: arttest.Options{Name: %q}}", plan.Name, s, plan.Name+"-2")
	}
	st := &step{Stepper: s, plan: plan}
	if st.needs, err = r.needs(plan); err != nil {
		return nil, fmt.Errorf("step %q: %w", plan.Name, err)
	}
	if st.checks, err = r.checksOf(plan, more); err != nil {
		return nil, fmt.Errorf("step %q: %w", plan.Name, err)
	}
	r.steps = append(r.steps, st)
	return st, nil
}

func planOf(s Stepper) (p Plan, err error) {
	defer func() {
		if caught := train.Caught(recover()); caught != nil {
			err = fmt.Errorf("%T.Plan: %w", s, caught)
		}
	}()
	return s.Plan(), nil
}

func (r *R) needs(p Plan) ([]*step, error) {
	if p.Options.After == nil {
		return slices.Clone(r.steps), nil
	}
	var needs []*step
	for _, name := range p.Options.After {
		i := slices.IndexFunc(r.steps, func(o *step) bool { return o.plan.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("After names %q, which is no step before it: %s", name, suggest.Hint(name, r.names()))
		}
		needs = append(needs, r.steps[i])
	}
	return needs, nil
}

func (r *R) names() []string {
	var names []string
	for _, s := range r.steps {
		names = append(names, s.plan.Name)
	}
	return names
}

// checksOf puts the step's checks and the user's together, and finds those that
// cannot be judged.
func (r *R) checksOf(p Plan, more []checks.Check) ([]checks.Check, error) {
	var known []string
	for _, c := range p.Checks {
		known = append(known, c.Name)
	}
	for _, name := range p.Options.WithoutChecks {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("WithoutChecks names %q, which is no check of the step: %s", name, suggest.Hint(name, known))
		}
	}
	all := slices.DeleteFunc(slices.Clone(p.Checks), func(c checks.Check) bool {
		return slices.Contains(p.Options.WithoutChecks, c.Name)
	})
	all = append(all, more...)
	seen := map[string]bool{}
	for _, c := range all {
		if err := c.Err(); err != nil {
			return nil, err
		}
		if seen[c.Name] {
			return nil, fmt.Errorf("two checks are named %q: give one another name, or leave out the step's own with Options.WithoutChecks", c.Name)
		}
		seen[c.Name] = true
		for _, ref := range c.Reads {
			if err := r.measures(p, ref); err != nil {
				return nil, fmt.Errorf("check %q: %w", c.Name, err)
			}
		}
	}
	return all, nil
}

// measures reports a score that the step will never have.
func (r *R) measures(p Plan, ref checks.Ref) error {
	if slices.Contains(p.Scores, ref) {
		return nil
	}
	var names []string
	for _, m := range r.metricsOf(p) {
		names = append(names, m.Name)
	}
	names = append(names, train.LossName)
	var own []string
	for _, s := range p.Scores {
		own = append(own, s.Metric)
	}
	switch {
	case !slices.Contains(names, ref.Metric) || len(p.Stages) == 0:
		if len(p.Stages) > 0 {
			own = append(names, own...)
		}
		return fmt.Errorf("the step measures no metric %q: %s (metrics are listed in Recipe.Metrics)", ref.Metric, suggest.Hint(ref.Metric, own))
	case !slices.Contains(p.Stages, ref.Stage):
		return fmt.Errorf("the step measures nothing on %q data, only on %s", ref.Stage, strings.Join(p.Stages, " and "))
	}
	if _, err := r.recipe.Data.Stage(ref.Stage); err != nil {
		return err
	}
	return nil
}

func (r *R) metricsOf(p Plan) []train.Metric {
	return slices.DeleteFunc(slices.Clone(r.recipe.Metrics), func(m train.Metric) bool {
		return slices.Contains(p.Options.WithoutMetrics, m.Name)
	})
}

// perform runs a step in its subtest: what it needs first, if -run left that out.
func (r *R) perform(t *testing.T, st *step) {
	t.Helper()
	if ok := r.satisfy(t, st); !ok {
		st.state = skipped
		r.emit(record.Event{Kind: record.StepStart, Step: st.plan.Name, Model: st.plan.Model, Settings: st.plan.Settings})
		r.emit(record.Event{Kind: record.StepEnd, Step: st.plan.Name, Outcome: record.Skipped, Text: st.reason})
		t.Skip(st.reason)
	}
	a := r.artifactDir(t)
	r.execute(t, st)
	r.report(t, st)
	r.attach(t, st, a)
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
		reasons = append(reasons, fmt.Sprintf("%s, which %s", need.plan.Name, need.state))
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
		st.state = skipped
		return
	}
	fmt.Fprintf(t.Output(), "%s is needed, and not selected by -run: it runs first\n", st.plan.Name)
	r.execute(t, st)
	r.reportInline(t, st)
}
