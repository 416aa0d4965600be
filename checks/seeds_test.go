package checks

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

// Quantiles as scipy.stats.t.ppf(0.95, n) has them.
func TestStudent(t *testing.T) {
	for freedom, want := range map[int]float64{
		1: 6.313751514675, 2: 2.919985580356, 3: 2.353363434802, 4: 2.131846786327, 5: 2.015048372669, 6: 1.943180280515,
		9: 1.833112932656, 19: 1.729132811521, 30: 1.697260886594, 100: 1.660234326085,
	} {
		assert.InDelta(t, want, studentT95(freedom), 1e-9, "%d degrees of freedom", freedom)
	}
}

// seeded is a step with a score of its own and those of seeds from 1 on.
func seeded(values ...float64) *record.StepRun {
	r := &record.Run{Earlier: []*record.Run{{ID: "A"}}}
	_ = r.Earlier[0].Emit(record.Event{Kind: record.Score, Step: "fit", Stage: "validation", Name: "accuracy", Value: 0.7})
	_ = r.Emit(record.Event{Kind: record.Score, Step: "fit", Stage: "validation", Name: "accuracy", Value: values[0]})
	for i, v := range values {
		_ = r.Emit(record.Event{Kind: record.Scalar, Step: "fit", Trial: SeedTrial(uint64(i + 1)), Stage: "validation", Name: "loss", Value: 9})
		_ = r.Emit(record.Event{Kind: record.Scalar, Step: "fit", Trial: SeedTrial(uint64(i + 1)), Stage: "validation", Name: "accuracy", Value: v})
	}
	return r.Step("fit")
}

func TestSeeds(t *testing.T) {
	// mean 0.8, deviation 0.1; 3 seeds: ± 2.919986·0.1/√3 = 0.168585
	values := []float64{0.9, 0.8, 0.7}
	for name, c := range map[string]struct {
		n     int
		check Check
		of    []float64
		want  record.Mark
		got   string
		note  string
	}{
		"at least":        {3, AtLeast("accuracy", "validation", 0.63), values, record.Pass, "0.631", "lower 95 % bound of the mean 0.800, std 0.1, worst 0.700 with seed 3"},
		"not at least":    {3, AtLeast("accuracy", "validation", 0.632), values, record.Fail, "0.631", "lower 95 % bound of the mean 0.800, std 0.1, worst 0.700 with seed 3"},
		"at most":         {3, AtMost("accuracy", "validation", 0.969), values, record.Pass, "0.969", "upper 95 % bound of the mean 0.800, std 0.1, worst 0.900 with seed 1"},
		"not at most":     {3, AtMost("accuracy", "validation", 0.96), values, record.Fail, "0.969", "upper 95 % bound of the mean 0.800, std 0.1, worst 0.900 with seed 1"},
		"all equal":       {4, AtLeast("accuracy", "validation", 0.5), []float64{0.5, 0.5, 0.5, 0.5}, record.Pass, "0.500", "lower 95 % bound of the mean 0.500, std 0, worst 0.500 with seed 1"},
		"no number":       {3, AtLeast("accuracy", "validation", 0), []float64{1, math.NaN(), 1}, record.Fail, "NaN", "lower 95 % bound of the mean NaN, std NaN, worst NaN with seed 2"},
		"no number above": {3, AtMost("accuracy", "validation", 9), []float64{1, 1, math.NaN()}, record.Fail, "NaN", "upper 95 % bound of the mean NaN, std NaN, worst NaN with seed 3"},
		"infinite":        {3, AtMost("accuracy", "validation", 9), []float64{1, math.Inf(1), 1}, record.Fail, "NaN", "upper 95 % bound of the mean +Inf, std NaN, worst +Inf with seed 2"},
		"past":            {3, NoWorseThan(Best, "accuracy", "validation", 0.1), values, record.Pass, "0.631", "0.700 in run A; lower 95 % bound of the mean 0.800, std 0.1, worst 0.700 with seed 3"},
		"worse than past": {3, NoWorseThan(Best, "accuracy", "validation", 0), values, record.Fail, "0.631", "0.700 in run A; lower 95 % bound of the mean 0.800, std 0.1, worst 0.700 with seed 3"},
		"too few":         {5, AtLeast("accuracy", "validation", 0), values, record.Fail, "3", ""},
		"a warning":       {3, Warn(AtLeast("accuracy", "validation", 1)), values, record.Warn, "0.631", "lower 95 % bound of the mean 0.800, std 0.1, worst 0.700 with seed 3"},
	} {
		t.Run(name, func(t *testing.T) {
			check := Seeds(c.n, c.check)
			require.NoError(t, check.Err())
			v := check.Run(seeded(c.of...))
			assert.Equal(t, c.want, v.Mark, "%+v", v)
			assert.Equal(t, c.got, v.Got)
			assert.Equal(t, c.note, v.Note)
			assert.Equal(t, c.n, check.Seeds)
			assert.Equal(t, c.check.Name, check.OnOneSeed().Name)
			assert.Equal(t, c.check.History, check.History)
		})
	}
	v := Seeds(3, AtLeast("accuracy", "validation", 0.75)).Run(seeded(values...))
	assert.Equal(t, "accuracy-validation-at-least-0.75-over-3-seeds", v.Check)
	assert.Equal(t, "validation accuracy at least 0.75 over 3 seeds", v.Claim)
	assert.Equal(t, "over 3 seeds, the mean validation accuracy is 0.800, and its lower 95 % bound 0.631", v.Trouble)
	assert.Equal(t, []string{"0.900 with seed 1, 0.800 with seed 2, 0.700 with seed 3"}, v.Evidence)
	assert.Contains(t, v.Try[0], "-art.seed=3")
	assert.Contains(t, v.Likely[0], "the mean would do")
	assert.Contains(t, Seeds(3, AtLeast("accuracy", "validation", 0.85)).Run(seeded(values...)).Likely[0], "on average")
}

func TestSeedsMisuse(t *testing.T) {
	good := AtLeast("accuracy", "validation", 1)
	for text, c := range map[string]Check{
		"checks.Seeds(2, …)":          Seeds(2, good),
		"checks.Seeds(0, …)":          Seeds(0, good),
		"around checks.Seeds":         Seeds(3, Seeds(3, good)),
		"reads 0 scores":              Seeds(3, Check{Name: "steep", Judge: good.Judge}),
		"a check has no name":         Seeds(3, Check{}),
		"use 3 or more, 5 as a rule":  Seeds(-1, good),
		`check "x" has no function: `: Seeds(3, Check{Name: "x"}),
	} {
		assert.ErrorContains(t, c.Err(), text)
	}
	assert.Equal(t, good.Name, good.OnOneSeed().Name)
}
