package arttest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// row is the scores of one model in one trial of a step.
type row struct{ name, training, validation string }

// rows puts together the last scores of each trial, one for each stage: what the
// checks handed to the step read, or the first metric of the recipe, or the loss, or
// whatever came first. A step that scores training only, though there is validation
// data, does not judge the model: there the loss comes before metrics.
func (r *R) rows(st *step, s *record.StepRun) []row {
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
	for _, metric := range slices.Backward(r.headlines(st, s)) { // the first comes last, and so stays
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

// headlines are the metrics by which a step is summed up, the first that it has.
func (r *R) headlines(st *step, s *record.StepRun) []string {
	var names []string
	for _, c := range st.checks[st.own:] {
		for _, ref := range c.Reads {
			names = append(names, ref.Metric)
		}
	}
	validated := slices.ContainsFunc(s.Series, func(c *record.Series) bool { return c.Whole && c.Stage == train.Validation })
	if !validated && r.recipe.Data.Validation != nil {
		names = append(names, train.LossName)
	}
	for _, m := range r.recipe.Metrics {
		names = append(names, m.Name)
	}
	names = append(names, train.LossName)
	for _, c := range s.Series {
		names = append(names, c.Name)
	}
	return names
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
	for _, st := range r.steps {
		s := r.run.Step(st.plan.Name)
		if s == nil {
			table = append(table, cells(words(st.plan.Name), or(st.plan.Model, "-"), "-", "-", st.state.String(), "-"))
			continue
		}
		rows := r.rows(st, s)
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
	return "\n" + align(table, 3) + r.files() + "\n" + r.next()
}

// files is where all that is kept of the run is, and how to look at it.
func (r *R) files() string {
	own, taken := 0, 0
	for _, s := range r.run.Steps {
		for _, a := range saved(s) {
			if strings.HasPrefix(a.Path, "../") {
				taken++
			} else {
				own++
			}
		}
	}
	text := "the event file is in " + r.dir.shown
	if own > 0 {
		text = count(own, "artifact") + " and the event file are in " + r.dir.shown
	}
	if taken > 0 {
		text += fmt.Sprintf(", %s in the runs that steps were taken from", count(taken, "artifact"))
	}
	show := "art show " + r.dir.id
	if r.settings.dir != "" && r.settings.dir != os.Getenv("ART_DIR") {
		show += " --dir " + filepath.Dir(filepath.Dir(r.dir.shown))
	}
	return text + "; look at it: " + show
}

// next is what to type now.
func (r *R) next() string {
	left := 0
	for _, st := range r.steps {
		switch st.state {
		case failed, broken:
			if st.stopped && r.settings.reuse {
				return fmt.Sprintf("next: type the same again to go on with %s: %s -v", words(st.plan.Name), r.command(r.t.Name(), r.recipe.Seed))
			}
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
	return checks.Duration(st.duration)
}

// tally counts verdicts by mark, or says what else became of the step.
func (r *R) tally(st *step) string {
	if st.state != passed && st.state != failed {
		return st.became()
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
