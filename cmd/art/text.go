package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/store"
)

// asciiLocale reports a locale that is not UTF-8; no locale at all, as in most
// containers, counts as UTF-8. The rule and the signs are those of arttest.
func asciiLocale(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := strings.ToUpper(env(name)); v != "" {
			return !strings.Contains(v, "UTF-8") && !strings.Contains(v, "UTF8")
		}
	}
	return false
}

// mark is the sign of a verdict.
func (a *app) mark(m record.Mark) string {
	signs := map[record.Mark]string{record.Pass: "✓", record.Warn: "!", record.Fail: "✗"}
	if a.ascii {
		signs = map[record.Mark]string{record.Pass: "ok", record.Warn: "!!", record.Fail: "XX"}
	}
	if sign, ok := signs[m]; ok {
		return sign
	}
	return "?"
}

// plain makes text fit for the terminal: event files may hold anything, control
// characters that would steer it included.
func (a *app) plain(s string) string {
	if a.ascii {
		s = strings.NewReplacer("≥", ">=", "≤", "<=", "±", "+-", "·", "-", "…", "...", "→", "->", "×", "x", "Σ", "sum",
			"∞", "inf", "↺", "<-", "²", "^2", "–", "-", "—", "-", "−", "-", "“", `"`, "”", `"`, "’", "'", "√", "sqrt", "π", "pi", "µ", "u").Replace(s)
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r >= ' ' && r <= '~':
			return r
		case unicode.IsSpace(r):
			return ' '
		case a.ascii || !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}

// say prints a text.
func (a *app) say(text string) error {
	_, err := io.WriteString(a.stdout, a.plain(text))
	return err
}

// sayJSON prints a value as JSON.
func (a *app) sayJSON(v any) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table is lines of cells. The first is the head.
type table [][]string

func (t *table) add(cells ...string) { *t = append(*t, cells) }

// compact leaves out columns that are empty but for their head.
func (t table) compact() table {
	if len(t) == 0 {
		return t
	}
	var kept table
	for range t {
		kept = append(kept, nil)
	}
	for col := range t[0] {
		empty := true
		for _, row := range t[1:] {
			empty = empty && (row[col] == "" || row[col] == "-")
		}
		for i, row := range t {
			if !empty {
				kept[i] = append(kept[i], row[col])
			}
		}
	}
	return kept
}

// align sets the cells of a table below each other, behind an indent.
func (t table) align(indent string, gap int) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, gap, ' ', 0)
	for _, row := range t {
		for i, cell := range row {
			if i > 0 {
				_, _ = io.WriteString(w, "\t") // to memory
			}
			_, _ = io.WriteString(w, oneLine(cell))
		}
		_, _ = io.WriteString(w, "\n")
	}
	w.Flush()
	var aligned strings.Builder
	for line := range strings.Lines(b.String()) {
		aligned.WriteString(strings.TrimRight(indent+line, " \n") + "\n")
	}
	return aligned.String()
}

// oneLine is a text without what ends a line or a cell.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune("\t\n\v\f\r", r) }), " ")
}

func words(name string) string { return strings.ReplaceAll(name, "-", " ") }

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// number writes a score as arttest does; one that is missing is a dash.
func number(v *store.Number) string {
	if v == nil {
		return "-"
	}
	return checks.Number(float64(*v))
}

// stamp is a time to the minute, where the reader is.
func stamp(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

// size writes a number of bytes with its unit.
func size(n int64) string {
	v := float64(n)
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if v < 1000 {
			if unit == "B" {
				return fmt.Sprintf("%d B", n)
			}
			return fmt.Sprintf("%.3g %s", v, unit)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.3g TB", v)
}

// commit is the code of a run in short.
func commit(run store.Summary) string {
	short := run.Commit
	if len(short) > 7 {
		short = short[:7]
	}
	if run.Dirty {
		short = strings.TrimSpace(short + " dirty")
	}
	return short
}

// span reads a time that is counted back from now: 30d, 2w, 12h, 90m.
func span(s string) (time.Duration, error) {
	unit := map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	for suffix, length := range unit {
		if digits, ok := strings.CutSuffix(s, suffix); ok {
			n, err := strconv.ParseUint(digits, 10, 16)
			if err != nil {
				return 0, badInput("%q is not a time span: write 30d, 2w, 12h or 90m", s)
			}
			return time.Duration(n) * length, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, badInput("%q is not a time span: write 30d, 2w, 12h or 90m", s)
	}
	return d, nil
}

// since reads a day, or a span back from now.
func (a *app) since(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.RFC3339} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	d, err := span(s)
	if err != nil {
		return time.Time{}, badInput("%q is no time: write a day like 2026-01-31, or how long ago: 30d, 2w, 12h, 90m", s)
	}
	return a.now().Add(-d), nil
}
