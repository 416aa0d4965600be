package record_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// A run keeps no numbers and times of its events, and what happened inside a
// step in the order of each series, verdict, artifact and text.
func TestRunIsASink(t *testing.T) {
	keeps := func(e record.Event) (record.Event, bool) {
		e.Seq = 0
		if e.Kind != record.RunStart && e.Kind != record.StepStart {
			e.Time = time.Time{}
		}
		return e, true
	}
	recordtest.TestLossy(t, recordtest.Lossy{Keeps: keeps, Grouped: true}, func(*testing.T) (record.Sink, func() ([]record.Event, error)) {
		var run record.Run
		return &run, func() ([]record.Event, error) { return unfold(&run), nil }
	})
}

// unfold turns a run back into events.
func unfold(r *record.Run) []record.Event {
	var events []record.Event
	add := func(e record.Event) { events = append(events, e) }
	if !r.Started.IsZero() {
		add(record.Event{Kind: record.RunStart, Name: r.Recipe, Text: r.ID, Settings: r.Settings, Time: r.Started})
	}
	for _, s := range r.Steps {
		if !s.Started.IsZero() {
			add(record.Event{Kind: record.StepStart, Step: s.Name, Model: s.Model, Settings: s.Settings, Time: s.Started})
		}
		for _, c := range s.Series {
			for _, p := range c.Points {
				e := record.Event{Kind: record.Scalar, Step: s.Name, Trial: c.Trial, Model: c.Model, Stage: c.Stage, Name: c.Name,
					Iteration: p.Iteration, Epoch: p.Epoch, Value: p.Value, Rows: p.Rows, Values: p.Values, Shape: p.Shape}
				switch {
				case c.Whole:
					e.Kind = record.Score
				case c.Name == "all" || c.Name == "none" || p.Values != nil:
					e.Kind = record.Vector
				}
				add(e)
			}
		}
		for _, l := range s.Texts {
			add(record.Event{Kind: record.Text, Step: s.Name, Name: l.Name, Text: l.Text})
		}
		for _, v := range s.Verdicts {
			add(record.Event{Kind: record.Judged, Step: s.Name, Verdict: &v})
		}
		for _, f := range s.Findings {
			add(record.Event{Kind: record.Found, Step: s.Name, Trial: f.Trial, Name: f.Name, Verdict: &f.Verdict})
		}
		for _, a := range s.Artifacts {
			add(record.Event{Kind: record.ArtifactSaved, Step: s.Name, Artifact: &a})
		}
		if s.Outcome != "" {
			add(record.Event{Kind: record.StepEnd, Step: s.Name, Outcome: s.Outcome, Text: s.Reason, Duration: s.Duration})
		}
	}
	if r.Outcome != "" {
		add(record.Event{Kind: record.RunEnd, Outcome: r.Outcome, Duration: r.Duration})
	}
	return events
}

func TestRunAnswers(t *testing.T) {
	var run record.Run
	recordtest.Emit(t, &run, recordtest.Example()...)
	assert.Equal(t, int64(67), run.Events)
	s := run.Step("regularize")
	assert.Same(t, &run, s.Run())
	assert.Nil(t, run.Step("none"))

	p, ok := s.Score("accuracy", "validation")
	assert.True(t, ok)
	assert.Equal(t, 28./30, p.Value, "the last trial")
	p, ok = s.Score("accuracy", "test")
	assert.False(t, ok)
	assert.True(t, math.IsNaN(p.Value))
	assert.Nil(t, s.Curve("loss"))
	assert.Nil(t, s.Curve("loss").Values())
	assert.Len(t, run.Step("overfit").Curve("gradient norm").Values(), 12)
	p, ok = run.Step("overfit").Curve("gradient norm").Last()
	assert.True(t, ok)
	assert.Equal(t, 11, p.Iteration)
}

// A step that runs again has its own StepRun; a stream without its beginning
// opens the step.
func TestRunKeepsExecutionsApart(t *testing.T) {
	var run record.Run
	loss := func(v float64) record.Event {
		return record.Event{Kind: record.Scalar, Step: "overfit", Name: "loss", Value: v}
	}
	recordtest.Emit(t, &run, loss(1), record.Event{Kind: record.StepStart, Step: "overfit"}, loss(2), loss(3))
	require.Len(t, run.Steps, 2)
	assert.Equal(t, []float64{1}, run.Steps[0].Curve("loss").Values())
	assert.Equal(t, []float64{2, 3}, run.Steps[1].Curve("loss").Values())
	assert.Same(t, run.Steps[1], run.Step("overfit"))
}
