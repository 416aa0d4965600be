package arttest

import (
	"fmt"
	"io"
	"regexp"
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
	return strings.Join(facts, r.marks.dot)
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
		t.Error(r.marks.plain(r.breakage(st, t.Name())))
		return
	}
	var unseen []string
	for _, v := range st.verdicts {
		seen := false
		t.Run(v.Check, func(t *testing.T) {
			t.Helper()
			if seen = true; v.Mark == record.Fail {
				t.Error(r.marks.plain(r.failure(st, v, t.Name())))
			}
		})
		if !seen && v.Mark == record.Fail {
			unseen = append(unseen, v.Check)
		}
	}
	if len(unseen) > 0 {
		r.say(t, "failed as well, but left out by -run, -skip or -failfast: "+strings.Join(unseen, ", "))
	}
}

// reportInline prints what a needed step found; its failures are the
// dependent's.
func (r *R) reportInline(t *testing.T, st *step) {
	t.Helper()
	r.print(t, st)
	name := r.t.Name() + "/" + st.plan.Name
	if st.state == broken {
		t.Error(r.marks.plain(r.breakage(st, name)))
	}
	for _, v := range st.verdicts {
		if v.Mark == record.Fail {
			t.Error(r.marks.plain(st.plan.Name + ": " + r.failure(st, v, name+"/"+v.Check)))
		}
	}
}

// print writes one line a score and one a check.
func (r *R) print(t *testing.T, st *step) {
	lines := strings.Split(align(r.scoreLines(st), 2), "\n")
	var table []string
	held := 0
	for i, v := range st.verdicts {
		if st.reused != "" && i < st.own && v.Mark == record.Pass {
			held++ // nobody has to read again what held before
			continue
		}
		note := v.Note
		if v.Mark == record.Warn {
			note = strings.TrimSpace(note + " (warning)")
		}
		table = append(table, cells(r.marks.of(v.Mark)+" "+v.Claim, labelled("want ", v.Want), labelled("got ", v.Got), note))
	}
	lines = append(lines, strings.Split(align(table, 2), "\n")...)
	if held > 0 {
		lines = append(lines, fmt.Sprintf("%s the step's own checks hold, as they did: %d", r.marks.of(record.Pass), held))
	}
	if r.settings.short && len(st.checks) > 0 && st.state == passed {
		lines = append(lines, fmt.Sprintf("dry run (-short): one batch of each stage, %s not judged", count(len(st.checks), "check")))
	}
	for _, line := range lines {
		if line != "" {
			r.say(t, line)
		}
	}
	for _, v := range st.verdicts {
		if v.Mark == record.Warn && len(v.Evidence)+len(v.Likely)+len(v.Try) > 0 {
			r.say(t, r.marks.warn+" "+r.details(v, nil))
		}
	}
}

// say prints lines with the output of a test.
func (r *R) say(t *testing.T, text string) {
	_, _ = io.WriteString(t.Output(), r.marks.plain(text)+"\n") // who reports to nobody has nobody to report it to
}

// cells joins the cells of a line of a table.
func cells(text ...string) string {
	for i, c := range text {
		text[i] = strings.Join(strings.FieldsFunc(c, func(r rune) bool { return strings.ContainsRune("\t\n\v\f\r", r) }), " ")
	}
	return strings.Join(text, "\t")
}

// align turns lines of cells into columns with a gap of spaces between them.
func align(lines []string, gap int) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, gap, ' ', 0)
	_, _ = io.WriteString(w, strings.Join(lines, "\n")+"\n") // to memory
	w.Flush()
	var aligned strings.Builder
	for line := range strings.Lines(b.String()) {
		aligned.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return aligned.String()
}

func labelled(label, s string) string {
	if s == "" {
		return ""
	}
	return label + s
}

// failure is the message of a failed check: what, got against want, evidence,
// causes, what to try, how to repeat it.
func (r *R) failure(st *step, v record.Verdict, test string) string {
	var files []string
	for _, a := range saved(r.run.Step(st.plan.Name)) {
		files = append(files, a.Name)
	}
	tail := [][2]string{{"replay", r.command(test, r.recipe.Seed)}}
	if len(files) > 0 {
		if len(v.Files) > 0 {
			files = v.Files
		}
		if len(files) > 5 {
			files = append(files[:5:5], "…")
		}
		tail = append(tail, [2]string{"files", r.folder(st) + "/ (" + strings.Join(files, ", ") + ")"})
	}
	return r.details(v, append(tail, r.before(st)...))
}

// before is the part of a message that compares with the last run that passed.
// Of several checks that fail in a step, the first has it.
func (r *R) before(st *step) [][2]string {
	if st.compared {
		return nil
	}
	st.compared = true
	if text := r.difference(st); text != "" {
		return [][2]string{{"before", text}}
	}
	return nil
}

// details lays a verdict out.
func (r *R) details(v record.Verdict, tail [][2]string) string {
	var b strings.Builder
	head := v.Trouble
	if head == "" {
		head = "does not hold: " + v.Claim
	}
	b.WriteString(head)
	field := func(name, text string) {
		lines := strings.Split(text, "\n")
		fmt.Fprintf(&b, "\n    %-9s %s", name, lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintf(&b, "\n    %-9s %s", "", line)
		}
	}
	if v.Want != "" {
		field("want", v.Want)
	}
	if v.Got != "" {
		got := v.Got
		if v.Note != "" {
			got += " (" + v.Note + ")"
		}
		field("got", got)
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
func (r *R) breakage(st *step, test string) string {
	what, again := "could not be carried out", "replay"
	if st.stopped {
		what, again = "did not come to its end", "again"
	}
	v := record.Verdict{Trouble: fmt.Sprintf("step %s %s", st.plan.Name, what)}
	if st.plan.Model != "" {
		v.Trouble += fmt.Sprintf(" (model %s)", st.plan.Model)
	}
	v.Trouble += ": " + st.reason
	tail := [][2]string{{again, r.command(test, r.recipe.Seed)}}
	if st.stopped {
		return r.details(v, tail)
	}
	if st.stack != "" {
		tail = append(tail, [2]string{"stack", st.stack})
	}
	return r.details(v, append(tail, r.before(st)...))
}

// command is what to type in the module's folder to run a test again.
func (r *R) command(test string, seed uint64) string {
	dry := ""
	if r.settings.short {
		dry = " -short"
	}
	return fmt.Sprintf("go test %s -run '%s' -art.seed=%d%s", r.place.pkg, pattern(test), seed, dry)
}

// pattern selects one test and no other whose name contains its name. It stands
// between single quotes of a shell.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, p := range parts {
		parts[i] = "^" + regexp.QuoteMeta(p) + "$"
	}
	return strings.ReplaceAll(strings.Join(parts, "/"), "'", `'\''`)
}
