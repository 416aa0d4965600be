package arttest

import (
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// Scope is what a running step sees of the recipe, and where it reports to.
type Scope struct {
	r        *R
	step     *step
	t        *testing.T
	progress *progress
	ended    bool     // guarded by r.mu: what comes later is dropped
	events   int      // recorded by the step; guarded by r.mu
	loops    int      // that it trained
	seed     *seedRun // another seed than the recipe's, nil if there is none
}

// Data is the recipe's, with the step's batch size. In a dry run each stage is
// its first batch.
func (s *Scope) Data() train.Data {
	d := s.r.recipe.Data
	if n := s.step.plan.Options.BatchSize; n > 0 {
		d.BatchSize = n
	}
	if s.Dry() {
		for _, stage := range []*train.Source{&d.Training, &d.Validation, &d.Test} {
			if *stage != nil {
				*stage = train.Limit(*stage, 1)
			}
		}
	}
	return d
}

// Metrics of the recipe, but for those that the step leaves out.
func (s *Scope) Metrics() []train.Metric { return s.r.metricsOf(s.step.plan) }

// Seed of the recipe. Steps share it, so that a model starts from the same
// weights in each. When a check asks for several seeds, the step runs with each.
func (s *Scope) Seed() uint64 {
	if s.seed != nil {
		return s.seed.seed
	}
	return s.r.recipe.Seed
}

// Decorators of the recipe and of the step, outermost first.
func (s *Scope) Decorators() []train.Decorator {
	d := append([]train.Decorator{}, s.r.recipe.Decorators...)
	return append(d, s.step.plan.Options.Decorators...)
}

// Dry reports whether this is a dry run (-short): one iteration, one batch of
// each stage, nothing is judged.
func (s *Scope) Dry() bool { return s.r.settings.short }

// Step is what this step recorded so far; its Run has the steps before. It is
// for the goroutine of the step, while no other reports.
func (s *Scope) Step() *record.StepRun {
	if s.seed != nil {
		return s.seed.run.Step(s.step.plan.Name)
	}
	return s.r.run.Step(s.step.plan.Name)
}

// stepKinds are the events that steps emit; all others are the recipe's own.
var stepKinds = []record.Kind{record.Scalar, record.Score, record.Vector, record.Text, record.ArtifactSaved, record.Found}

// Emit records an event of this step: a record.Scalar, Score, Vector, Text,
// ArtifactSaved or Found. Sequence, time and step are filled in. It may be called from any goroutine; what a
// goroutine reports that outlives the step is dropped.
func (s *Scope) Emit(e record.Event) {
	s.r.mu.Lock()
	s.emit(e)
	s.r.mu.Unlock()
	s.r.deliver()
}

func (s *Scope) emit(e record.Event) {
	if s.ended {
		return
	}
	if !slices.Contains(stepKinds, e.Kind) {
		s.r.troubled(fmt.Errorf("Scope.Emit: events of kind %q are not for steps to emit: use one of %q", e.Kind, stepKinds))
		return
	}
	if e.Step = s.step.plan.Name; e.Model == "" {
		e.Model = s.step.plan.Model
	}
	if s.seed != nil {
		_ = s.seed.run.Emit(e) // a fold takes every event
		return
	}
	s.events++
	s.r.record(e)
}

// Score records a whole-set score.
func (s *Scope) Score(stage, name string, value float64) {
	s.Emit(record.Event{Kind: record.Score, Stage: stage, Name: name, Value: value})
}

// Logf prints a line with the step's output and records it.
func (s *Scope) Logf(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	s.r.mu.Lock()
	s.emit(record.Event{Kind: record.Text, Name: "log", Text: line})
	s.r.mu.Unlock()
	s.tell(line)
	s.r.deliver()
}

// tell prints lines with the step's output, but for a step with another seed, of
// which many run at once.
func (s *Scope) tell(text string) {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	if !s.ended && s.seed == nil { // to write to the output of a test that is over would panic
		s.r.say(s.t, text)
	}
}

// Progress shows how far long work is: done of total units, 0 if the total is
// not known. It is cheap to call in every iteration.
func (s *Scope) Progress(done, total int, note string) {
	if s.seed != nil {
		s.seed.progress(done, total, note)
		return
	}
	s.progress.update(done, total, note)
}

// Save keeps a file among the artifacts of the run. Its name has an extension
// and may have folders: "batch.png", "decay/loss.svg". A second file of a name
// takes the place of the first. The file is there whole or not at all.
func (s *Scope) Save(name string, write func(io.Writer) error) error {
	s.r.mu.Lock()
	ended := s.ended
	s.r.mu.Unlock()
	if ended {
		return nil
	}
	if s.seed != nil {
		return artifactName(name)
	}
	a, err := s.r.dir.save(s.step.plan.Name, name, write)
	if err != nil {
		return fmt.Errorf("artifact %q: %w", name, err)
	}
	s.Emit(record.Event{Kind: record.ArtifactSaved, Artifact: &a})
	return nil
}

// end drops whatever the step still reports.
func (s *Scope) end() {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.ended = true
}

// Passes reports whether all checks of the step hold for what it recorded so
// far, warnings aside; those on several seeds, for the one at hand. A step that tries variants stops at the first that passes.
func (s *Scope) Passes() bool {
	if s.seed == nil {
		s.step.chose = true
		s.r.recall(s.step)
	}
	for _, c := range s.step.checks {
		if verdict(c.OnOneSeed(), s.Step()).Mark == record.Fail {
			return false
		}
	}
	return true
}
