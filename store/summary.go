package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

// Outcomes of a run that has no end yet, beside those of record.
const (
	// Running: its last event is younger than [Quiet].
	Running record.Outcome = "running"
	// Killed: it has no end, and has been quiet for longer.
	Killed record.Outcome = "killed"
)

// Quiet is how long a run without an end may be silent and still counts as
// running. A training records every iteration; the slowest steps that do not are
// done in less.
const Quiet = 10 * time.Minute

// Summary is what the index knows of a run.
type Summary struct {
	// ID is the name of the run's directory, Recipe that of the directory above it.
	ID     string `json:"run"`
	Recipe string `json:"recipe"`
	// Path is RECIPE/ID: the directory, relative to the folder of runs.
	Path    string    `json:"path"`
	Started time.Time `json:"started"`
	// Outcome is never empty: see Running and Killed.
	Outcome record.Outcome `json:"outcome"`
	// Duration is that of the whole run, or up to the last event, in nanoseconds.
	Duration time.Duration `json:"duration"`
	// Seed, Commit and Dirty come from the environment of the run; empty if it
	// does not say. Dirty means that the commit is not all there was.
	Seed   string `json:"seed"`
	Commit string `json:"commit"`
	Dirty  bool   `json:"dirty"`
	// DryRun is true under go test -short: one batch of each stage, nothing judged.
	DryRun bool `json:"dry-run"`
	// Pinned runs are never collected; Pin is the name the run was given, may be empty.
	Pinned bool   `json:"pinned"`
	Pin    string `json:"pin"`
	// Steps in the order in which they started.
	Steps []Step `json:"steps"`
	// Uses are the IDs of runs of the same recipe that results and files of this one
	// are taken from.
	Uses []string `json:"uses"`
	// Events and Bytes are the size of the event file.
	Events int64 `json:"events"`
	Bytes  int64 `json:"bytes"`
	// Last is the time of the last event.
	Last time.Time `json:"last"`
	// Trouble says why the event file could not be read to its end; what came
	// before counts. Empty for whole files, and for torn ones.
	Trouble string `json:"trouble"`
}

// Step is what the index knows of one execution of a step.
type Step struct {
	Name  string `json:"step"`
	Model string `json:"model"`
	// Outcome is empty if the step did not end.
	Outcome record.Outcome `json:"outcome"`
	// Reused is the ID of the run that the result was taken from, empty if the step
	// ran.
	Reused   string        `json:"reused"`
	Duration time.Duration `json:"duration"`
	// Passed, Warned and Failed count its checks.
	Passed int `json:"passed"`
	Warned int `json:"warned"`
	Failed int `json:"failed"`
	// Scores are the last of each trial, model, stage and metric, in the order in
	// which each was first measured. What has no stage is no score but a
	// measurement, and left out.
	Scores []Score `json:"scores"`
}

// Score is the value of a metric over a whole stage.
type Score struct {
	Trial  string `json:"trial"`
	Model  string `json:"model"`
	Stage  string `json:"stage"`
	Metric string `json:"metric"`
	Value  Number `json:"value"`
	// Rows is the number of rows it covers, 0 if not known.
	Rows int `json:"rows"`
}

// Number is a float64 whose JSON also has NaN and the infinities, as the strings
// "NaN", "+Inf" and "-Inf" of an event file.
type Number float64

// MarshalJSON writes the shortest decimal that reads back to the same bits.
func (n Number) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte(`"NaN"`), nil
	case math.IsInf(v, 1):
		return []byte(`"+Inf"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-Inf"`), nil
	default:
		return json.Marshal(v)
	}
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Number) UnmarshalJSON(b []byte) error {
	switch string(b) {
	case `"NaN"`:
		*n = Number(math.NaN())
	case `"+Inf"`:
		*n = Number(math.Inf(1))
	case `"-Inf"`:
		*n = Number(math.Inf(-1))
	default:
		return json.Unmarshal(b, (*float64)(n))
	}
	return nil
}

// Headline is the score that stands for a run: the first metric that the last step
// with scores measured, the loss only if there is no other, of the last trial.
// ok is false if no step has scores.
func (s *Summary) Headline() (h Headline, ok bool) {
	for i := len(s.Steps) - 1; i >= 0; i-- {
		if h, ok := s.Steps[i].headline(); ok {
			return h, true
		}
	}
	return Headline{}, false
}

// Headline is one metric on training and validation data; a stage that was not
// scored is nil.
type Headline struct {
	Step       string  `json:"step"`
	Metric     string  `json:"metric"`
	Training   *Number `json:"training"`
	Validation *Number `json:"validation"`
}

func (s *Step) headline() (h Headline, ok bool) {
	h = Headline{Step: s.Name}
	for _, c := range s.Scores {
		if learns(c.Stage) && (h.Metric == "" || h.Metric == "loss" && c.Metric != "loss") {
			h.Metric = c.Metric
		}
	}
	// Trials come in the order of the step: the last that has a score of the metric counts.
	last := ""
	for _, c := range s.Scores {
		if learns(c.Stage) && c.Metric == h.Metric {
			last, ok = c.Trial+"\x00"+c.Model, true
		}
	}
	for i := range s.Scores {
		c := &s.Scores[i]
		switch {
		case c.Metric != h.Metric || c.Trial+"\x00"+c.Model != last:
		case c.Stage == "training":
			h.Training = &c.Value
		case c.Stage == "validation":
			h.Validation = &c.Value
		}
	}
	return h, ok
}

func learns(stage string) bool { return stage == "training" || stage == "validation" }

// summarize reads an event file. It never fails: what cannot be read is the
// summary's Trouble. Outcome is left empty for a run without an end.
func summarize(from io.Reader) Summary {
	var run record.Run
	s := Summary{Steps: []Step{}, Uses: []string{}}
	reused := map[int]string{} // by the number of the step
	for e, err := range record.NewReader(from).All() {
		if err != nil {
			s.Trouble = err.Error()
			break
		}
		if s.Events++; e.Time.After(s.Last) {
			s.Last = e.Time
		}
		// Curves, texts and files are most of a run and none of its summary.
		switch e.Kind {
		case record.RunStart, record.RunEnd, record.StepStart, record.StepEnd, record.Score, record.Judged:
			if err := run.Emit(e); err != nil {
				s.Trouble = fmt.Sprintf("event %d: %v", e.Seq, err)
			}
		}
		if e.Kind == record.StepStart {
			reused[len(run.Steps)-1] = e.Text
			s.use(e.Text)
		}
		if e.Kind == record.ArtifactSaved && e.Artifact != nil {
			s.use(beside(e.Artifact.Path))
		}
	}
	s.Started, s.Outcome, s.Duration = run.Started, run.Outcome, run.Duration
	if s.Outcome == "" && !s.Started.IsZero() {
		s.Duration = s.Last.Sub(s.Started)
	}
	s.Seed, s.Commit = run.Settings["seed"], run.Settings["commit"]
	s.Dirty = run.Settings["diff"] != "" && run.Settings["diff"] != "clean"
	if s.Commit == "" { // of runs that do not say, what the go command stamped
		s.Commit, s.Dirty = run.Settings["vcs.revision"], run.Settings["vcs.modified"] == "true"
	}
	s.DryRun = run.Settings["dry-run"] == "true"
	for i, step := range run.Steps {
		s.Steps = append(s.Steps, stepOf(step))
		s.Steps[i].Reused = reused[i]
	}
	return s
}

// use notes a run that something is taken from.
func (s *Summary) use(id string) {
	if id != "" && !slices.Contains(s.Uses, id) {
		s.Uses = append(s.Uses, id)
	}
}

// beside is the ID of the run that a path of an artifact leads to: "../7Q2K/overfit/x".
func beside(path string) string {
	rest, ok := strings.CutPrefix(path, "../")
	id, _, deeper := strings.Cut(rest, "/")
	if !ok || !deeper || id == ".." {
		return ""
	}
	return id
}

func stepOf(r *record.StepRun) Step {
	s := Step{Name: r.Name, Model: r.Model, Outcome: r.Outcome, Duration: r.Duration, Scores: []Score{}}
	for _, v := range r.Verdicts {
		switch v.Mark {
		case record.Pass:
			s.Passed++
		case record.Warn:
			s.Warned++
		default:
			s.Failed++
		}
	}
	for _, c := range r.Series {
		if p, ok := c.Last(); ok && c.Whole && c.Stage != "" {
			s.Scores = append(s.Scores, Score{c.Trial, c.Model, c.Stage, c.Name, Number(p.Value), p.Rows})
		}
	}
	return s
}

// settle gives a run without an end its outcome.
func (s *Summary) settle(now time.Time) {
	if s.Outcome != "" {
		return
	}
	s.Outcome = Killed
	if now.Sub(s.Last) < Quiet {
		s.Outcome = Running
	}
}

// ErrNoRun is what an error of Find is when no run answers to the name.
var ErrNoRun = errors.New("no such run")
