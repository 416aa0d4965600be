package arttest

import (
	"os"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// marks are the signs in front of lines, and the bar between facts.
type marks struct {
	pass, warn, fail, dot string
	ascii                 bool
}

// localeMarks chooses ASCII where the locale says so; no locale at all, as in
// most containers, counts as UTF-8.
func localeMarks() marks {
	locale := os.Getenv("LC_ALL")
	if locale == "" {
		locale = os.Getenv("LC_CTYPE")
	}
	if locale == "" {
		locale = os.Getenv("LANG")
	}
	if u := strings.ToUpper(locale); u == "" || strings.Contains(u, "UTF-8") || strings.Contains(u, "UTF8") {
		return marks{pass: "✓", warn: "!", fail: "✗", dot: " · "}
	}
	return marks{pass: "ok", warn: "!!", fail: "XX", dot: " - ", ascii: true}
}

func (m marks) of(mark record.Mark) string {
	return map[record.Mark]string{record.Pass: m.pass, record.Warn: m.warn, record.Fail: m.fail}[mark]
}

// plain replaces the signs that ASCII has not.
func (m marks) plain(s string) string {
	if !m.ascii {
		return s
	}
	s = strings.NewReplacer("≥", ">=", "≤", "<=", "±", "+-", "·", "-", "…", "...", "→", "->", "×", "x", "Σ", "sum",
		"∞", "inf", "↺", "<-", "▸", ">", "²", "^2", "–", "-", "—", "-", "−", "-", "“", `"`, "”", `"`, "’", "'", "√", "sqrt", "π", "pi", "µ", "u").Replace(s)
	return strings.Map(func(r rune) rune {
		if r > 126 {
			return '?'
		}
		return r
	}, s)
}
