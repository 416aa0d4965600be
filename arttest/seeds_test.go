package arttest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

// What is recorded does not depend on how many seeds run at once; other checks see
// the recipe's seed only.
func TestSeeds(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestSeeds$", "-test.cpu=4")
	require.Equal(t, 0, o.code, "%s", o.raw)
	o.says("TestSeeds/training", "seed 7: training accuracy 1\n", "seed 8: training accuracy", "seed 11: training accuracy",
		"✓ training accuracy at least 0.6 over 5 seeds", "lower 95 % bound of the mean")
	o.says("TestSeeds/regularize", "seed 7: validation loss", "seed 9: validation loss", "want ≤ 2", "upper 95 % bound of the mean")
	alone := recipes(t, "^TestSeeds$", "-test.cpu=1")
	assert.Empty(t, cmp.Diff(o.bits("seeds")[0], alone.bits("seeds")[0]))

	// A seed among others is that seed alone.
	run := o.run()
	for _, step := range []string{"training", "regularize"} {
		nine := recipes(t, "^TestSeeds$/^"+step+"$", "-art.seed=9").run().Step(step)
		for _, stage := range []string{"training", "validation"} {
			want, _ := nine.Score("loss", stage)
			assert.Equal(t, want.Value, ofSeed(t, run.Step(step), "seed 9", stage).Value)
			one, _ := run.Step(step).Score("loss", stage)
			assert.Equal(t, one.Value, ofSeed(t, run.Step(step), "seed 7", stage).Value)
			assert.NotEqual(t, one.Value, want.Value)
		}
	}
	second := again(t, o.dir, "^TestSeeds$")
	second.says("TestSeeds/regularize", "↺ reused from run", "✓ validation loss at most 2 over 3 seeds", "✓ the step's own checks hold, as they did: 1\n")
	assert.NotContains(t, second.raw, "✓ loss stays finite")
	dry := recipes(t, "^TestSeeds$", "-test.short")
	assert.Equal(t, 0, dry.code)
	assert.NotContains(t, dry.raw, "seed 8")
}

func ofSeed(t *testing.T, s *record.StepRun, trial, stage string) record.Point {
	t.Helper()
	i := slices.IndexFunc(s.Series, func(c *record.Series) bool { return c.Trial == trial && c.Stage == stage && c.Name == "loss" })
	require.GreaterOrEqual(t, i, 0)
	require.Len(t, s.Series[i].Points, 1)
	return s.Series[i].Points[0]
}

// Seeds that were run once are not run again: all, when nothing changed; the others,
// when there are to be more.
func TestSeedsReuse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	first := again(t, dir, "^TestSeedsScore$")
	assert.Equal(t, "fail", first.results()["TestSeedsScore/drawn/height-training-at-least-7-over-4-seeds"])
	first.says("TestSeedsScore/drawn/height-training-at-least-7-over-4-seeds",
		"over 4 seeds, the mean training height is 7.500, and its lower 95 % bound 5.981", "want      ≥ 7", "got       5.981",
		"evidence  9 with seed 1, 8 with seed 2, 7 with seed 3, 6 with seed 4", "the seeds differ too much", "replay with -art.seed=4", "replay ")
	assert.Equal(t, 4, strings.Count(first.raw, "DRAWN WITH"))
	assert.Equal(t, 1, strings.Count(first.raw, "not to be seen"), "%s", first.raw)
	require.Len(t, first.run().Steps[0].Artifacts, 1)

	second := again(t, dir, "^TestSeedsScore$") // failed steps run again
	assert.Equal(t, 1, strings.Count(second.raw, "DRAWN WITH"), "%s", second.raw)
	second.says("TestSeedsScore/drawn", "seed 1: training height 9\n", "seed 2: training height 8 (↺ from run "+first.newest("seeds-score").ID+")\n", "seed 4:")
	lower := again(t, dir, "^TestSeedsScore$", "RECIPES_WANT=5.9")
	assert.Equal(t, 0, lower.code, "%s", lower.raw)
	passed := again(t, dir, "^TestSeedsScore$", "RECIPES_WANT=5.8")
	assert.NotContains(t, passed.raw, "DRAWN WITH")
	passed.says("TestSeedsScore/drawn", "↺ reused from run", "✓ training height at least 5.8 over 4 seeds", "worst 6 with seed 4")
	fresh := again(t, dir, "^TestSeedsScore$", "-art.fresh")
	assert.Equal(t, 4, strings.Count(fresh.raw, "DRAWN WITH"))

	dir = filepath.Join(t.TempDir(), "art")
	again(t, dir, "^TestSeeds$/^training$", "RECIPES_SEEDS=3")
	more := again(t, dir, "^TestSeeds$/^training$", "RECIPES_SEEDS=5")
	more.says("TestSeeds/training", "training runs again: ", "number of seeds: 3 became 5", "seed 9: training accuracy", "(↺ from run", "seed 10: training accuracy")
	assert.Equal(t, 2, strings.Count(more.raw, "(↺ from run"))
}

// A seed that goes wrong breaks the step, and says which.
func TestSeedsTrouble(t *testing.T) {
	t.Parallel()
	for test, says := range map[string]string{
		"TestSeedsError":  "step drawn could not be carried out: with seed 3 (-art.seed=3 begins with it): planted\n",
		"TestSeedsPanic":  "with seed 3 (-art.seed=3 begins with it): panic: planted\n",
		"TestSeedsGoexit": "with seed 2 (-art.seed=2 begins with it): it ended its goroutine",
	} {
		o := recipes(t, "^"+test+"$")
		o.expect(test+" fail", test+"/drawn fail")
		o.says(test+"/drawn", says, "replay")
	}
	o := recipes(t, "^TestSeedsSilent$")
	o.says("TestSeedsSilent/drawn", "seed 4: no score\n", "want 4 seeds", "got 3")
	assert.Equal(t, "fail", o.results()["TestSeedsSilent/drawn/height-training-at-least-7-over-4-seeds"])
	o = recipes(t, "^TestSeedsMisuse$")
	o.says("TestSeedsMisuse", "checks.Seeds(2, …)", "use 3 or more")
}

// What stops the test stops all seeds, and those that ended are known next time.
func TestSeedsInterrupted(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "art")
	p := start(t, binary, "^TestSeedsHang$", "ART_DIR="+dir, "-test.cpu=4")
	p.dir = dir
	p.ready()
	require.Eventually(t, func() bool { return strings.Contains(p.out.String(), "seed 2: training height") }, 20*time.Second, 2*time.Millisecond)
	require.NoError(t, p.cmd.Process.Signal(os.Signal(syscall.SIGINT)))
	o := p.wait()
	o.says("TestSeedsHang/drawn", "interrupt")
	assert.Equal(t, 1, strings.Count(o.raw, "seed 2: "))
	next := start(t, binary, "^TestSeedsHang$", "ART_DIR="+dir, "-test.timeout=3s").wait()
	next.says("TestSeedsHang/drawn", "seed 2: training height 8 (↺ from run "+o.newest("seeds-hang").ID+")\n", "deadline")
}
