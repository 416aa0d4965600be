package arttest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/record"
)

// seedRun is the step with another seed than the recipe's. What it reports is folded
// and not written; its final scores are, at the end.
type seedRun struct {
	seed     uint64
	run      *record.Run
	progress func(done, total int, note string)

	print  fingerprint.Print
	from   string         // the run that its scores were taken from, "" if it ran
	scores []record.Event // of that run
	done   chan error
	ctx    context.Context
	cancel context.CancelFunc
}

// runSeeds runs the step with as many more seeds as its checks ask for, after it
// has run with the recipe's. They are recorded in order, whichever ends first. When
// the step breaks with one, those after it are stopped, so that the error is that
// of the lowest, however they were scheduled.
func (s *Scope) runSeeds(ctx context.Context) error {
	if s.step.seeds == 0 || s.Dry() {
		return nil
	}
	s.recordSeed(s.r.recipe.Seed, s.Step())
	others := s.otherSeeds()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.startSeeds(ctx, others)
	for i, o := range others {
		if o.from != "" {
			s.takeOver(o.scores)
			s.tellSeed(o.seed, fmt.Sprintf(" (%s from run %s)", again, o.from))
			continue
		}
		err := <-o.done
		if err == nil {
			err = ctx.Err() // half of its work may have been done
		}
		if err != nil {
			stopSeeds(others[i+1:])
			return fmt.Errorf("with seed %d (-art.seed=%d begins with it): %w", o.seed, o.seed, err)
		}
		s.keepSeed(o)
	}
	return nil
}

// stopSeeds tells those at work to stop, and waits for them.
func stopSeeds(others []*seedRun) {
	for _, o := range others {
		o.cancel()
	}
	for _, o := range others {
		if o.from == "" {
			<-o.done //nolint:errcheck // it says that it was stopped
		}
	}
}

// otherSeeds are those after the recipe's, with what earlier runs recorded of them.
func (s *Scope) otherSeeds() []*seedRun {
	var others []*seedRun
	for seed := s.r.recipe.Seed; len(others) < s.step.seeds-1; {
		if seed++; seed == 0 { // which is no seed
			continue
		}
		o := &seedRun{seed: seed, run: s.r.fork(s.step), done: make(chan error, 1), print: seedPrint(s.step, seed)}
		if s.r.settings.reuse && s.seedKnown() {
			o.from, o.scores, _ = s.findPart(o.print.Sum())
		}
		others = append(others, o)
	}
	return others
}

// seedKnown reports whether what the step does with a seed follows from its
// fingerprint: not if it asks its checks, which may change, on the way.
func (s *Scope) seedKnown() bool { return s.step.sum != "" && !s.step.chose }

// seedPrint is the fingerprint of a step with another seed. With how many more it
// runs does not matter.
func seedPrint(st *step, seed uint64) fingerprint.Print {
	p := fingerprint.Print{Ingredients: slices.DeleteFunc(slices.Clone(st.print.Ingredients), func(in fingerprint.Ingredient) bool {
		return in.Name == seedsOf(0)[1].Name
	})}
	p.Add(fingerprint.Settings(st.plan.Name, map[string]string{"seed of the trial": fmt.Sprint(seed)})[1:]...)
	return p
}

// seedsOf is the number of seeds as an ingredient of a fingerprint.
func seedsOf(n int) []fingerprint.Ingredient {
	return fingerprint.Settings("", map[string]string{"number of seeds": fmt.Sprint(n)})
}

// startSeeds starts those that are not known: in order, as many at a time as there
// are threads.
func (s *Scope) startSeeds(ctx context.Context, others []*seedRun) {
	report := s.progress.share(others)
	queue := make(chan *seedRun, len(others))
	for i, o := range others {
		o.ctx, o.cancel = context.WithCancel(ctx)
		o.progress = func(done, total int, note string) { report(i, done, total, note) }
		if o.from != "" {
			o.progress(1, 1, "")
			continue
		}
		queue <- o
	}
	close(queue)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for o := range queue {
				scope := &Scope{r: s.r, step: s.step, t: s.t, seed: o}
				o.done <- contain(func() error {
					defer scope.end()
					if err := o.ctx.Err(); err != nil {
						return err
					}
					return s.step.Run(o.ctx, scope)
				})
			}
		}()
	}
}

// keepSeed records the scores of a seed, and where later runs find them.
func (s *Scope) keepSeed(o *seedRun) {
	from, _ := s.recorded()
	s.recordSeed(o.seed, o.run.Step(s.step.plan.Name))
	to, whole := s.recorded()
	if !whole || !s.seedKnown() {
		return
	}
	entry := passedStep{Run: s.r.dir.id, Step: s.step.plan.Name, Trial: checks.SeedTrial(o.seed), Time: time.Now().UTC(),
		Sum: o.print.Sum(), Ingredients: o.print.Ingredients, From: from, To: to}
	if err := s.r.history.write(s.r.history.tried(s.step.plan.Name, entry.Sum), entry); err != nil {
		s.tell(fmt.Sprintf("%s will run again in later runs: %v", entry.Trial, err))
	}
}

// recordSeed records the scores on whole stages that a step ended with as those of a
// seed: of trials, the last.
func (s *Scope) recordSeed(seed uint64, of *record.StepRun) {
	type name struct{ metric, stage string }
	seen := map[name]bool{}
	for _, c := range slices.Clone(of.Series) {
		n := name{c.Name, c.Stage}
		if !c.Whole || c.Stage == "" || seen[n] {
			continue
		}
		seen[n] = true
		p, _ := of.Score(c.Name, c.Stage)
		s.Emit(record.Event{Kind: record.Scalar, Trial: checks.SeedTrial(seed), Model: c.Model, Stage: c.Stage, Name: c.Name,
			Iteration: p.Iteration, Epoch: p.Epoch, Value: p.Value, Rows: p.Rows})
	}
	s.tellSeed(seed, "")
}

// tellSeed prints what the checks on several seeds read of one.
func (s *Scope) tellSeed(seed uint64, more string) {
	var scores []string
	for _, c := range s.step.checks {
		if c.Seeds == 0 {
			continue
		}
		for _, series := range s.Step().Series {
			ref := checks.Ref{Metric: series.Name, Stage: series.Stage}
			if p, ok := series.Last(); ok && !series.Whole && series.Trial == checks.SeedTrial(seed) && slices.Contains(c.Reads, ref) {
				if text := fmt.Sprintf("%s %s %s", ref.Stage, ref.Metric, checks.Number(p.Value)); !slices.Contains(scores, text) {
					scores = append(scores, text)
				}
			}
		}
	}
	s.tell(fmt.Sprintf("seed %d: %s%s", seed, or(strings.Join(scores, ", "), "no score"), more))
}

// fork is a run with the steps before one, and that one just begun.
func (r *R) fork(st *step) *record.Run {
	steps := slices.DeleteFunc(slices.Clone(r.run.Steps), func(s *record.StepRun) bool { return s.Name == st.plan.Name })
	run := &record.Run{ID: r.run.ID, Recipe: r.run.Recipe, Settings: r.run.Settings, Earlier: r.run.Earlier, Steps: steps}
	_ = run.Emit(record.Event{Kind: record.StepStart, Step: st.plan.Name, Model: st.plan.Model, Settings: st.plan.Settings}) // a fold takes every event
	return run
}
