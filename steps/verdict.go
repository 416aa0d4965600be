package steps

import (
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// check makes a default check. When it does not hold, what the step found under
// the check's name is quoted: causes that were measured before those that are
// only usual.
func check(name, claim string, judge func(s *record.StepRun) record.Verdict) checks.Check {
	return checks.Check{Name: name, Claim: claim, Judge: func(s *record.StepRun) record.Verdict {
		v := judge(s)
		if v.Mark == record.Pass {
			return v
		}
		v = checks.Quote(v, s, name)
		v.Try = append(v.Try, "read docs/checks.md#"+name)
		return v
	}}
}

// passed is a verdict without doubt.
func passed(want, got string) record.Verdict {
	return record.Verdict{Mark: record.Pass, Want: want, Got: got}
}

// without is the verdict where there is nothing to judge.
func without(why string) record.Verdict { return record.Verdict{Mark: record.Pass, Note: why} }

// unmeasured is the verdict of a check whose numbers are not there.
func unmeasured(what string) record.Verdict {
	return record.Verdict{Mark: record.Fail, Got: "nothing measured", Trouble: what + " was not measured"}
}

// value is the last whole-set score, NaN if there is none.
func value(s *record.StepRun, name, stage string) float64 {
	p, _ := s.Score(name, stage)
	return p.Value
}

// mean of values, NaN for none.
func mean(values []float64) float64 {
	sum := 0.
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// deviation is the standard deviation of values.
func deviation(values []float64) float64 {
	m, sum := mean(values), 0.
	for _, v := range values {
		sum += (v - m) * (v - m)
	}
	return math.Sqrt(sum / float64(len(values)))
}

// finite reports that v is a number.
func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
