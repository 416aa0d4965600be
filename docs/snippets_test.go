package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	// What snippets use, so that a change in it is a reason to run them again.
	_ "github.com/actually-robust-training/art/datasets/download"
	_ "github.com/actually-robust-training/art/decorators"
	_ "github.com/actually-robust-training/art/loggers"
	_ "github.com/actually-robust-training/art/metrics"
	_ "github.com/actually-robust-training/art/nn"
	_ "github.com/actually-robust-training/art/record/recordtest"
)

const module = "github.com/actually-robust-training/art"

// paths are the packages that Go blocks use without importing them.
var paths = map[string]string{
	"context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "math": "math", "os": "os", "testing": "testing",
	"assert": "github.com/stretchr/testify/assert", "require": "github.com/stretchr/testify/require",
	"download": module + "/datasets/download", "recordtest": module + "/record/recordtest",
}

func init() {
	for _, name := range []string{"arttest", "baselines", "checks", "datasets", "decorators", "loggers", "metrics", "nn", "record", "steps", "train"} {
		paths[name] = module + "/" + name
	}
}

// The Go blocks of each page, as test files of a module of their own that
// requires this one, pass go vet and go test.
func TestSnippets(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds a module; run it without -short")
	}
	dir := t.TempDir()
	scratchModule(t, dir)
	for _, name := range pages {
		stem := strings.TrimSuffix(strings.ReplaceAll(name, "-", ""), ".md")
		for i, block := range blocks(page(t, name), "go") {
			folder := filepath.Join(dir, fmt.Sprintf("%s%d", stem, i+1))
			require.NoError(t, os.Mkdir(folder, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(folder, "snippet_test.go"), []byte(wholeFile(t, name, block)), 0o644))
		}
	}
	for _, args := range [][]string{{"vet", "./..."}, {"test", "-count=1", "./..."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "ART_DIR=", "ART_SEED=",
			datasets.DataDirVariable+"="+os.Getenv(datasets.DataDirVariable)) // asked for by name, go test sees the dependence
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %s: %s", strings.Join(args, " "), out)
	}
}

// scratchModule makes a module that has all that this one requires.
func scratchModule(t *testing.T, dir string) {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	text := strings.Replace(string(mod), "module "+module, "module example.com/docs", 1)
	text += fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", module, module, root)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644))
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644))
}

// wholeFile is a block with package clause and imports. A block without
// declarations is the body of a test with a recipe r and a model.
func wholeFile(t *testing.T, name, block string) string {
	t.Helper()
	if strings.HasPrefix(block, "package ") {
		return block
	}
	parse := func(text string) (*ast.File, error) {
		return parser.ParseFile(token.NewFileSet(), name, "package snippet\n"+text, 0)
	}
	file, err := parse(block)
	if err != nil {
		block = "func _(t *testing.T, r *arttest.R, model train.Model) {\n" + block + "\n_, _, _ = t, r, model\n}\n"
		file, err = parse(block)
	}
	require.NoError(t, err, "%s:\n%s", name, block)
	var imports []string
	for _, id := range file.Unresolved {
		if path, ok := paths[id.Name]; ok && !slices.Contains(imports, fmt.Sprintf("%q", path)) {
			imports = append(imports, fmt.Sprintf("%q", path))
		}
	}
	slices.Sort(imports)
	return "package snippet\n\nimport (\n" + strings.Join(imports, "\n") + "\n)\n\n" + block
}
