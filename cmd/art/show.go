package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/store"
)

func (a *app) showCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "show all about a run", ArgsUsage: "RUN",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			return a.withStore(ctx, c, func(s *store.Store) error {
				summary, err := a.find(ctx, s, args[0])
				if err != nil {
					return err
				}
				run, err := a.load(s, &summary)
				if err != nil {
					return err
				}
				if c.Bool("json") {
					return a.sayJSON(wholeOf(s, &summary, run))
				}
				v := view{a, &summary, run, s.Dir(summary)}
				return a.say(v.text())
			})
		},
	}
}

// load reads a run as far as it can be read; the trouble goes to the summary.
func (a *app) load(s *store.Store, summary *store.Summary) (*record.Run, error) {
	run, err := s.Load(*summary)
	var file *os.PathError
	if errors.As(err, &file) {
		return nil, err
	}
	if err != nil {
		summary.Trouble = err.Error()
	}
	return run, nil
}

// view is a run about to be shown.
type view struct {
	*app
	summary *store.Summary
	run     *record.Run
	dir     string
}

// text is all a person wants to know, the outcome first and the files last.
func (v view) text() string {
	dot := " · "
	s := v.summary
	facts := []string{s.Recipe, "run " + s.ID, string(s.Outcome), s.Started.Local().Format(time.DateTime)}
	if s.Duration > 0 {
		facts = append(facts, checks.Duration(s.Duration))
	}
	if s.Seed != "" {
		facts = append(facts, "seed "+s.Seed)
	}
	if s.DryRun {
		facts = append(facts, "dry run (-short)")
	}
	if s.Pinned {
		facts = append(facts, strings.TrimSpace("pinned "+s.Pin))
	}
	parts := []string{oneLine(strings.Join(facts, dot)) + "\n"}
	switch {
	case s.Trouble != "":
		parts = append(parts, "! the event file is damaged; what comes before counts: "+oneLine(s.Trouble)+"\n")
	case s.Outcome == store.Killed:
		parts = append(parts, "! the run has no end: its process was killed, or quiet since "+stamp(s.Last)+"\n")
	}
	if len(s.Steps) > 0 {
		parts = append(parts, v.steps())
	}
	for _, step := range v.run.Steps {
		parts = append(parts, v.verdicts(step))
	}
	parts = append(parts, v.artifacts(), v.settings(), v.environment())
	if command := v.run.Settings["command"]; command != "" {
		parts = append(parts, "to repeat it, in the folder of go.mod\n    "+oneLine(command)+"\n")
	}
	parts = append(parts, "files are in "+v.shown(v.dir)+"\n")
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return strings.Join(parts, "\n")
}

// steps is the table that go test prints at the end of a recipe.
func (v view) steps() string {
	t := table{{"step", "model", "training", "validation", "checks", "time"}}
	validated := slices.ContainsFunc(v.summary.Steps, func(s store.Step) bool { return scores(&s, "validation") })
	for i := range v.summary.Steps {
		step := &v.summary.Steps[i]
		for j, row := range scoreRows(step, validated) {
			name, tally, took := "", "", ""
			if j == 0 {
				name, tally, took = words(step.Name), v.checks(step), v.took(step)
			}
			t.add(name, or(row.name, "-"), or(row.training, "-"), or(row.validation, "-"), tally, took)
		}
	}
	return t.align("    ", 3)
}

// took is the time of a step, or the run that its result is taken from.
func (v view) took(step *store.Step) string {
	if step.Reused != "" {
		return "↺ " + step.Reused
	}
	return checks.Duration(step.Duration)
}

// scoreRow is one model or trial of a step.
type scoreRow struct{ name, metric, training, validation string }

// scoreRows has the first metric of each model or trial, the loss if there is no other
// or if the step scores training only, unlike others: then it does not judge the model.
func scoreRows(step *store.Step, validated bool) []scoreRow {
	about := func(metric string) bool { return metric != "loss" }
	if validated && !scores(step, "validation") {
		about = func(metric string) bool { return metric == "loss" }
	}
	var rows []scoreRow
	for i := range step.Scores {
		c := &step.Scores[i]
		if c.Stage != "training" && c.Stage != "validation" {
			continue
		}
		name := or(c.Trial, c.Model)
		at := slices.IndexFunc(rows, func(r scoreRow) bool { return r.name == name })
		if at < 0 {
			at = len(rows)
			rows = append(rows, scoreRow{name: name, metric: c.Metric})
		}
		row := &rows[at]
		if !about(row.metric) && about(c.Metric) {
			*row = scoreRow{name: name, metric: c.Metric}
		}
		switch {
		case c.Metric != row.metric:
		case c.Stage == "training":
			row.training = c.Metric + " " + number(&c.Value)
		default:
			row.validation = c.Metric + " " + number(&c.Value)
		}
	}
	if len(rows) == 0 {
		return []scoreRow{{name: step.Model}}
	}
	return rows
}

// scores reports whether a step has a score on a stage.
func scores(step *store.Step, stage string) bool {
	return slices.ContainsFunc(step.Scores, func(c store.Score) bool { return c.Stage == stage })
}

// checks counts verdicts, or says what else became of the step.
func (a *app) checks(step *store.Step) string {
	switch step.Outcome {
	case record.Passed, record.Failed:
	case record.Broken:
		return "broke"
	case record.Skipped:
		return "was skipped"
	default:
		return "did not end"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		mark record.Mark
	}{{step.Passed, record.Pass}, {step.Warned, record.Warn}, {step.Failed, record.Fail}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, a.mark(p.mark)))
		}
	}
	return or(strings.Join(parts, " "), "none")
}

// verdicts are what the checks of a step said, failures in full.
func (v view) verdicts(step *record.StepRun) string {
	head := oneLine(words(step.Name))
	switch {
	case step.Outcome == record.Broken || step.Outcome == record.Skipped:
		head += " " + map[record.Outcome]string{record.Broken: "broke", record.Skipped: "was skipped"}[step.Outcome]
		if step.Reason != "" {
			head += ": " + strings.ReplaceAll(strings.TrimSpace(step.Reason), "\n", "\n    ")
		}
	case len(step.Verdicts) == 0:
		return ""
	}
	var t table
	details := ""
	for _, verdict := range step.Verdicts {
		note := verdict.Note
		if verdict.Mark == record.Warn {
			note = strings.TrimSpace(note + " (warning)")
		}
		t.add(v.mark(verdict.Mark)+" "+or(verdict.Claim, verdict.Check), labelled("want ", verdict.Want), labelled("got ", verdict.Got), note)
		if verdict.Mark != record.Pass {
			details += v.details(verdict)
		}
	}
	return head + "\n" + t.align("    ", 2) + details
}

func labelled(label, s string) string {
	if s == "" {
		return ""
	}
	return label + s
}

// details is a failure as go test prints it.
func (v view) details(verdict record.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "    %s %s\n", v.mark(verdict.Mark), oneLine(or(verdict.Trouble, "does not hold: "+or(verdict.Claim, verdict.Check))))
	field := func(name, text string) {
		for line := range strings.Lines(text) {
			fmt.Fprintf(&b, "        %-9s %s\n", name, strings.TrimRight(line, "\n"))
			name = ""
		}
	}
	field("want", verdict.Want)
	if verdict.Got != "" && verdict.Note != "" {
		field("got", verdict.Got+" ("+verdict.Note+")")
	} else {
		field("got", verdict.Got)
	}
	for _, list := range []struct {
		name  string
		lines []string
	}{{"evidence", verdict.Evidence}, {"likely", verdict.Likely}, {"try", verdict.Try}} {
		for _, line := range list.lines {
			field(list.name, line)
			list.name = ""
		}
	}
	if len(verdict.Files) > 0 {
		field("files", strings.Join(verdict.Files, ", "))
	}
	return b.String()
}

// saved lists the artifacts of a step: of those that were saved more than once,
// the last, which is what the file holds.
func saved(step *record.StepRun) []record.Artifact {
	list := []record.Artifact{}
	for _, a := range step.Artifacts {
		if i := slices.IndexFunc(list, func(b record.Artifact) bool { return a.Path == b.Path }); i >= 0 {
			list[i] = a
		} else {
			list = append(list, a)
		}
	}
	return list
}

// artifacts lists files with their paths from here. The run may have been moved since,
// so the path that it recorded does not count.
func (v view) artifacts() string {
	var t table
	for _, step := range v.run.Steps {
		for _, a := range saved(step) {
			// A file of a step that was reused is in a run beside this one.
			path := filepath.Join(v.dir, filepath.FromSlash(a.Path))
			within, err := filepath.Rel(filepath.Dir(v.dir), path)
			shape := ""
			if len(a.Shape) > 0 {
				shape = strings.ReplaceAll(strings.Trim(fmt.Sprint(a.Shape), "[]"), " ", "×")
			}
			name, gone := v.shown(path), ""
			if err != nil || !filepath.IsLocal(within) {
				name, gone = a.Path, "leads out of the runs of the recipe"
			} else if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
				gone = "is not there"
			}
			t.add(name, a.Kind, strings.TrimSpace(shape+" "+a.DType), size(a.Bytes), gone)
		}
	}
	if len(t) == 0 {
		return ""
	}
	return count(len(t), "artifact") + "\n" + t.align("    ", 2)
}

// settings are those of each step.
func (v view) settings() string {
	var t table
	for _, step := range v.run.Steps {
		var pairs []string
		for _, key := range slices.Sorted(maps.Keys(step.Settings)) {
			pairs = append(pairs, key+" "+step.Settings[key])
		}
		if len(pairs) > 0 {
			t.add(words(step.Name), strings.Join(pairs, ", "))
		}
	}
	if len(t) == 0 {
		return ""
	}
	return "settings\n" + t.align("    ", 2)
}

// environment is what the run depended on, but for what is said elsewhere.
func (v view) environment() string {
	var t table
	for _, key := range environmentKeys(v.run.Settings) {
		value := v.run.Settings[key]
		if key == "flags" {
			value = typed(value)
		}
		t.add(key, value)
	}
	if len(t) == 0 {
		return ""
	}
	return "environment\n" + t.align("    ", 2)
}

// environmentKeys puts what is most asked for first. The command has a place of
// its own, and the directory is where it was, not where it is.
func environmentKeys(settings map[string]string) []string {
	first := []string{"commit", "diff", "vcs.revision", "vcs.modified", "module", "package", "test", "data", "seed", "go", "os", "arch", "host", "cpus", "threads", "flags"}
	var keys []string
	for _, key := range first {
		if settings[key] != "" {
			keys = append(keys, key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		if key != "command" && key != "directory" && settings[key] != "" && !slices.Contains(first, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
