package docs

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The first command of ci.md is that of the workflow.
func TestWorkflowCommand(t *testing.T) {
	workflow, err := os.ReadFile("../.github/workflows/recipe.yml")
	require.NoError(t, err)
	commands := blocks(page(t, "ci.md"), "sh")
	require.NotEmpty(t, commands)
	for _, word := range strings.Fields(commands[0]) {
		if word == "\\" || strings.HasPrefix(word, "--packages=") { // the user's own
			continue
		}
		assert.Contains(t, string(workflow), word, "ci.md and recipe.yml start gotestsum in different ways")
	}
}
