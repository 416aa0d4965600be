package fingerprint_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/fingerprint"
)

// mutant is a small module with a recipe, in a folder of its own, beside a
// module that stands for this one: real fingerprint and train, and an engine of
// a few lines.
type mutant struct {
	t   *testing.T
	dir string
}

func newMutant(t *testing.T) *mutant {
	t.Helper()
	m := &mutant{t, t.TempDir()}
	m.reset()
	for _, pkg := range []string{"internal/fingerprint", "train"} {
		from := filepath.Join("..", "..", filepath.FromSlash(pkg))
		files, err := filepath.Glob(filepath.Join(from, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if text, err := os.ReadFile(file); err == nil && !strings.HasSuffix(file, "_test.go") {
				m.put(filepath.Join("art", pkg, filepath.Base(file)), string(text))
			}
		}
	}
	return m
}

// reset undoes all edits of the recipe's module and of the engine.
func (m *mutant) reset() {
	m.t.Helper()
	require.NoError(m.t, os.RemoveAll(m.path("recipe")))
	for _, part := range []string{"recipe", "art"} {
		require.NoError(m.t, filepath.WalkDir(filepath.Join("testdata", part), func(name string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			rel, err := filepath.Rel("testdata", name)
			require.NoError(m.t, err)
			text, err := os.ReadFile(name)
			require.NoError(m.t, err)
			if was, err := os.ReadFile(m.path(rel)); err != nil || string(was) != string(text) {
				m.put(rel, string(text))
			}
			return nil
		}))
	}
}

func (m *mutant) path(name string) string { return filepath.Join(m.dir, filepath.FromSlash(name)) }

func (m *mutant) put(name, text string) {
	m.t.Helper()
	require.NoError(m.t, os.MkdirAll(filepath.Dir(m.path(name)), 0o755))
	require.NoError(m.t, os.WriteFile(m.path(name), []byte(text), 0o644))
}

func (m *mutant) get(name string) string {
	m.t.Helper()
	text, err := os.ReadFile(m.path(name))
	require.NoError(m.t, err)
	return string(text)
}

// replace changes the one place of a file where old stands.
func (m *mutant) replace(name, old, new string) {
	m.t.Helper()
	text := m.get(name)
	require.Equal(m.t, 1, strings.Count(text, old), "%q in %s", old, name)
	m.put(name, strings.Replace(text, old, new, 1))
}

// run runs the recipe and returns the prints of its steps.
func (m *mutant) run(args ...string) map[string]fingerprint.Print {
	m.t.Helper()
	return m.exec(nil, append([]string{"go", "test", "-count=1", "-v", "-vet=off", "-run=TestRecipe"}, args...)...)
}

func (m *mutant) exec(env []string, command ...string) map[string]fingerprint.Print {
	m.t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Dir = m.path("recipe")
	cmd.Env = append(append(os.Environ(), "GOFLAGS=", "GOWORK=off"), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(m.t, err, "%s", out)
	prints := map[string]fingerprint.Print{}
	for line := range strings.Lines(string(out)) {
		if rest, ok := strings.CutPrefix(line, "PRINT "); ok {
			name, text, _ := strings.Cut(rest, " ")
			var p fingerprint.Print
			require.NoError(m.t, json.Unmarshal([]byte(text), &p))
			prints[name] = p
		}
	}
	require.NotEmpty(m.t, prints, "%s", out)
	return prints
}

// own is a print without what it has from the steps before.
func own(p fingerprint.Print) fingerprint.Print {
	var q fingerprint.Print
	for _, in := range p.Ingredients {
		if !strings.HasPrefix(in.Name, "needed step ") {
			q.Add(in)
		}
	}
	return q
}

// changed lists which steps have another fingerprint of their own: "e" for
// explore, "o" for overfit, "r" for regularize.
func changed(before, after map[string]fingerprint.Print) (letters, why string) {
	for _, step := range []string{"explore", "overfit", "regularize"} {
		for i, c := range fingerprint.Diff(own(before[step]), own(after[step])) {
			if i == 0 {
				letters += step[:1]
			}
			why += step + ": " + c.Text + "\n"
		}
	}
	return letters, why
}
