package checks_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

func TestNoWorseThan(t *testing.T) {
	run := func(id string, value float64, pinned bool) *record.Run {
		r := &record.Run{ID: id, Pinned: pinned}
		_ = r.Emit(record.Event{Kind: record.StepStart, Step: "overfit"})
		_ = r.Emit(record.Event{Kind: record.Score, Step: "overfit", Stage: "validation", Name: "accuracy", Value: value})
		_ = r.Emit(record.Event{Kind: record.Score, Step: "overfit", Stage: "validation", Name: "loss", Value: value})
		return r
	}
	past := []*record.Run{run("A", 0.7, true), run("B", 0.9, false), run("C", math.NaN(), true), run("D", 0.8, false), {ID: "E"}}
	for name, c := range map[string]struct {
		check checks.Check
		now   float64
		past  []*record.Run
		want  record.Mark
		note  string
	}{
		"best":                {checks.NoWorseThan(checks.Best, "accuracy", "validation", 0.02), 0.89, past, record.Pass, "0.900 in run B"},
		"worse than best":     {checks.NoWorseThan(checks.Best, "accuracy", "validation", 0.02), 0.87, past, record.Fail, "0.900 in run B"},
		"last":                {checks.NoWorseThan(checks.Last, "accuracy", "validation", 0), 0.8, past, record.Pass, "0.800 in run D"},
		"worse than last":     {checks.NoWorseThan(checks.Last, "accuracy", "validation", 0), 0.79, past, record.Fail, "0.800 in run D"},
		"pinned":              {checks.NoWorseThan(checks.Pinned, "accuracy", "validation", 0), 0.71, past, record.Pass, "0.700 in run A"},
		"worse than pinned":   {checks.NoWorseThan(checks.Pinned, "accuracy", "validation", 0), 0.69, past, record.Fail, "0.700 in run A"},
		"nothing pinned":      {checks.NoWorseThan(checks.Pinned, "accuracy", "validation", 0), 1, past[1:2], record.Fail, ""},
		"nothing earlier":     {checks.NoWorseThan(checks.Best, "accuracy", "validation", 0), 0, nil, record.Pass, "no earlier run"},
		"no number":           {checks.NoWorseThan(checks.Last, "accuracy", "validation", 9), math.NaN(), past, record.Fail, "0.800 in run D"},
		"loss":                {checks.NoWorseThan(checks.Best, "loss", "validation", 0.1), 0.79, past, record.Pass, "0.700 in run A"},
		"loss is higher":      {checks.NoWorseThan(checks.Best, "loss", "validation", 0.1), 0.81, past, record.Fail, "0.700 in run A"},
		"less is better":      {checks.NoMoreThan(checks.Best, "accuracy", "validation", 0), 0.7, past, record.Pass, "0.700 in run A"},
		"less is better, not": {checks.NoMoreThan(checks.Last, "accuracy", "validation", 0), 0.81, past, record.Fail, "0.800 in run D"},
	} {
		t.Run(name, func(t *testing.T) {
			r := run("now", c.now, false)
			r.Earlier = c.past
			v := c.check.Run(r.Step("overfit"))
			assert.Equal(t, c.want, v.Mark, "%+v", v)
			assert.Equal(t, c.note, v.Note)
			assert.NoError(t, c.check.Err())
			assert.True(t, c.check.History)
		})
	}
}
