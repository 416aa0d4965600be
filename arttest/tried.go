package arttest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// Part is one of several things that a step does, of which each stands alone: what it
// records depends on the recipe, the steps before, and on what is said here.
type Part struct {
	// Name of the trial. Unique within the step.
	Name string
	// Settings are compared between runs.
	Settings map[string]string
	// Model that is built, if any.
	Model train.Model
	// Values are whatever else the part is made of: structs, functions, data. Their
	// source and content count.
	Values []any
}

// Once carries out a part of the step, unless an earlier run has, passed or not,
// and nothing that the part depends on has changed since. Then what was recorded
// there is taken over. So a step that failed and gets one more variant trains
// that one only.
func (s *Scope) Once(ctx context.Context, p Part, do func() error) error {
	if s.seed != nil {
		return do()
	}
	print, known := s.partPrint(ctx, p)
	if known && s.r.settings.reuse {
		if run, events, ok := s.findPart(print.Sum()); ok {
			s.takeOver(events)
			s.tell(fmt.Sprintf("%s %s was tried in run %s (nothing it depends on has changed)", again, p.Name, run))
			return nil
		}
	}
	from, _ := s.recorded()
	if err := do(); err != nil {
		return err
	}
	to, whole := s.recorded()
	if !known || !whole || ctx.Err() != nil {
		return nil
	}
	entry := passedStep{Run: s.r.dir.id, Step: s.step.plan.Name, Trial: p.Name, Time: time.Now().UTC(), Sum: print.Sum(),
		Ingredients: print.Ingredients, From: from, To: to}
	if err := s.r.history.write(s.r.history.tried(s.step.plan.Name, entry.Sum), entry); err != nil {
		s.tell(fmt.Sprintf("%s will be tried again by later runs: %v", p.Name, err))
	}
	return nil
}

// findPart finds what an earlier run recorded of a part.
func (s *Scope) findPart(sum string) (run string, events []record.Event, ok bool) {
	h := s.r.history
	old, err := h.read(h.tried(s.step.plan.Name, sum))
	if err != nil || old.Sum != sum || old.Run == s.r.dir.id {
		return "", nil, false
	}
	events, _, err = h.events(old.Run, old.Step)
	if err != nil || old.From < 0 || old.From > old.To || old.To > len(events) || !h.whole(events[old.From:old.To], s.r.dir.path) {
		return "", nil, false
	}
	return old.Run, events[old.From:old.To], true
}

// partPrint is the fingerprint of a part; ok is false if there is none.
func (s *Scope) partPrint(ctx context.Context, p Part) (print fingerprint.Print, ok bool) {
	if s.step.sum == "" || s.Dry() {
		return print, false
	}
	err := contain(func() (err error) {
		print, err = s.r.prints.part(ctx, s.r.recipe, s.step, p)
		return err
	})
	return print, err == nil
}

// part is the fingerprint of a part of a step: without the call of Step, which has
// the other parts, too.
func (p *printer) part(ctx context.Context, recipe Recipe, st *step, part Part) (fingerprint.Print, error) {
	var all fingerprint.Print
	all.Add(p.shared...)
	options := st.plan.Options
	all.Add(fingerprint.Settings(st.plan.Name+": "+part.Name, part.Settings)...)
	all.Add(fingerprint.Settings(st.plan.Name, map[string]string{
		"own batch size": strconv.Itoa(options.BatchSize), "metrics left out": strings.Join(options.WithoutMetrics, ", ")})...)
	values := append([]any{options.Decorators, recipe.Decorators}, part.Values...)
	for i, v := range part.Values {
		for _, held := range fingerprint.HeldBy(v) {
			in, err := fingerprint.Data(ctx, fmt.Sprintf("data of %d %s", i, held.Where), held.Data, recipe.Seed)
			if err != nil {
				return all, err
			}
			all.Add(in...)
		}
	}
	if part.Model.New != nil {
		learner, err := part.Model.Build(recipe.Data, recipe.Data.Training, recipe.Seed)
		if err != nil {
			return all, err
		}
		all.Add(fingerprint.Structure(part.Model.Name, learner))
		values = append(values, part.Model)
	}
	for _, source := range []func() ([]fingerprint.Ingredient, error){
		func() ([]fingerprint.Ingredient, error) {
			return p.reader.Code([]fingerprint.Site{{Call: p.recipe, First: 1, Last: -1}})
		},
		func() ([]fingerprint.Ingredient, error) { return p.reader.Code(nil, values...) },
	} {
		in, err := source()
		if err != nil {
			return all, err
		}
		all.Add(in...)
	}
	for _, need := range st.needs {
		all.Add(fingerprint.Upstream(need.plan.Name, need.sum))
	}
	return all, nil
}
