package checks

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/actually-robust-training/art/record"
)

// AtLeast checks that the last whole-set score of a metric on a stage is want
// or more. NaN fails. The note of the verdict says by how much one row moves a
// score of 0 to 1.
func AtLeast(metric, stage string, want float64) Check {
	return bound(metric, stage, want, "at least", "≥", func(got float64) bool { return got >= want })
}

// AtMost checks that the last whole-set score of a metric on a stage is want
// or less. NaN fails.
func AtMost(metric, stage string, want float64) Check {
	return bound(metric, stage, want, "at most", "≤", func(got float64) bool { return got <= want })
}

func bound(metric, stage string, want float64, words, sign string, holds func(float64) bool) Check {
	limit := strconv.FormatFloat(want, 'f', -1, 64)
	return Check{
		Name:  Slug(metric + " " + stage + " " + words + " " + signed(limit)),
		Claim: fmt.Sprintf("%s %s %s %s", stage, metric, words, limit),
		Reads: []Ref{{metric, stage}},
		Judge: func(s *record.StepRun) record.Verdict {
			p, ok := s.Score(metric, stage)
			if !ok {
				return record.Verdict{Mark: record.Fail, Want: sign + " " + limit, Got: "no score",
					Trouble: fmt.Sprintf("the step recorded no %s on %s data", metric, stage)}
			}
			got := Number(p.Value)
			if short, err := strconv.ParseFloat(got, 64); err != nil || holds(short) != holds(p.Value) {
				got = strconv.FormatFloat(p.Value, 'g', -1, 64) // rounded, it would read as the opposite
			}
			v := Hold(holds(p.Value), sign+" "+limit, got)
			v.Trouble = fmt.Sprintf("%s %s is %s, not %s %s", stage, metric, got, words, limit)
			if share := func(v float64) bool { return v >= 0 && v <= 1 }; words == "at least" && share(want) && share(p.Value) {
				v.Note = Resolution(p.Rows)
			}
			return Quote(v, s, Findings(stage))
		},
	}
}

// Findings is the name under which a step records what it found out about its scores
// on a stage; AtLeast and AtMost quote it when they do not hold.
func Findings(stage string) string { return stage + "-scores" }

// Quote adds to a verdict what the step found out under a name, in the last trial that
// found anything under it: causes that were measured go before those that are only usual.
func Quote(v record.Verdict, s *record.StepRun, name string) record.Verdict {
	trial := ""
	for _, f := range s.Findings {
		if f.Name == name {
			trial = f.Trial
		}
	}
	for _, f := range s.Findings {
		if f.Name != name || f.Trial != trial {
			continue
		}
		v.Evidence = append(v.Evidence, f.Evidence...)
		v.Likely, v.Try = slices.Concat(f.Likely, v.Likely), slices.Concat(f.Try, v.Try)
		v.Files = append(v.Files, f.Files...)
	}
	return v
}

// signed spells a minus sign, which a name cannot hold.
func signed(number string) string {
	if number[0] == '-' {
		return "minus " + number[1:]
	}
	return number
}

// Resolution is a note on shares of small sets, which move in large steps: "30
// rows, one is 3.3 %". Empty for 1000 rows and more, and when the number is not known.
func Resolution(rows int) string {
	switch {
	case rows <= 0 || rows >= 1000:
		return ""
	case rows == 1:
		return "1 row"
	}
	return fmt.Sprintf("%d rows, one is %s %%", rows, strconv.FormatFloat(100/float64(rows), 'g', 2, 64))
}
