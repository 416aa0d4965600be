package arttest

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/actually-robust-training/art/checks"
)

// mostDifferences is the number of lines that a comparison has of each kind.
const mostDifferences = 6

// difference says what is not as it was in the last run in which the step passed:
// what it depends on, where it ran, and what came of it. Empty if it never passed.
func (r *R) difference(st *step) string {
	if st.sum == "" {
		return ""
	}
	last, err := r.history.read(r.history.passed(st.plan.Name, ""))
	if err != nil || last.Run == r.dir.id {
		return ""
	}
	var lines []string
	if st.state != broken {
		lines = append(lines, scoresChanged(last.Scores, finalScores(r.run.Step(st.plan.Name)))...)
	}
	lines = append(lines, firstOf(changed(last.print(), st.print), mostDifferences)...)
	lines = append(lines, firstOf(valuesChanged(places(last.Environment), places(r.run.Settings)), mostDifferences)...)
	if st.reused != "" {
		return fmt.Sprintf("the same result, of run %s, passed %s: the check is stricter now, or new", last.Run, since(last.Time))
	}
	if len(lines) == 0 {
		lines = []string{"no difference in settings, data, code, machine and scores"}
	}
	return fmt.Sprintf("passed in run %s, %s; since then:\n  %s", last.Run, since(last.Time), strings.Join(lines, "\n  "))
}

// places are the parts of an environment that a person would ask about when a step
// fails elsewhere or later; the fingerprint says the rest.
func places(environment map[string]string) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"commit", "diff", "host", "cpu", "cpus", "threads", "os", "go.sum"} {
		if v, ok := environment[name]; ok {
			kept[name] = v
		}
	}
	return kept
}

func firstOf(lines []string, most int) []string {
	if len(lines) <= most {
		return lines
	}
	return append(slices.Clip(lines[:most]), fmt.Sprintf("and %d more", len(lines)-most))
}

// valuesChanged says what go-cmp finds in two maps, in the order of names.
func valuesChanged(old, now map[string]string) []string {
	var d differences
	cmp.Equal(old, now, cmp.Reporter(&d))
	slices.Sort(d.lines)
	return d.lines
}

// differences is a reporter of go-cmp for maps of texts.
type differences struct {
	path  cmp.Path
	lines []string
}

func (d *differences) PushStep(s cmp.PathStep) { d.path = append(d.path, s) }
func (d *differences) PopStep()                { d.path = d.path[:len(d.path)-1] }

func (d *differences) Report(result cmp.Result) {
	if result.Equal() {
		return
	}
	key, ok := d.path.Last().(cmp.MapIndex)
	if !ok {
		return
	}
	old, now := key.Values()
	shown := func(v reflect.Value) string {
		if !v.IsValid() || v.String() == "" {
			return "nothing"
		}
		return v.String()
	}
	d.lines = append(d.lines, fmt.Sprintf("%s: %s became %s", key.Key(), shown(old), shown(now)))
}

// scoresChanged lists the scores on whole stages that are not what they were.
func scoresChanged(old, now []finalScore) []string {
	type name struct{ trial, stage, name string }
	was := map[name]string{}
	for _, s := range old {
		was[name{s.Trial, s.Stage, s.Name}] = s.Value
	}
	var lines []string
	for _, s := range now {
		before, ok := was[name{s.Trial, s.Stage, s.Name}]
		if !ok || before == s.Value || s.Stage == "" {
			continue
		}
		a, errA := strconv.ParseFloat(before, 64)
		b, errB := strconv.ParseFloat(s.Value, 64)
		if errA != nil || errB != nil || a == b || math.IsNaN(a) && math.IsNaN(b) {
			continue
		}
		what := strings.TrimSpace(s.Trial + " " + s.Stage + " " + s.Name)
		lines = append(lines, fmt.Sprintf("%s: %s → %s", what, checks.Number(a), checks.Number(b)))
	}
	return firstOf(lines, mostDifferences)
}
