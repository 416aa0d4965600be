package arttest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

var pointers = regexp.MustCompile(`0x[0-9a-f]{6,}`)

// bits are the events of all runs of a recipe, without what may differ between two:
// times, and the names of run and machine. Numbers are as bits.
func (o outcome) bits(recipe string) [][]string {
	o.t.Helper()
	files, err := filepath.Glob(filepath.Join(o.dir, recipe, "*", "events.jsonl"))
	require.NoError(o.t, err)
	var runs [][]string
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(o.t, err)
		var lines []string
		for e, err := range record.NewReader(f).All() {
			require.NoError(o.t, err)
			e.Time, e.Duration = time.Time{}, 0
			if e.Kind == record.RunStart {
				e.Text, e.Settings = "", nil
			}
			lines = append(lines, fmt.Sprintf("%+v %x %+v %+v", e, e.Value, e.Verdict, e.Artifact))
			lines[len(lines)-1] = pointers.ReplaceAllString(lines[len(lines)-1], "")
		}
		f.Close()
		runs = append(runs, lines)
	}
	return runs
}

// A recipe of one seed does the same, bit for bit: twice in one process, in two, and
// under the race detector.
func TestDeterminism(t *testing.T) {
	t.Parallel()
	twice := recipes(t, "^TestTraining$", "-test.count=2").bits("training")
	require.Len(t, twice, 2)
	require.Greater(t, len(twice[0]), 80)
	assert.Empty(t, cmp.Diff(twice[0], twice[1]))

	alone := recipes(t, "^TestTraining$", "-test.cpu=1").bits("training")
	assert.Empty(t, cmp.Diff(twice[0], alone[0]))

	other := recipes(t, "^TestTraining$", "-art.seed=8").bits("training")
	assert.NotEmpty(t, cmp.Diff(twice[0], other[0]), "another seed must change something")
}

func TestDeterminismUnderRace(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles with the race detector")
	}
	t.Parallel()
	racing, err := module.racing()
	if err != nil {
		t.Skipf("no race detector here: %v", err)
	}
	want := recipes(t, "^TestTraining$").bits("training")
	got := start(t, racing, "^TestTraining$").wait().bits("training")
	assert.Empty(t, cmp.Diff(want, got))

	// What ends in the middle, leaks, hangs and panics does so without a race.
	for _, run := range []string{"^Test(Leak|Panic.*|Goexit.*|LoggerError|Parallel.*|Goroutines|Passes|Artifacts)$", "^Test(Ignores|Heeds)$", "^TestHung.*$", "^TestSeeds(Score|Error|Panic|Goexit|Silent|Hang)?$"} {
		o := start(t, racing, run, "-test.timeout=3s").wait()
		assert.NotContains(t, o.raw, "DATA RACE", "%s", run)
		assert.Contains(t, o.raw, "--- FAIL")
	}
}
