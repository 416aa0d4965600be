package arttest

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/suggest"
	"github.com/actually-robust-training/art/train"
)

// add plans the step and finds misuse.
func (r *R) add(s Stepper, more []checks.Check) (*step, error) {
	if s == nil {
		return nil, errors.New("the step is nil: pass a step such as steps.Overfit{Model: m} or arttest.StepFunc{Name: …, Func: …}")
	}
	if f, ok := s.(StepFunc); ok && f.Func == nil {
		return nil, fmt.Errorf("step %q does nothing: set arttest.StepFunc.Func", f.Name)
	}
	plan, err := planOf(s)
	if err != nil {
		return nil, err
	}
	if plan.Options.Name != "" {
		plan.Name = plan.Options.Name
	}
	if plan.Name == "" {
		return nil, fmt.Errorf("%T has no name: set Options.Name", s)
	}
	if slug := checks.Slug(plan.Name); plan.Name != slug {
		return nil, fmt.Errorf("%T: the name %q must have a-z, 0-9, dots and dashes only, so that -run takes it as it is: call it %q",
			s, plan.Name, or(slug, "first-step"))
	}
	if plan.Name == eventFile || plan.Name == manifestFile {
		return nil, fmt.Errorf("%T: the name %q is that of a file of the run: give it another, set Options.Name", s, plan.Name)
	}
	if slices.ContainsFunc(r.steps, func(o *step) bool { return o.plan.Name == plan.Name }) {
		return nil, fmt.Errorf("two steps are named %q: give one another name, as in %T{Options: arttest.Options{Name: %q}}", plan.Name, s, plan.Name+"-2")
	}
	st := &step{Stepper: s, plan: plan}
	if st.needs, err = r.needs(plan); err != nil {
		return nil, fmt.Errorf("step %q: %w", plan.Name, err)
	}
	if st.checks, err = r.checksOf(plan, more); err != nil {
		return nil, fmt.Errorf("step %q: %w", plan.Name, err)
	}
	st.own = len(st.checks) - len(more)
	for _, c := range st.checks {
		st.seeds = max(st.seeds, c.Seeds)
	}
	r.steps = append(r.steps, st)
	return st, nil
}

func planOf(s Stepper) (p Plan, err error) {
	err = contain(func() error { p = s.Plan(); return nil })
	if err != nil {
		return p, fmt.Errorf("%T.Plan: %w", s, err)
	}
	return p, nil
}

func (r *R) needs(p Plan) ([]*step, error) {
	if p.Options.After == nil {
		return slices.Clone(r.steps), nil
	}
	var needs []*step
	for _, name := range p.Options.After {
		i := slices.IndexFunc(r.steps, func(o *step) bool { return o.plan.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("its After names %q, which is no step before it: %s", name, suggest.Hint(name, r.names()))
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
	if p.Options.BatchSize < 0 {
		return nil, fmt.Errorf("its Options.BatchSize is %d: it must be 1 or more, or 0 for that of the data", p.Options.BatchSize)
	}
	var metrics []string
	for _, m := range r.recipe.Metrics {
		metrics = append(metrics, m.Name)
	}
	for _, name := range p.Options.WithoutMetrics {
		if !slices.Contains(metrics, name) {
			return nil, fmt.Errorf("its WithoutMetrics names %q, which is no metric of the recipe: %s", name, suggest.Hint(name, metrics))
		}
	}
	for _, name := range p.Options.WithoutChecks {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("its WithoutChecks names %q, which is no check of the step's own: %s", name, suggest.Hint(name, known))
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
	all := slices.Clone(p.Scores)
	for _, stage := range p.Stages {
		all = append(all, checks.Ref{Metric: train.LossName, Stage: stage})
		for _, m := range r.metricsOf(p) {
			all = append(all, checks.Ref{Metric: m.Name, Stage: stage})
		}
	}
	if slices.Contains(all, ref) {
		_, err := r.recipe.Data.Stage(ref.Stage)
		if err != nil && !slices.Contains(p.Scores, ref) {
			return err
		}
		return nil
	}
	var metrics, stages []string
	for _, a := range all {
		if !slices.Contains(metrics, a.Metric) {
			metrics = append(metrics, a.Metric)
		}
		if a.Metric == ref.Metric && !slices.Contains(stages, a.Stage) {
			stages = append(stages, a.Stage)
		}
	}
	switch {
	case len(metrics) == 0:
		return fmt.Errorf("it reads the metric %q on %s data, and the step measures nothing: let the check read what is recorded (record.StepRun), "+
			"or list the score in Plan.Scores", ref.Metric, ref.Stage)
	case len(stages) > 0:
		return fmt.Errorf("the step measures %q on %s data, not on %q", ref.Metric, strings.Join(stages, " and "), ref.Stage)
	case slices.Contains(p.Options.WithoutMetrics, ref.Metric):
		return fmt.Errorf("the step does not measure %q: Options.WithoutMetrics leaves it out", ref.Metric)
	}
	return fmt.Errorf("the step measures no metric %q: %s (metrics are listed in Recipe.Metrics)", ref.Metric, suggest.Hint(ref.Metric, metrics))
}

func (r *R) metricsOf(p Plan) []train.Metric {
	return slices.DeleteFunc(slices.Clone(r.recipe.Metrics), func(m train.Metric) bool {
		return slices.Contains(p.Options.WithoutMetrics, m.Name)
	})
}
