package arttest

import (
	"context"
	"io"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/train"
)

// Stepper is a step of a recipe: what it is going to do, and doing it.
type Stepper interface {
	// Plan is asked for once, before anything runs. It must be cheap.
	Plan() Plan
	// Run does the work and reports it to the scope. An error means that the
	// step could not be carried out; a bad model is not an error but a matter for
	// checks. Run returns soon after the context is done.
	Run(ctx context.Context, s *Scope) error
}

// Plan says what a step is going to do.
type Plan struct {
	// Name is the name of the subtest: a-z, 0-9, dots and dashes.
	Name string
	// Model is the name of the model, empty for none.
	Model string
	// Settings of the step, recorded, and compared between runs.
	Settings map[string]string
	// Stages on which the step scores the recipe's metrics and the loss.
	Stages []string
	// Scores are whole-set scores that the step measures beside them.
	Scores []checks.Ref
	// Checks are the step's own; those handed to Step come after them.
	Checks []checks.Check
	// Inputs, if set, writes what the step reads that is neither in its fields nor
	// the recipe's data, such as weights in a file: when it changes, the result of
	// an earlier run is not reused.
	Inputs func(w io.Writer) error
	// Options are what every step lets its user choose.
	Options Options
}

// Options are what every step lets its user choose. Steps hold them in a field
// of this name.
type Options struct {
	// Name replaces the name of the step, to have a step twice in a recipe.
	Name string
	// After names the steps that this one needs. Nil: all before it. Empty but
	// not nil: none.
	After []string
	// ContinueOnFailure lets the steps that need this one run when it fails. The
	// test fails all the same.
	ContinueOnFailure bool
	// Decorators wrap the updates of this step, inside those of the recipe.
	Decorators []train.Decorator
	// WithoutChecks names default checks to leave out.
	WithoutChecks []string
	// WithoutMetrics names metrics of the recipe that this step does not compute.
	WithoutMetrics []string
	// BatchSize replaces that of the data.
	BatchSize int
	// Fresh runs the step always. It is for steps that read what nobody can see
	// the change of: a server, the clock.
	Fresh bool
}

// StepFunc is a step made of a function.
type StepFunc struct {
	// Name of the step.
	Name string
	// Scores that the function records, if checks are to read them.
	Scores []checks.Ref
	// Func is the step's Run.
	Func    func(ctx context.Context, s *Scope) error
	Options Options
}

// Plan returns name and scores.
func (f StepFunc) Plan() Plan { return Plan{Name: f.Name, Scores: f.Scores, Options: f.Options} }

// Run calls Func.
func (f StepFunc) Run(ctx context.Context, s *Scope) error { return f.Func(ctx, s) }
