package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/store"
)

func (a *app) compareCommand() *cli.Command {
	return &cli.Command{
		Name: "compare", Usage: "show what differs between two runs", ArgsUsage: "RUN RUN",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := arguments(c, 2, 2)
			if err != nil {
				return err
			}
			return a.withStore(ctx, c, func(s *store.Store) error {
				var sums [2]store.Summary
				var runs [2]*record.Run
				for i, ref := range args {
					if sums[i], err = a.find(ctx, s, ref); err != nil {
						return err
					}
					if runs[i], err = a.load(s, &sums[i]); err != nil {
						return err
					}
				}
				d := compare(&sums[0], &sums[1], runs[0], runs[1])
				if c.Bool("json") {
					return a.sayJSON(d)
				}
				return a.say(a.compared(d, &sums[0], &sums[1]))
			})
		},
	}
}

// comparison is all that differs between two runs.
type comparison struct {
	A           string       `json:"a"`
	B           string       `json:"b"`
	Differences []difference `json:"differences"`
}

// difference is one thing that differs. A side is empty where it does not exist.
type difference struct {
	// Kind is run, code, environment, step, setting, score or verdict.
	Kind string `json:"kind"`
	Step string `json:"step"`
	Name string `json:"name"`
	A    string `json:"a"`
	B    string `json:"b"`
	// change is B-A of scores, for people.
	change string
}

// compare lists differences from the outside in: the runs, their code and
// environment, their steps, and of each step settings, scores and verdicts.
func compare(sa, sb *store.Summary, a, b *record.Run) comparison {
	d := &comparison{A: sa.Path, B: sb.Path, Differences: []difference{}}
	d.add("run", "", "recipe", sa.Recipe, sb.Recipe)
	d.add("run", "", "outcome", string(sa.Outcome), string(sb.Outcome))
	code := []string{"vcs.revision", "vcs.modified"}
	for _, key := range code {
		d.add("code", "", key, a.Settings[key], b.Settings[key])
	}
	both := maps.Clone(a.Settings)
	if both == nil {
		both = map[string]string{}
	}
	maps.Copy(both, b.Settings)
	for _, key := range environmentKeys(both) {
		switch {
		case key == "flags":
			d.add("environment", "", key, typed(a.Settings[key]), typed(b.Settings[key]))
		case !slices.Contains(code, key):
			d.add("environment", "", key, a.Settings[key], b.Settings[key])
		}
	}
	var names []string
	for _, run := range []*record.Run{a, b} {
		for _, step := range run.Steps {
			if !slices.Contains(names, step.Name) {
				names = append(names, step.Name)
			}
		}
	}
	for _, name := range names {
		d.step(name, orNone(a.Step(name)), orNone(b.Step(name)))
	}
	return *d
}

// orNone stands for a step that was not run.
func orNone(s *record.StepRun) *record.StepRun {
	if s == nil {
		return &record.StepRun{}
	}
	return s
}

func (d *comparison) add(kind, step, name, a, b string) {
	if a != b {
		d.Differences = append(d.Differences, difference{Kind: kind, Step: step, Name: name, A: a, B: b})
	}
}

func (d *comparison) step(name string, a, b *record.StepRun) {
	ended := func(s *record.StepRun) string {
		if s.Name != "" {
			return or(string(s.Outcome), "did not end")
		}
		return ""
	}
	d.add("step", name, "outcome", ended(a), ended(b))
	if a.Name == "" || b.Name == "" || (a.Outcome == record.Skipped) != (b.Outcome == record.Skipped) {
		return // all else is on one side alone
	}
	d.add("step", name, "model", a.Model, b.Model)
	keys := map[string]bool{}
	for _, settings := range []map[string]string{a.Settings, b.Settings} {
		for key := range settings {
			keys[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		d.add("setting", name, key, a.Settings[key], b.Settings[key])
	}
	d.scores(name, a, b)
	d.verdicts(name, a, b)
}

// scores compares the last score of each trial, model, metric and stage.
func (d *comparison) scores(step string, a, b *record.StepRun) {
	type pair struct{ a, b *float64 }
	values := map[string]*pair{}
	var names []string
	for i, s := range []*record.StepRun{a, b} {
		for _, c := range s.Series {
			p, ok := c.Last()
			if !ok || !c.Whole || c.Stage == "" {
				continue
			}
			name := strings.Join(slices.DeleteFunc([]string{or(c.Trial, c.Model), c.Name, c.Stage}, func(s string) bool { return s == "" }), " ")
			if values[name] == nil {
				values[name] = &pair{}
				names = append(names, name)
			}
			if i == 0 {
				values[name].a = &p.Value
			} else {
				values[name].b = &p.Value
			}
		}
	}
	for _, name := range names {
		v := values[name]
		d.add("score", step, name, exact(v.a), exact(v.b))
		if last := len(d.Differences) - 1; last >= 0 && v.a != nil && v.b != nil && d.Differences[last].Name == name {
			d.Differences[last].change = signed(*v.b - *v.a)
		}
	}
}

// exact is a number with all its digits.
func exact(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}

func signed(v float64) string {
	if math.IsNaN(v) || v < 0 {
		return checks.Number(v)
	}
	return "+" + checks.Number(v)
}

// verdicts compares marks, and what was got where the mark is not the same.
func (d *comparison) verdicts(step string, a, b *record.StepRun) {
	said := [2]map[string]string{{}, {}}
	var names []string
	for i, s := range []*record.StepRun{a, b} {
		for _, v := range s.Verdicts {
			if !slices.Contains(names, v.Check) {
				names = append(names, v.Check)
			}
			said[i][v.Check] = string(v.Mark)
		}
	}
	got := func(s *record.StepRun, check string) string {
		for _, v := range slices.Backward(s.Verdicts) {
			if v.Check == check {
				return strings.TrimSpace(string(v.Mark) + " " + labelled("got ", v.Got))
			}
		}
		return ""
	}
	for _, name := range names {
		if said[0][name] != said[1][name] {
			d.add("verdict", step, name, got(a, name), got(b, name))
		}
	}
}

// compared is the comparison for people.
func (a *app) compared(d comparison, sa, sb *store.Summary) string {
	head := func(s *store.Summary) string {
		return fmt.Sprintf("%s, %s, %s", s.Path, s.Outcome, stamp(s.Started))
	}
	text := "a: " + oneLine(head(sa)) + "\nb: " + oneLine(head(sb)) + "\n"
	for _, s := range []*store.Summary{sa, sb} {
		if s.Trouble != "" {
			text += "! " + s.Path + " is damaged; what comes before counts: " + oneLine(s.Trouble) + "\n"
		}
	}
	if len(d.Differences) == 0 {
		return text + "\nno difference in outcome, code, environment, steps, settings, scores and verdicts\n"
	}
	for _, group := range []struct{ kind, title string }{
		{"run", "run"}, {"code", "code"}, {"environment", "environment"}, {"step", "steps"}, {"setting", "settings"}, {"score", "scores"}, {"verdict", "verdicts"},
	} {
		var t table
		for _, one := range d.Differences {
			if one.Kind != group.kind {
				continue
			}
			from, to := one.A, one.B
			switch one.Kind {
			case "score":
				from, to = rounded(from, to)
			case "step":
				from, to = or(from, "was not run"), or(to, "was not run")
			}
			t.add(words(one.Step), one.Name, or(from, "-"), "→ "+or(to, "-"), one.change)
		}
		if len(t) > 0 {
			if t[0][0] == "" {
				for i := range t {
					t[i] = t[i][1:]
				}
			}
			text += "\n" + group.title + "\n" + t.align("    ", 2)
		}
	}
	return text
}

// rounded writes two scores as arttest does, with more digits if they would read as
// the same.
func rounded(a, b string) (string, string) {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	short := func(v float64, s string, err error, digits int) string {
		switch {
		case err != nil:
			return s
		case digits == 0:
			return checks.Number(v)
		}
		return strconv.FormatFloat(v, 'g', digits, 64)
	}
	for _, digits := range []int{0, 5, 6, 8, 10, 12, 14} {
		if from, to := short(x, a, errA, digits), short(y, b, errB, digits); from != to {
			return from, to
		}
	}
	return a, b
}

// typed is the flags of a test as somebody gave them: the go command adds some of
// its own, with paths that differ every time.
func typed(flags string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(flags), func(f string) bool {
		return strings.HasPrefix(f, "-test.testlogfile=") || strings.HasPrefix(f, "-test.paniconexit0") || strings.HasPrefix(f, "-test.gocoverdir=")
	}), " ")
}
