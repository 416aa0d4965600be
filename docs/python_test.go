package docs

import (
	"bufio"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// from-python.md has every public name of the Python ART, in the section of its
// module; parts of the dashboard are in one section.
func TestFromPythonIsComplete(t *testing.T) {
	text := page(t, "from-python.md")
	file, err := os.Open("testdata/art-training-1.0.0.txt")
	require.NoError(t, err)
	defer file.Close()
	spans := map[string]string{} // the code spans of each section
	lines := bufio.NewScanner(file)
	names := 0
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		module, name, ok := strings.Cut(lines.Text(), " ")
		require.True(t, ok, "%q is not a module and a name", lines.Text())
		heading := "## " + module
		if strings.HasPrefix(module, "art.dashboard.") {
			heading = "## art.dashboard"
		}
		if spans[heading] == "" {
			for _, s := range span.FindAllStringSubmatch(section(t, text, heading), -1) {
				spans[heading] += s[1] + "\n"
			}
		}
		last := name[strings.LastIndex(name, ".")+1:]
		assert.Regexp(t, `\b`+regexp.QuoteMeta(last)+`\b`, spans[heading], "%s of %s is not in its section", name, module)
		names++
	}
	require.NoError(t, lines.Err())
	assert.Greater(t, names, 300)
}
