package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/suggest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/store"
)

func (a *app) runsCommand() *cli.Command {
	return &cli.Command{
		Name: "runs", Usage: "list the newest runs",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "recipe", Usage: "only those of the recipe `NAME`"},
			&cli.StringFlag{Name: "outcome", Usage: "only those that ended `SO`: " + strings.Join(outcomes(), ", ")},
			&cli.StringFlag{Name: "step", Usage: "only those that began the step `NAME`"},
			&cli.StringFlag{Name: "since", Usage: "only those that started since `TIME`: 2026-01-31, 7d, 12h"},
			&cli.IntFlag{Name: "n", Value: 20, Usage: "at most `N` of them; 0 is all"},
			jsonFlag(),
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			q, err := a.query(c)
			if err != nil {
				return err
			}
			return a.withStore(ctx, c, func(s *store.Store) error { return a.runs(ctx, c, s, q) })
		},
	}
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON; its fields are in go doc github.com/actually-robust-training/art/cmd/art"}
}

func outcomes() []string {
	var list []string
	for _, o := range store.Outcomes() {
		list = append(list, string(o))
	}
	return list
}

// query reads the flags.
func (a *app) query(c *cli.Command) (q store.Query, err error) {
	q = store.Query{Recipe: c.String("recipe"), Outcome: record.Outcome(c.String("outcome")), Step: c.String("step"), Limit: c.Int("n")}
	if o := string(q.Outcome); o != "" && !slices.Contains(outcomes(), o) {
		return q, badInput("no run ends as %q: it is one of %s", o, strings.Join(outcomes(), ", "))
	}
	if q.Limit < 0 {
		return q, badInput("-n %d: give a number from 1 on, or 0 for all runs", q.Limit)
	}
	q.Since, err = a.since(c.String("since"))
	return q, err
}

// runs prints the list.
func (a *app) runs(ctx context.Context, c *cli.Command, s *store.Store, q store.Query) error {
	recipes, err := s.Recipes(ctx)
	if err != nil {
		return err
	}
	if q.Recipe != "" && !slices.Contains(recipes, q.Recipe) {
		return badInput("recipe %q has no runs in %s: %s", q.Recipe, a.shown(s.Root()), suggest.Hint(q.Recipe, recipes))
	}
	list, err := s.Runs(ctx, q)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		rows := make([]runJSON, len(list))
		for i := range list {
			rows[i] = runOf(&list[i])
		}
		return a.sayJSON(rows)
	}
	if len(list) == 0 {
		return a.say("no runs in " + a.shown(s.Root()) + a.asked(c) + "\n")
	}
	text := a.listing(list)
	q.Limit = 0
	if all, err := s.Count(ctx, q); err == nil && all > len(list) {
		text += fmt.Sprintf("the newest %d of %d: -n 0 lists all\n", len(list), all)
	}
	return a.say(text)
}

// asked repeats the conditions in words.
func (a *app) asked(c *cli.Command) string {
	var given []string
	for _, name := range []string{"recipe", "outcome", "step", "since"} {
		if v := c.String(name); v != "" {
			given = append(given, name+" "+v)
		}
	}
	if len(given) == 0 {
		return ""
	}
	return " with " + strings.Join(given, ", ")
}

// runJSON is a run as --json prints it.
type runJSON struct {
	store.Summary
	Headline *store.Headline `json:"headline"`
}

func runOf(run *store.Summary) runJSON {
	r := runJSON{Summary: *run}
	if h, ok := run.Headline(); ok {
		r.Headline = &h
	}
	return r
}

// listing is the table of runs, with what is wrong with some below it.
func (a *app) listing(list []store.Summary) string {
	t := table{{"run", "recipe", "when", "outcome", "steps", "metric", "training", "validation", "time", "seed", "commit", "pinned"}}
	notes := ""
	for i := range list {
		run := &list[i]
		h, ok := run.Headline()
		metric, training, validation := "-", "-", "-"
		if ok {
			metric, training, validation = h.Metric, number(h.Training), number(h.Validation)
		}
		outcome := string(run.Outcome)
		if run.DryRun {
			outcome += ", dry"
		}
		pinned := run.Pin
		if run.Pinned {
			pinned = or(pinned, "yes")
		}
		t.add(run.ID, run.Recipe, stamp(run.Started), outcome, a.tally(run.Steps), metric, training, validation,
			checks.Duration(run.Duration), run.Seed, commit(*run), pinned)
		if run.Trouble != "" {
			notes += "! " + run.Path + " is damaged; what comes before counts: " + oneLine(run.Trouble) + "\n"
		}
	}
	return t.compact().align("", 2) + notes
}

// tally counts steps by what became of them.
func (a *app) tally(steps []store.Step) string {
	passed, failed, skipped, unfinished := 0, 0, 0, 0
	for _, s := range steps {
		switch s.Outcome {
		case record.Passed:
			passed++
		case record.Failed, record.Broken:
			failed++
		case record.Skipped:
			skipped++
		default:
			unfinished++
		}
	}
	var parts []string
	for _, p := range []struct {
		n    int
		sign string
	}{{passed, a.mark(record.Pass)}, {failed, a.mark(record.Fail)}, {skipped, "skipped"}, {unfinished, "unfinished"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.sign))
		}
	}
	return or(strings.Join(parts, " "), "-")
}
