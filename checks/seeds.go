package checks

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// Seeds is a check for several seeds instead of one, so that its verdict is not a
// matter of luck: the step runs with n seeds, the recipe's own and those that follow
// it, and the 95 % confidence bound of the mean score must satisfy the check. The
// bound is one-sided, on the side where the check is strict: with mean m and standard
// deviation s (divisor n−1) of the n scores it is
//
//	m − t·s/√n   for "at least",   m + t·s/√n   for "at most",
//
// where t is the 0.95 quantile of Student's distribution with n−1 degrees of freedom
// (Student 1908): 2.92 for 3 seeds, 2.13 for 5, 1.83 for 10. It takes scores of
// different seeds for draws from one normal distribution; a score near the end of
// its range is less sure than it says.
//
// The check reads one score, and more of it, or less, must be better: AtLeast,
// AtMost, NoWorseThan, NoMoreThan, or such a one of yours. n is at least 3; all other
// checks of the step judge the run with the recipe's seed.
//
// Runs with other seeds go in parallel where cores allow, on the same data, model
// function and decorators: a step of yours must not write to what they share. Kept
// of them are the scores, as trials "seed N". Files, curves and texts are those of the
// recipe's seed.
func Seeds(n int, c Check) Check {
	over := Check{
		Name: Slug(fmt.Sprintf("%s over %d seeds", c.Name, n)), Claim: fmt.Sprintf("%s over %d seeds", c.claim(), n),
		Reads: c.Reads, History: c.History, Warning: c.Warning, Seeds: n, one: &c,
	}
	switch {
	case c.Err() != nil:
		over.err = c.Err()
	case c.Seeds != 0:
		over.err = fmt.Errorf("check %q: checks.Seeds around checks.Seeds: leave one out", c.Name)
	case len(c.Reads) != 1:
		over.err = fmt.Errorf("check %q reads %d scores, and checks.Seeds judges one: give it checks.AtLeast, or list the one in Check.Reads", c.Name, len(c.Reads))
	case n < 3:
		over.err = fmt.Errorf("checks.Seeds(%d, …) around %q: two scores or fewer say too little about their spread: use 3 or more, 5 as a rule", n, c.Name)
	}
	over.Judge = func(s *record.StepRun) record.Verdict { return judgeSeeds(s, n, c) }
	return over
}

// OnOneSeed is the check that was handed to Seeds, or the check itself.
func (c Check) OnOneSeed() Check {
	if c.one != nil {
		return *c.one
	}
	return c
}

// SeedTrial is the name of the trial that a step's scores with a seed are recorded
// under: events record.Scalar with a stage.
func SeedTrial(seed uint64) string { return seedPrefix + strconv.FormatUint(seed, 10) }

const seedPrefix = "seed "

// judgeSeeds judges the bound as if it were the score.
func judgeSeeds(s *record.StepRun, n int, c Check) record.Verdict {
	ref := c.Reads[0]
	seeds, values := scoresOfSeeds(s, ref)
	if len(values) != n {
		return record.Verdict{Mark: record.Fail, Want: fmt.Sprintf("%d seeds", n), Got: fmt.Sprint(len(values)),
			Trouble: fmt.Sprintf("%s %s is recorded of %d seeds, not %d", ref.Stage, ref.Metric, len(values), n)}
	}
	mean, deviation := spread(values)
	margin := studentT95(n-1) * deviation / math.Sqrt(float64(n))
	bound, side, worst := mean-margin, "lower", slices.Index(values, slices.Min(values))
	if c.Run(with(s, ref, math.Inf(-1))).Mark == record.Pass && c.Run(with(s, ref, math.Inf(1))).Mark != record.Pass {
		bound, side, worst = mean+margin, "upper", slices.Index(values, slices.Max(values))
	}
	if i := slices.IndexFunc(values, math.IsNaN); i >= 0 {
		worst = i
	}
	v := c.Judge(with(s, ref, bound))
	v.Claim = "" // it is that of all seeds
	std := strconv.FormatFloat(deviation, 'g', 2, 64)
	v.Note = strings.TrimPrefix(v.Note+"; ", "; ") + fmt.Sprintf("%s 95 %% bound of the mean %s, std %s, worst %s with seed %s",
		side, Number(mean), std, Number(values[worst]), seeds[worst])
	v.Trouble = fmt.Sprintf("over %d seeds, the mean %s %s is %s, and its %s 95 %% bound %s", n, ref.Stage, ref.Metric, Number(mean), side, Number(bound))
	var each []string
	for i, value := range values {
		each = append(each, fmt.Sprintf("%s with seed %s", Number(value), seeds[i]))
	}
	v.Evidence = append([]string{strings.Join(each, ", ")}, v.Evidence...)
	v.Likely, v.Try = seedCauses(c, s, ref, mean)
	v.Try = append([]string{fmt.Sprintf("look at the worst: replay with -art.seed=%s, which trains that seed first and keeps its curves", seeds[worst])}, v.Try...)
	return v
}

// seedCauses tells a mean that is not good enough from one that is not sure enough.
func seedCauses(c Check, s *record.StepRun, ref Ref, mean float64) (likely, try []string) {
	if c.Run(with(s, ref, mean)).Mark == record.Pass {
		return []string{"the mean would do, but the seeds differ too much to be sure of it"},
			[]string{"more seeds, which make the bound tighter; or a training that depends less on the start: a lower learning rate, warmup, normalisation"}
	}
	return []string{"the step does not reach it on average: a single seed that does is luck"}, nil
}

// scoresOfSeeds are the scores that were recorded of each seed, in the order in
// which they were.
func scoresOfSeeds(s *record.StepRun, ref Ref) (seeds []string, values []float64) {
	for _, c := range s.Series {
		seed, ok := strings.CutPrefix(c.Trial, seedPrefix)
		if p, any := c.Last(); ok && any && !c.Whole && c.Name == ref.Metric && c.Stage == ref.Stage {
			seeds, values = append(seeds, seed), append(values, p.Value)
		}
	}
	return seeds, values
}

// with is a step of which only one score is known, in a run with the same past.
func with(s *record.StepRun, ref Ref, value float64) *record.StepRun {
	run := &record.Run{ID: s.Run().ID, Recipe: s.Run().Recipe, Settings: s.Run().Settings, Earlier: s.Run().Earlier}
	_ = run.Emit(record.Event{Kind: record.StepStart, Step: s.Name, Model: s.Model, Settings: s.Settings}) // a fold takes every event
	_ = run.Emit(record.Event{Kind: record.Score, Step: s.Name, Stage: ref.Stage, Name: ref.Metric, Value: value})
	return run.Step(s.Name)
}

// spread is the mean and the standard deviation of a sample.
func spread(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean) / float64(len(values)-1)
	}
	return mean, math.Sqrt(deviation)
}

// studentT95 is the 0.95 quantile of Student's distribution, found by bisection.
func studentT95(freedom int) float64 {
	low, high := 0., 10. // 6.31 for one degree of freedom, less for more
	for range 60 {
		if mid := (low + high) / 2; studentCentral(mid, freedom) < 0.9 {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// studentCentral is the probability that |T| ≤ t: Abramowitz and Stegun 1964,
// 26.7.3 and 26.7.4.
func studentCentral(t float64, freedom int) float64 {
	angle := math.Atan(t / math.Sqrt(float64(freedom)))
	sin, cos := math.Sincos(angle)
	term, sum, first := 1., 0., 2
	if freedom%2 == 1 {
		term, first = cos, 3
	}
	for k := first; k <= freedom; k += 2 {
		sum += term
		term *= cos * cos * float64(k-1) / float64(k)
	}
	if freedom%2 == 1 {
		return 2 / math.Pi * (angle + sin*sum)
	}
	return sin * sum
}
