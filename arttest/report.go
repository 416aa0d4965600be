package arttest

import (
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/actually-robust-training/art/record"
)

// headline says what is going to be trained on.
func (r *R) headline() string {
	d := r.recipe.Data
	facts := []string{r.recipe.Name}
	if d.Name != "" && d.Name != r.recipe.Name {
		facts = append(facts, "data "+d.Name)
	}
	var shape []string
	if n := len(d.Features); n > 0 {
		shape = append(shape, count(n, "feature"))
	}
	if n := len(d.Classes); n > 0 {
		shape = append(shape, count(n, "class"))
	}
	if len(shape) > 0 {
		facts = append(facts, strings.Join(shape, ", "))
	}
	var sizes []string
	for _, stage := range d.Stages() {
		if n, ok := d.Sizes[stage]; ok {
			sizes = append(sizes, fmt.Sprintf("%s %d", stage, n))
		}
	}
	if len(sizes) > 0 {
		facts = append(facts, strings.Join(sizes, " / ")+" rows")
	}
	facts = append(facts, fmt.Sprintf("seed %d", r.recipe.Seed), "run "+r.dir.id)
	if r.settings.short {
		facts = append(facts, "dry run (-short)")
	}
	return r.marks.plain(strings.Join(facts, r.marks.dot))
}

func count(n int, word string) string {
	switch {
	case n == 1:
		return "1 " + word
	case strings.HasSuffix(word, "s"):
		return fmt.Sprintf("%d %ses", n, word)
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// report prints what a step found and runs its checks as subtests.
func (r *R) report(t *testing.T, st *step) {
	t.Helper()
	r.print(t, st)
	if st.state == broken {
		t.Error(r.marks.plain(r.breakage(t, st)))
		return
	}
	reported := 0
	for _, v := range st.verdicts {
		t.Run(v.Check, func(t *testing.T) {
			t.Helper()
			if reported++; v.Mark == record.Fail {
				t.Error(r.marks.plain(r.failure(t, st, v)))
			}
		})
	}
	if unseen := len(st.verdicts) - reported; unseen > 0 && st.state == failed {
		fmt.Fprintf(t.Output(), "%s of this step not selected by -run, or left out by -failfast, failed or not: see the lines above\n", count(unseen, "check"))
	}
}

// reportInline prints what a needed step found; its failures are the
// dependent's.
func (r *R) reportInline(t *testing.T, st *step) {
	t.Helper()
	r.print(t, st)
	if st.state == broken {
		t.Error(r.marks.plain(r.breakage(t, st)))
	}
	for _, v := range st.verdicts {
		if v.Mark == record.Fail {
			t.Error(r.marks.plain(st.plan.Name + ": " + r.failure(t, st, v)))
		}
	}
}

// print writes one line a score and one a check.
func (r *R) print(t *testing.T, st *step) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.StripEscape)
	for _, line := range r.scoreLines(st) {
		fmt.Fprintln(w, line)
	}
	w.Flush()
	w = tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.StripEscape)
	for _, v := range st.verdicts {
		note := v.Note
		if v.Mark == record.Warn {
			note = strings.TrimSpace(note + " (warning)")
		}
		fmt.Fprintf(w, "%s %s\t%s\t%s\t%s\n", r.marks.of(v.Mark), v.Claim, labelled("want ", v.Want), labelled("got ", v.Got), note)
	}
	if r.settings.short && len(st.checks) > 0 && st.state == passed {
		fmt.Fprintf(w, "dry run (-short): one batch of each stage, %s not judged\n", count(len(st.checks), "check"))
	}
	w.Flush()
	for _, line := range strings.Split(strings.TrimRight(b.String(), "\n"), "\n") {
		if line != "" {
			fmt.Fprintln(t.Output(), strings.TrimRight(r.marks.plain(line), " "))
		}
	}
	for _, v := range st.verdicts {
		if v.Mark == record.Warn && len(v.Evidence)+len(v.Likely)+len(v.Try) > 0 {
			fmt.Fprintln(t.Output(), r.marks.plain(r.marks.warn+" "+r.details(v, nil)))
		}
	}
}

func labelled(label, s string) string {
	if s == "" {
		return ""
	}
	return label + s
}

// failure is the message of a failed check: what, got against want, evidence,
// causes, what to try, how to repeat it.
func (r *R) failure(t *testing.T, st *step, v record.Verdict) string {
	var files []string
	s := r.run.Step(st.plan.Name)
	for _, a := range s.Artifacts {
		files = append(files, a.Name)
	}
	tail := [][2]string{{"replay", r.replay(t)}}
	if len(files) > 0 {
		if len(v.Files) > 0 {
			files = v.Files
		}
		if len(files) > 5 {
			files = append(files[:5:5], "…")
		}
		tail = append(tail, [2]string{"files", path.Join(r.dir.shown, st.plan.Name) + "/ (" + strings.Join(files, ", ") + ")"})
	}
	return r.details(v, tail)
}

// details lays a verdict out.
func (r *R) details(v record.Verdict, tail [][2]string) string {
	var b strings.Builder
	head := v.Trouble
	if head == "" {
		head = "not so: " + v.Claim
	}
	b.WriteString(head)
	field := func(name, text string) {
		lines := strings.Split(text, "\n")
		fmt.Fprintf(&b, "\n    %-9s %s", name, lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(&b, "\n    %-9s %s", "", line)
		}
	}
	if v.Want != "" || v.Got != "" {
		field("expected", strings.TrimSpace(labelled("want ", v.Want)+labelled("   got ", v.Got)+labelled("   ", v.Note)))
	}
	for _, list := range []struct {
		name  string
		lines []string
	}{{"evidence", v.Evidence}, {"likely", v.Likely}, {"try", v.Try}} {
		for i, line := range list.lines {
			if i > 0 {
				list.name = ""
			}
			field(list.name, line)
		}
	}
	for _, f := range tail {
		field(f[0], f[1])
	}
	return b.String()
}

// breakage is the message of a step that an error or a panic ended.
func (r *R) breakage(t *testing.T, st *step) string {
	v := record.Verdict{Trouble: fmt.Sprintf("step %s could not be carried out", st.plan.Name)}
	if st.plan.Model != "" {
		v.Trouble += fmt.Sprintf(" (model %s)", st.plan.Model)
	}
	v.Trouble += ": " + st.reason
	tail := [][2]string{{"replay", r.replay(t)}}
	if st.panicked != nil {
		tail = append(tail, [2]string{"stack", userStack(st.panicked.Stack)})
	}
	return r.details(v, tail)
}

// replay is the command that repeats this subtest.
func (r *R) replay(t *testing.T) string {
	return fmt.Sprintf("go test %s -run '%s' -art.seed=%d", packagePath(), anchored(t.Name()), r.recipe.Seed)
}

// anchored is the pattern that selects one test and no other whose name
// contains its name.
func anchored(test string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + strings.ReplaceAll(p, ".", `\.`) + "$"
	}
	return strings.Join(parts, "/")
}

// packagePath is the package under test, relative to its module: go test runs
// a test in the folder of its package.
func packagePath() string {
	dir, err := filepath.Abs(".")
	if err != nil {
		return "."
	}
	rel, err := filepath.Rel(moduleRoot(), dir)
	if err != nil || rel == "." {
		return "."
	}
	return "./" + filepath.ToSlash(rel)
}

// userStack leaves out of a stack what every step has: the frames that caught
// the panic, above, and those that started the step, below.
func userStack(stack []byte) string {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(stack), "\t", "    ")), "\n")
	start := 0
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			start = i + 2
		}
	}
	end := len(lines)
	for i := len(lines) - 1; i >= start; i-- {
		if strings.Contains(lines[i], "/arttest.(*R).await") {
			end = i
		}
	}
	if start >= end {
		return strings.Join(lines, "\n")
	}
	return strings.Join(lines[start:end], "\n")
}
