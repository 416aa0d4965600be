package main

import (
	"fmt"
	"math"
	"strings"
)

// milliseconds has three digits that count.
func milliseconds(ms float64) string {
	switch {
	case math.IsNaN(ms):
		return "-"
	case ms == 0:
		return "0"
	}
	digits := max(0, 2-int(math.Floor(math.Log10(math.Abs(ms)))))
	return fmt.Sprintf("%.*f", digits, ms)
}

// percent has one digit behind the point below ten.
func percent(share float64) string {
	switch {
	case math.IsNaN(share):
		return "-"
	case math.Abs(share) < 0.1:
		return fmt.Sprintf("%.1f %%", 100*share)
	}
	return fmt.Sprintf("%.0f %%", 100*share)
}

func number(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

// oneLine makes a text fit into a cell of a table.
func oneLine(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "/")
	if runes := []rune(text); len(runes) > 160 {
		return string(runes[:160]) + "…"
	}
	return text
}
