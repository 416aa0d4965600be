package arttest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCommit(t *testing.T) {
	sha, other := strings.Repeat("ab", 20), strings.Repeat("cd", 20)
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none":       {map[string]string{"x": ""}, ""},
		"branch":     {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": sha + "\n"}, sha},
		"detached":   {map[string]string{".git/HEAD": sha + "\n"}, sha},
		"packed":     {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/packed-refs": "# pack-refs\n" + other + " refs/heads/other\n" + sha + " refs/heads/main\n"}, sha},
		"unborn":     {map[string]string{".git/HEAD": "ref: refs/heads/main\n"}, ""},
		"damaged":    {map[string]string{".git/HEAD": "nonsense\n"}, ""},
		"no head":    {map[string]string{".git/config": ""}, ""},
		"worktree":   {map[string]string{".git": "gitdir: store/w\n", "store/w/HEAD": "ref: refs/heads/w\n", "store/w/commondir": "..\n", "store/refs/heads/w": sha + "\n"}, sha},
		"both":       {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": sha + "\n", ".git/packed-refs": other + " refs/heads/main\n"}, sha},
		"not a hash": {map[string]string{".git/HEAD": "ref: refs/heads/main\n", ".git/refs/heads/main": "abab\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range c.files {
				path := filepath.Join(dir, filepath.FromSlash(file))
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			below := filepath.Join(dir, "models", "iris")
			require.NoError(t, os.MkdirAll(below, 0o755))
			assert.Equal(t, c.want, commit(below))
		})
	}
}

func TestValuesChanged(t *testing.T) {
	old := map[string]string{"same": "1", "host": "a", "gone": "x", "empty": ""}
	now := map[string]string{"same": "1", "host": "b", "new": "y", "empty": "z"}
	assert.Equal(t, []string{"empty: nothing became z", "gone: x became nothing", "host: a became b", "new: nothing became y"}, valuesChanged(old, now))
	assert.Empty(t, valuesChanged(now, now))
	assert.Equal(t, []string{"a", "b", "and 2 more"}, firstOf([]string{"a", "b", "c", "d"}, 2))
}

func TestScoresChanged(t *testing.T) {
	old := []finalScore{{Stage: "training", Name: "loss", Value: "0.5"}, {Stage: "training", Name: "f1", Value: "NaN"}, {Stage: "training", Name: "gone", Value: "1"}, {Name: "inner", Value: "1"}}
	now := []finalScore{{Stage: "training", Name: "loss", Value: "0.75"}, {Stage: "training", Name: "f1", Value: "NaN"}, {Stage: "training", Name: "new", Value: "1"}, {Name: "inner", Value: "2"}}
	assert.Equal(t, []string{"training loss: 0.500 → 0.750"}, scoresChanged(old, now))
}
