package arttest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// row is the scores of one model in one trial of a step.
type row struct{ name, training, validation string }

// rows puts together the last scores of each trial: the first metric of the
// recipe that it has, or the loss, or whatever came first.
func (r *R) rows(s *record.StepRun) []row {
	var rows []row
	at := map[string]int{}
	for _, c := range s.Series {
		if !c.Whole || c.Stage != train.Training && c.Stage != train.Validation {
			continue
		}
		name := or(c.Trial, c.Model)
		if _, ok := at[name]; !ok {
			at[name] = len(rows)
			rows = append(rows, row{name: name})
		}
	}
	var metrics []string
	for _, c := range slices.Backward(s.Series) {
		metrics = append(metrics, c.Name)
	}
	metrics = append(metrics, train.LossName)
	for i := len(r.recipe.Metrics) - 1; i >= 0; i-- {
		metrics = append(metrics, r.recipe.Metrics[i].Name)
	}
	// The recipe's first metric comes last, and so stays.
	for _, metric := range metrics {
		for _, c := range s.Series {
			p, ok := c.Last()
			if !ok || !c.Whole || c.Name != metric {
				continue
			}
			name := or(c.Trial, c.Model)
			text := metric + " " + checks.Number(p.Value)
			switch c.Stage {
			case train.Training:
				rows[at[name]].training = text
			case train.Validation:
				rows[at[name]].validation = text
			}
		}
	}
	return rows
}

// scoreLines are the last scores of a step, one line a model, trial and stage.
func (r *R) scoreLines(st *step) []string {
	text := map[[2]string]string{}
	var names []string
	for _, c := range r.run.Step(st.plan.Name).Series {
		p, ok := c.Last()
		if !ok || !c.Whole || c.Stage == "" {
			continue
		}
		name := or(c.Trial, c.Model)
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		text[[2]string{name, c.Stage}] += "\t" + c.Name + " " + checks.Number(p.Value)
	}
	var lines []string
	for _, name := range names {
		for _, stage := range []string{train.Training, train.Validation, train.Test} {
			if scores := text[[2]string{name, stage}]; scores != "" {
				lines = append(lines, strings.TrimPrefix(name+"\t", "\t")+stage+scores)
			}
		}
	}
	return lines
}

// summary is the table at the end of a recipe, and what to do next.
func (r *R) summary() string {
	table := []string{cells("step", "model", "training", "validation", "checks", "time")}
	artifacts := 0
	for _, st := range r.steps {
		s := r.run.Step(st.plan.Name)
		if s == nil {
			table = append(table, cells(words(st.plan.Name), or(st.plan.Model, "-"), "-", "-", st.state.String(), "-"))
			continue
		}
		artifacts += len(saved(s))
		rows := r.rows(s)
		if len(rows) == 0 {
			rows = []row{{name: st.plan.Model}}
		}
		for i, row := range rows {
			name, tally, took := "", "", ""
			if i == 0 {
				name, tally, took = words(st.plan.Name), r.tally(st), r.took(st)
			}
			table = append(table, cells(name, or(row.name, "-"), or(row.training, "-"), or(row.validation, "-"), tally, took))
		}
	}
	files := "the event file is in "
	if artifacts > 0 {
		files = count(artifacts, "artifact") + " and the event file are in "
	}
	return "\n" + align(table, 3) + files + r.dir.shown + "\n" + r.next()
}

// next is what to type now.
func (r *R) next() string {
	left := 0
	for _, st := range r.steps {
		switch st.state {
		case failed, broken:
			return fmt.Sprintf("next: mend %s, then %s -v", words(st.plan.Name), r.command(r.t.Name()+"/"+st.plan.Name, r.recipe.Seed))
		case waiting:
			left++
		}
	}
	whole := fmt.Sprintf("go test %s -run '%s' -v", r.place.pkg, pattern(r.t.Name()))
	switch {
	case len(r.steps) == 0:
		return "next: the recipe has no step yet: add one with arttest.Step"
	case left == len(r.steps):
		return fmt.Sprintf("next: -run or -skip left out all steps, which are %s: %s runs them", strings.Join(r.names(), ", "), whole)
	case r.settings.short:
		return fmt.Sprintf("next: %s trains it for real", whole)
	case left > 0:
		return fmt.Sprintf("next: %s runs the %s that -run or -skip left out, too", whole, count(left, "step"))
	}
	return fmt.Sprintf("next: does it hold for another seed? %s -v", r.command(r.t.Name(), r.recipe.Seed+1))
}

// took is the time of a step, or the run that its result is taken from.
func (r *R) took(st *step) string {
	if st.reused != "" {
		return again + " " + st.reused
	}
	return duration(st.duration)
}

// tally counts verdicts by mark, or says what else became of the step.
func (r *R) tally(st *step) string {
	if st.state != passed && st.state != failed {
		return st.state.String()
	}
	if r.settings.short {
		return "dry run"
	}
	n := map[record.Mark]int{}
	for _, v := range st.verdicts {
		n[v.Mark]++
	}
	var parts []string
	for _, m := range []record.Mark{record.Pass, record.Warn, record.Fail} {
		if n[m] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[m], r.marks.of(m)))
		}
	}
	return or(strings.Join(parts, " "), "none")
}

func words(name string) string { return strings.ReplaceAll(name, "-", " ") }

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// duration writes a time with two significant digits and its unit.
func duration(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
