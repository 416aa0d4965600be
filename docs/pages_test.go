// Package docs holds the pages about the project, and the tests that keep them
// true: Go blocks are vetted and run, Go names and flags exist, links lead
// somewhere, design.md has the import table of internal/archtest, checks.md the
// checks of package steps, and from-python.md every name of the Python ART.
package docs

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/actually-robust-training/art/arttest" // its flags are looked up
)

// pages are what the tests of this package read.
var pages = []string{"design.md", "from-python.md", "checks.md", "ci.md", "performance.md"}

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// blocks are the fenced blocks of a language.
func blocks(text, language string) []string {
	var found []string
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	return found
}

// prose is a page without its fenced blocks.
func prose(text string) string { return fence.ReplaceAllString(text, "") }

// cells are the cells of each row of the tables of a text, header and rule left out.
func cells(text string) [][]string {
	var rows [][]string
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|---") {
			continue
		}
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---") {
			continue
		}
		row := strings.Split(strings.Trim(line, "| "), "|")
		for j := range row {
			row[j] = strings.TrimSpace(row[j])
		}
		rows = append(rows, row)
	}
	return rows
}

// section is what stands below a heading, up to the next of its level.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut("\n"+text, "\n"+heading+"\n")
	require.True(t, ok, "there is no heading %q", heading)
	level, _, _ := strings.Cut(heading, " ")
	rest, _, _ = strings.Cut(rest, "\n"+level+" ")
	return rest
}

var headings = regexp.MustCompile(`(?m)^#+ (.+)$`)

// anchors are the names by which the headings of a page can be linked to.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	drop := regexp.MustCompile("[^a-z0-9 _-]")
	for _, m := range headings.FindAllStringSubmatch(prose(text), -1) {
		name := drop.ReplaceAllString(strings.ToLower(m[1]), "")
		found[strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

func TestLinks(t *testing.T) {
	for _, name := range pages {
		text := page(t, name)
		for _, m := range link.FindAllStringSubmatch(prose(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			if file == "" {
				file = name
			}
			target, err := os.ReadFile(file)
			if info, e := os.Stat(file); e == nil && info.IsDir() {
				err = nil
			}
			if !assert.NoError(t, err, "%s links to %s", name, m[1]) || anchor == "" {
				continue
			}
			assert.True(t, anchors(string(target))[anchor], "%s links to %s, but %s has no such heading", name, m[1], filepath.Base(file))
		}
	}
}

var artFlag = regexp.MustCompile(`-(art\.[a-z]+)`)

func TestFlags(t *testing.T) {
	for _, name := range pages {
		for _, m := range artFlag.FindAllStringSubmatch(page(t, name), -1) {
			assert.NotNil(t, flag.Lookup(m[1]), "%s names the flag -%s, which package arttest does not have", name, m[1])
		}
	}
}
