package arttest_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A data file that lies outside the module and changes is seen, though go test
// knows of neither the file nor the runs.
func TestChangedDataIsNeverCached(t *testing.T) {
	if testing.Short() {
		t.Skip("starts go test")
	}
	t.Parallel()
	for name, artDir := range map[string]string{"runs outside": filepath.Join(t.TempDir(), "art"), "runs inside": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := ownModule(t)
			file := filepath.Join(t.TempDir(), "numbers.csv")
			old := time.Now().Add(-time.Hour)
			write := func(text string) {
				require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
				require.NoError(t, os.Chtimes(file, old, old)) // not even the date changes
			}
			run := func() outcome {
				env := []string{"RECIPES_FILE=" + file}
				if artDir != "" {
					env = append(env, "ART_DIR="+artDir)
				}
				o := goTest(t, dir, env, "-run", "^TestFile$", "./recipes")
				require.Equal(t, 0, o.code, o.raw)
				assert.NotContains(t, o.raw, "(cached)")
				return o
			}
			write("1\n2\n")
			assert.Contains(t, run().raw, "SUM OF [1 2]")
			write("1\n3\n")
			changed := run()
			assert.Contains(t, changed.raw, "SUM OF [1 3]")
			changed.says("TestFile/sum", "sum runs again: data training changed (file, 2 rows)")
			o := run()
			o.says("TestFile/sum", "↺ reused from run")
			assert.NotContains(t, o.raw, "SUM OF")
			stat, err := os.Stat(filepath.Join(dir, ".art", "uncached"))
			require.NoError(t, err)
			assert.True(t, stat.ModTime().After(time.Now().AddDate(49, 0, 0)))
			assert.FileExists(t, filepath.Join(dir, ".art", ".gitignore"))
		})
	}
}
