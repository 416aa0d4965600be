package main

import (
	"fmt"
	"os"
	"strings"
)

// The table stands between these lines of the page.
const (
	beginMark = "<!-- bench-peers: begin -->"
	endMark   = "<!-- bench-peers: end -->"
)

// replaceTable puts a table between the marks of a page.
func replaceTable(page, table string) (string, error) {
	before, rest, ok := strings.Cut(page, beginMark+"\n")
	if !ok {
		return "", fmt.Errorf("the page has no line %q", beginMark)
	}
	_, after, ok := strings.Cut(rest, endMark)
	if !ok {
		return "", fmt.Errorf("the page has no line %q below %q", endMark, beginMark)
	}
	return before + beginMark + "\n\n" + strings.TrimSpace(table) + "\n\n" + endMark + after, nil
}

func writePage(path, table string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := replaceTable(string(page), table)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}
