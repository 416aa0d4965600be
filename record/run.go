package record

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Run is what a stream of events adds up to. It is a Sink; every view of a run
// is a function of it. The zero value is ready.
type Run struct {
	// ID and Recipe name the run; Settings describe its environment.
	ID, Recipe string
	Settings   map[string]string
	Started    time.Time
	Outcome    Outcome
	Duration   time.Duration
	// Steps in the order in which they started.
	Steps []*StepRun
	// Earlier are runs of the same recipe before this one, oldest first: of each step
	// that passed in one, the last values of whole-set scores. It is there only when
	// a check asks for it. Pinned is known of such runs only.
	Earlier []*Run
	Pinned  bool
	// Events is the number of events taken in.
	Events int64

	last map[string]*StepRun
}

// StepRun is one execution of a step.
type StepRun struct {
	Name, Model string
	Settings    map[string]string
	Started     time.Time
	Outcome     Outcome
	// Reused is the run that the result was taken from, "" if the step ran.
	Reused string
	// Reason says why it did not pass.
	Reason    string
	Duration  time.Duration
	Series    []*Series
	Verdicts  []Verdict
	Artifacts []Artifact
	Texts     []Line
	Findings  []Finding

	run   *Run
	index map[key]*Series
}

// Finding is evidence of a step, under the name of the trouble it points to.
type Finding struct {
	Trial, Name string
	Verdict
}

// Line is a line of text with its name.
type Line struct{ Name, Text string }

// Series is the numbers that share trial, model, stage and name, in the order in which
// they came.
type Series struct {
	Trial, Model, Stage, Name string
	// Whole is true for scores over a whole set of data.
	Whole  bool
	Points []Point
}

// Point is one number of a series.
type Point struct {
	Iteration, Epoch int
	Value            float64
	// Rows is the size of the set that a score covers, 0 if not known.
	Rows int
	// Values and Shape hold a vector; Value is then unused.
	Values []float64
	Shape  []int
}

type key struct {
	trial, model, stage, name string
	whole                     bool
}

// Emit folds an event in. Events of a step that never started open it, so a
// stream that lost its beginning still adds up.
func (r *Run) Emit(e Event) error {
	r.Events++
	switch e.Kind {
	case RunStart:
		r.Recipe, r.ID, r.Settings, r.Started = e.Name, e.Text, maps.Clone(e.Settings), e.Time
	case RunEnd:
		r.Outcome, r.Duration = e.Outcome, e.Duration
	case StepStart:
		r.start(&StepRun{Name: e.Step, Model: e.Model, Settings: maps.Clone(e.Settings), Started: e.Time, Reused: e.Text})
	default:
		if e.Step != "" {
			r.step(e.Step).fold(e)
		}
	}
	return nil
}

// Step returns the last execution of the named step, or nil.
func (r *Run) Step(name string) *StepRun {
	for i := len(r.Steps) - 1; i >= 0; i-- {
		if r.Steps[i].Name == name {
			return r.Steps[i]
		}
	}
	return nil
}

// step is Step, at the same cost however many steps there are; it opens those
// that never started.
func (r *Run) step(name string) *StepRun {
	s := r.last[name]
	if s == nil {
		s = &StepRun{Name: name}
		r.start(s)
	}
	return s
}

func (r *Run) start(s *StepRun) {
	if r.last == nil {
		r.last = map[string]*StepRun{}
	}
	s.run = r
	r.last[s.Name] = s
	r.Steps = append(r.Steps, s)
}

func (s *StepRun) fold(e Event) {
	switch e.Kind {
	case StepEnd:
		s.Outcome, s.Reason, s.Duration = e.Outcome, e.Text, e.Duration
	case Scalar, Score, Vector:
		series := s.series(key{e.Trial, e.Model, e.Stage, e.Name, e.Kind == Score})
		if len(series.Points) == cap(series.Points) {
			// Twice as much at a time: append alone would copy a long series five times.
			series.Points = append(make([]Point, 0, max(2*len(series.Points), 16)), series.Points...)
		}
		series.Points = append(series.Points, Point{
			Iteration: e.Iteration, Epoch: e.Epoch, Value: e.Value, Rows: e.Rows,
			Values: slices.Clone(e.Values), Shape: slices.Clone(e.Shape),
		})
	case Text:
		s.Texts = append(s.Texts, Line{e.Name, e.Text})
	case ArtifactSaved:
		if e.Artifact != nil {
			a := *e.Artifact
			a.Shape = slices.Clone(a.Shape)
			s.Artifacts = append(s.Artifacts, a)
		}
	case Found:
		if e.Verdict != nil {
			s.Findings = append(s.Findings, Finding{Trial: e.Trial, Name: e.Name, Verdict: e.Verdict.clone()})
		}
	case Judged:
		if e.Verdict != nil {
			s.Verdicts = append(s.Verdicts, e.Verdict.clone())
		}
	}
}

func (v Verdict) clone() Verdict {
	v.Evidence, v.Likely = slices.Clone(v.Evidence), slices.Clone(v.Likely)
	v.Try, v.Files = slices.Clone(v.Try), slices.Clone(v.Files)
	return v
}

func (s *StepRun) series(k key) *Series {
	if found := s.index[k]; found != nil {
		return found
	}
	if s.index == nil {
		s.index = map[key]*Series{}
	}
	series := &Series{Trial: k.trial, Model: k.model, Stage: k.stage, Name: k.name, Whole: k.whole}
	s.index[k] = series
	s.Series = append(s.Series, series)
	return series
}

// Run is the run that the step belongs to: its earlier steps are there.
func (s *StepRun) Run() *Run { return s.run }

// Scores returns the whole-set scores of a metric on a stage, of the last
// trial that has any. Nil when there are none.
func (s *StepRun) Scores(name, stage string) *Series {
	return s.last(name, stage, true)
}

// Curve returns what was measured in every iteration under a name, of the last
// trial that has any. Nil when there is nothing.
func (s *StepRun) Curve(name string) *Series {
	return s.last(name, "", false)
}

func (s *StepRun) last(name, stage string, whole bool) *Series {
	for i := len(s.Series) - 1; i >= 0; i-- {
		if c := s.Series[i]; c.Name == name && c.Stage == stage && c.Whole == whole {
			return c
		}
	}
	return nil
}

// Score is the last whole-set score of a metric on a stage; ok is false when
// there is none.
func (s *StepRun) Score(name, stage string) (p Point, ok bool) {
	return s.Scores(name, stage).Last()
}

// Last is the last point; ok is false for an empty or nil series.
func (c *Series) Last() (p Point, ok bool) {
	if c == nil || len(c.Points) == 0 {
		return Point{Value: math.NaN()}, false
	}
	return c.Points[len(c.Points)-1], true
}

// Values returns the values in order.
func (c *Series) Values() []float64 {
	if c == nil {
		return nil
	}
	v := make([]float64, len(c.Points))
	for i, p := range c.Points {
		v[i] = p.Value
	}
	return v
}
