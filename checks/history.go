package checks

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/record"
)

// Past says which earlier run a check compares with, of those in which the step
// passed.
type Past string

const (
	// Best is the one with the best score.
	Best Past = "best"
	// Last is the one before this.
	Last Past = "last"
	// Pinned is the last of those that were pinned, with art pin.
	Pinned Past = "pinned"
)

// NoWorseThan is a check that a score is not below that of an earlier run by more than
// a margin, in units of the metric; the loss, not above it. It is a gate against
// regressions. Without an earlier run there is nothing to compare with and it
// holds, except for Pinned, which asks for one.
//
// Earlier runs are those of the same recipe on this disk in which the step passed;
// other settings, seeds and data are among them.
func NoWorseThan(past Past, metric, stage string, margin float64) Check {
	return against(past, metric, stage, margin, metric == "loss")
}

// NoMoreThan is NoWorseThan for metrics of which less is better.
func NoMoreThan(past Past, metric, stage string, margin float64) Check {
	return against(past, metric, stage, margin, true)
}

func against(past Past, metric, stage string, margin float64, less bool) Check {
	sign, relation := 1., "≥ "
	if less {
		sign, relation = -1, "≤ "
	}
	return Check{
		Name:  Slug(fmt.Sprintf("%s-%s-no-worse-than-%s", metric, stage, past)),
		Claim: fmt.Sprintf("%s %s no worse than in the %s run", stage, metric, past),
		Reads: []Ref{{metric, stage}}, History: true,
		Judge: func(s *record.StepRun) record.Verdict {
			now, _ := s.Score(metric, stage)
			run, old := earlier(s, past, metric, stage, sign)
			switch {
			case run == nil && past == Pinned:
				return record.Verdict{Mark: record.Fail, Got: "no pinned run", Trouble: "no run in which the step passed is pinned",
					Try: []string{"pin one: art pin RUN"}}
			case run == nil:
				return record.Verdict{Mark: record.Pass, Got: Number(now.Value), Note: "no earlier run"}
			}
			limit := old - sign*margin
			v := Hold(sign*now.Value >= sign*limit, relation+Number(limit), Number(now.Value))
			v.Note = fmt.Sprintf("%s in run %s", Number(old), run.ID)
			v.Trouble = fmt.Sprintf("%s %s is %s; in the %s run, %s, it was %s", stage, metric, Number(now.Value), past, run.ID, Number(old))
			return v
		},
	}
}

// earlier finds the run to compare with, and its score.
func earlier(s *record.StepRun, past Past, metric, stage string, sign float64) (found *record.Run, value float64) {
	for _, run := range s.Run().Earlier {
		step := run.Step(s.Name)
		if step == nil || past == Pinned && !run.Pinned {
			continue
		}
		p, ok := step.Score(metric, stage)
		if !ok || math.IsNaN(p.Value) {
			continue
		}
		if found == nil || past != Best || sign*p.Value > sign*value {
			found, value = run, p.Value
		}
	}
	return found, value
}
