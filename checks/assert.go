package checks

import (
	"fmt"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// T is what assertion libraries need of a test: testify's assert and require
// take it as their TestingT.
type T interface {
	Errorf(format string, args ...any)
	FailNow()
}

// Assert makes a check of assertions:
//
//	checks.Assert("loss-below-start", func(t checks.T, s *record.StepRun) {
//		loss := s.Curve("loss").Values()
//		require.NotEmpty(t, loss)
//		assert.Less(t, loss[len(loss)-1], loss[0])
//	})
func Assert(name string, f func(t T, s *record.StepRun)) Check {
	return Check{Name: name, Judge: func(s *record.StepRun) record.Verdict {
		var got assertions
		got.run(f, s)
		if len(got.failures) == 0 {
			return record.Verdict{Mark: record.Pass}
		}
		return record.Verdict{Mark: record.Fail, Evidence: got.failures}
	}}
}

type assertions struct{ failures []string }

// stop is what FailNow panics with.
type stop struct{}

func (a *assertions) Errorf(format string, args ...any) {
	a.failures = append(a.failures, tidy(fmt.Sprintf(format, args...)))
}

func (a *assertions) FailNow() {
	if len(a.failures) == 0 {
		a.failures = append(a.failures, "FailNow was called")
	}
	panic(stop{})
}

func (a *assertions) run(f func(T, *record.StepRun), s *record.StepRun) {
	defer func() {
		if r := recover(); r != nil && r != any(stop{}) {
			panic(r)
		}
	}()
	f(a, s)
}

// tidy removes blank lines and tabs: testify frames its messages with both.
func tidy(message string) string {
	var lines []string
	for _, line := range strings.Split(message, "\n") {
		line = strings.ReplaceAll(strings.Trim(line, "\t"), "\t", " ")
		if line = strings.TrimRight(line, " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
