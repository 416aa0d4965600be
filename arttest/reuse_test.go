package arttest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

// again runs recipes with runs kept in a folder that earlier ones used.
func again(t *testing.T, dir, run string, more ...string) outcome {
	t.Helper()
	o := recipes(t, run, append(more, "ART_DIR="+dir)...)
	o.dir = dir
	return o
}

// newest is the run that a process has just made: it says its name first. Others are
// not read: what was killed before its first event was whole has none.
func (o outcome) newest(recipe string) *record.Run {
	o.t.Helper()
	dirs, err := filepath.Glob(filepath.Join(o.dir, recipe, "*"))
	require.NoError(o.t, err)
	for _, dir := range dirs {
		if strings.Contains(o.raw, "run "+filepath.Base(dir)+"\n") {
			return o.read(filepath.Join(dir, "events.jsonl"))
		}
	}
	require.Fail(o.t, "no run", "%s", o.raw)
	return nil
}

// What passed is taken over whole: scores, curves, texts, files; judged anew.
func TestReuse(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	first := again(t, dir, "^TestReuse$")
	require.Contains(t, first.raw, "LOOK RUNS")
	assert.NotContains(t, first.raw, "runs again")
	one := first.newest("reuse")

	second := again(t, dir, "^TestReuse$")
	assert.Equal(t, first.results(), second.results())
	for _, never := range []string{"LOOK RUNS", "LAST RUNS", "runs again"} {
		assert.NotContains(t, second.raw, never)
	}
	assert.Contains(t, second.raw, "ALWAYS RUNS")
	says := "↺ reused from run " + one.ID + " (nothing it depends on has changed; -art.fresh runs it)\n"
	for _, step := range []string{"look", "training", "last"} {
		second.says("TestReuse/"+step, says)
	}
	second.says("TestReuse/training", says, "training    loss", "accuracy", "✓ training accuracy at least 0.5")
	second.says("TestReuse", "↺ "+one.ID, "the event file is in ", ", 1 artifact in the runs that steps were taken from; look at it: art show ")
	two := second.newest("reuse")
	for i, s := range two.Steps[:3] {
		assert.Equal(t, one.ID, s.Reused)
		assert.Empty(t, cmp.Diff(one.Steps[i], s, cmpopts.IgnoreUnexported(record.StepRun{}), cmpopts.EquateNaNs(),
			cmpopts.IgnoreFields(record.StepRun{}, "Started", "Duration", "Reused", "Artifacts")))
		for _, a := range s.Artifacts {
			assert.FileExists(t, filepath.Join(two.Settings["directory"], filepath.FromSlash(a.Path)))
		}
	}
	require.Len(t, two.Steps[0].Artifacts, 1)
	assert.Equal(t, "../"+one.ID+"/look/view/seen.txt", two.Steps[0].Artifacts[0].Path)
	assert.FileExists(t, filepath.Join(dir, "reuse", two.ID, "manifest.json"))

	third := again(t, dir, "^TestReuse$", "-test.artifacts", "-test.outputdir="+t.TempDir())
	assert.Contains(t, third.raw, says, "the run that it comes from is named, not the last that reused it")
}

// What asks for everything gets it; that it is off is also remembered.
func TestReuseOff(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]struct {
		args []string
		runs bool
	}{
		"flag":             {[]string{"-art.fresh"}, true},
		"variable":         {[]string{"ART_FRESH=1"}, true},
		"count":            {[]string{"-test.count=1"}, true},
		"CI":               {[]string{"CI=true"}, true},
		"short":            {[]string{"-test.short"}, true},
		"asked for":        {[]string{"CI=true", "-test.count=1", "-art.fresh=false"}, false},
		"asked for, too":   {[]string{"CI=true", "ART_FRESH=0"}, false},
		"flag comes first": {[]string{"ART_FRESH=0", "-art.fresh"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "art")
			again(t, dir, "^TestReuse$", how.args...)
			o := again(t, dir, "^TestReuse$", how.args...)
			assert.Equal(t, how.runs, strings.Contains(o.raw, "LOOK RUNS"), "%s", o.raw)
			assert.Equal(t, 0, o.code)
		})
	}
	o := recipes(t, "^TestReuse$", "ART_FRESH=often")
	assert.Contains(t, o.raw, `ART_FRESH="often" is neither true nor false`)
}

// What changed is named, and what depends on it runs again, too.
func TestReuseAfterChange(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	again(t, dir, "^TestReuse$")
	o := again(t, dir, "^TestReuse$", "RECIPES_ITERATIONS=41")
	assert.NotContains(t, o.raw, "LOOK RUNS")
	o.says("TestReuse/training", "training runs again: ", "40 became 41")
	o.says("TestReuse/last", "last runs again: training, which it needs, changed\n")
	back := again(t, dir, "^TestReuse$")
	assert.NotContains(t, back.raw, "RUNS\n=", "what passed before the last change is known still")
	back.says("TestReuse/training", "↺ reused")
	seed := again(t, dir, "^TestReuse$", "-art.seed=9")
	seed.says("TestReuse/look", "look runs again: seed: 7 became 9\n")
}

// A changed threshold needs no training; what fails is not reused.
func TestReuseJudgesAnew(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	again(t, dir, "^TestReuse$")
	o := again(t, dir, "^TestReuse$", "RECIPES_WANT=1.5")
	assert.Equal(t, "fail", o.results()["TestReuse/training/accuracy-training-at-least-1.5"])
	o.says("TestReuse/training", "↺ reused from run")
	assert.Equal(t, "skip", o.results()["TestReuse/last"])
	assert.Equal(t, record.Failed, o.newest("reuse").Step("training").Outcome)

	dir = filepath.Join(t.TempDir(), "art")
	again(t, dir, "^TestReuse$", "RECIPES_WANT=1.5")
	o = again(t, dir, "^TestReuse$", "RECIPES_WANT=1.5")
	o.says("TestReuse/look", "↺ reused")
	assert.NotContains(t, o.text("TestReuse/training"), "↺")
}

// A step that stopped at the first of its tries that passed goes on when
// another check no longer lets that one pass.
func TestReuseOfChoice(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	assert.Contains(t, again(t, dir, "^TestChooser$").raw, "CHOOSER TRIES 2")
	assert.NotContains(t, again(t, dir, "^TestChooser$", "RECIPES_WANT=1").raw, "TRIES")
	o := again(t, dir, "^TestChooser$", "RECIPES_WANT=3")
	assert.Contains(t, o.raw, "CHOOSER TRIES 3")
	o.says("TestChooser/chooser", "chooser runs again: a check that it chose by holds no longer\n")
	assert.Equal(t, 0, o.code)
	require.Len(t, o.newest("chooser").Steps, 1)
}

// What -run leaves out is taken from an earlier run, or runs first.
func TestReuseOfNeeds(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	o := again(t, dir, "^TestReuse$/^last$")
	assert.Contains(t, o.raw, "LOOK RUNS")
	assert.Contains(t, o.text("TestReuse/last"), "look is needed here but left out by -run or -skip, so it runs first")
	o = again(t, dir, "^TestReuse$/^last$")
	o.says("TestReuse/last", "↺ look reused from run", "↺ training reused from run", "↺ reused from run")
	assert.NotContains(t, o.raw, "RUNS")
	assert.NotContains(t, o.raw, "runs first")
}

// History that is damaged, or gone, makes steps run, never fail.
func TestReuseOfDamage(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(dir, run string) error{
		"run gone":      func(dir, run string) error { return os.RemoveAll(filepath.Join(dir, "reuse", run)) },
		"artifact gone": func(dir, run string) error { return os.RemoveAll(filepath.Join(dir, "reuse", run, "look")) },
		"events torn":   func(dir, run string) error { return os.Truncate(filepath.Join(dir, "reuse", run, "events.jsonl"), 900) },
		"events foul": func(dir, run string) error {
			return os.WriteFile(filepath.Join(dir, "reuse", run, "events.jsonl"), []byte("{}\n"), 0o644)
		},
		"entries foul": func(dir, _ string) error {
			files, err := filepath.Glob(filepath.Join(dir, "reuse", "passed", "*"))
			for _, f := range files {
				err = os.WriteFile(f, []byte(`{"schema":99}`), 0o644)
			}
			return err
		},
		"entries gone": func(dir, _ string) error { return os.RemoveAll(filepath.Join(dir, "reuse", "passed")) },
		"no folder": func(dir, _ string) error {
			if err := os.RemoveAll(filepath.Join(dir, "reuse", "passed")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "reuse", "passed"), nil, 0o644)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "art")
			run := again(t, dir, "^TestReuse$").newest("reuse").ID
			require.NoError(t, damage(dir, run))
			o := again(t, dir, "^TestReuse$")
			assert.Contains(t, o.raw, "LOOK RUNS")
			assert.Equal(t, 0, o.code, "%s", o.raw)
		})
	}
}

// A variant that was tried, and did not do, is not trained again beside a new one.
func TestReuseOfVariants(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	first := again(t, dir, "^TestVariants$")
	assert.NotContains(t, first.raw, "was tried")
	id := first.newest("variants").ID
	o := again(t, dir, "^TestVariants$", "RECIPES_MORE=1")
	o.says("TestVariants/regularize", "variant 1 of 3: weight decay 0.01\n", "↺ weight decay 0.01 was tried in run "+id,
		"variant 2 of 3: changed model\n", "↺ changed model was tried in run "+id, "variant 3 of 3: dropout 0.4\n")
	assert.NotContains(t, o.raw, "↺ dropout 0.4")
	was, is := first.newest("variants").Steps[0], o.newest("variants").Steps[0]
	for i, s := range was.Series {
		assert.Equal(t, s, is.Series[i])
	}
	assert.Equal(t, "fail", o.results()["TestVariants/regularize/never"])
	for _, a := range is.Artifacts {
		assert.FileExists(t, filepath.Join(dir, "variants", o.newest("variants").ID, filepath.FromSlash(a.Path)))
	}
	fresh := again(t, dir, "^TestVariants$", "-art.fresh")
	assert.NotContains(t, fresh.raw, "was tried")
	other := again(t, dir, "^TestVariants$", "-art.seed=3")
	assert.NotContains(t, other.raw, "was tried")
}

// The same after edits of the source, as it is in life: of variants a changed and a
// new one are tried, after a comment none, and none of the steps.
func TestReuseAfterEdits(t *testing.T) {
	if testing.Short() {
		t.Skip("starts go test")
	}
	t.Parallel()
	dir := ownModule(t)
	file := filepath.Join(dir, "recipes", "reuse_test.go")
	edit := func(old, new string) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(text), old)
		require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), old, new, 1)), 0o644))
	}
	run := func() outcome { return goTest(t, dir, nil, "-run", "^(TestVariants|TestChooser)$", "./recipes") }
	run()
	edit("{WeightDecay: 0.01}, {Change: changed},", "{WeightDecay: 0.01}, {Change: changed}, // two\n\t\t{Dropout: 0.1},")
	o := run()
	o.says("TestVariants/regularize", "↺ weight decay 0.01 was tried in run", "↺ changed model was tried in run", "variant 3 of 3: dropout 0.1\n")
	o.says("TestChooser/chooser", "↺ reused from run")
	edit("m.Dropout = 0.3", "m.Dropout = 0.35")
	o = run()
	o.says("TestVariants/regularize", "↺ weight decay 0.01", "variant 2 of 3: changed model\n", "variant 3 of 3", "↺ dropout 0.1 was tried")
	assert.NotContains(t, o.raw, "↺ changed model")
	edit("// chooser tries until its checks pass.", "// A chooser tries.")
	run().says("TestChooser/chooser", "↺ reused from run")
	edit("height++", "height += 0.5")
	run().says("TestChooser/chooser", "chooser runs again: user/recipes.(chooser).Run changed (reuse_test.go:")
}
