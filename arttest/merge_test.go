package arttest_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/store"
)

// Ten processes that write to one folder at once lose nothing, and what they leave
// is of use to the next.
func TestTenProcesses(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "art")
	var all []*process
	for range 10 {
		p := start(t, binary, "^(TestReuse|TestGate)$", "ART_DIR="+dir)
		p.dir = dir
		all = append(all, p)
	}
	for _, p := range all {
		require.Equal(t, 0, p.wait().code, "%s", p.out)
	}
	o := again(t, dir, "^(TestReuse|TestGate)$")
	require.Equal(t, 0, o.code)
	o.says("TestReuse/training", "↺ reused from run")
	assert.NotContains(t, o.raw, "LOOK RUNS")
	want := o.bitsOf("reuse", o.newest("reuse").ID)
	runs := o.runs("reuse")
	require.Len(t, runs, 11)
	require.Len(t, o.runs("gate"), 11)
	for _, run := range runs {
		assert.Equal(t, "pass", string(run.Outcome))
		assert.Empty(t, cmp.Diff(want, o.bitsOf("reuse", run.ID)))
		assert.FileExists(t, filepath.Join(dir, "reuse", run.ID, "manifest.json"))
	}
	half, err := filepath.Glob(filepath.Join(dir, "*", "*", ".tmp-*"))
	require.NoError(t, err)
	assert.Empty(t, half)
}

// Folders of two machines merge by copying: results of both are reused, gates know
// the runs of both, and all are listed.
func TestMergedByCopying(t *testing.T) {
	t.Parallel()
	here, there := filepath.Join(t.TempDir(), "art"), filepath.Join(t.TempDir(), "art")
	var ids []string
	run := func(dir, test, recipe string, more ...string) string {
		o := again(t, dir, test, more...)
		require.Equal(t, 0, o.code, "%s", o.raw)
		ids = append(ids, o.newest(recipe).ID)
		return ids[len(ids)-1]
	}
	one := run(here, "^TestReuse$", "reuse")
	run(here, "^TestGate$", "gate", "RECIPES_HEIGHT=1")
	two := run(there, "^TestReuse$", "reuse", "RECIPES_ITERATIONS=41")
	best := run(there, "^TestGate$", "gate", "RECIPES_HEIGHT=3")
	for _, dir := range []string{here, there} { // both have an index
		s, err := store.Open(t.Context(), dir)
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	_, err := output(".", "cp", "-r", there+"/.", here)
	require.NoError(t, err)

	first := again(t, here, "^TestReuse$")
	first.says("TestReuse/look", "↺ reused from run ")
	first.says("TestReuse/training", "↺ reused from run "+one)
	second := again(t, here, "^TestReuse$", "RECIPES_ITERATIONS=41")
	second.says("TestReuse/training", "↺ reused from run "+two)
	assert.NotContains(t, first.raw+second.raw, "LOOK RUNS")
	gate := again(t, here, "^TestGate$", "RECIPES_HEIGHT=2")
	gate.says("TestGate/score/height-training-no-worse-than-best", "training height is 2; in the best run, "+best+", it was 3\n")

	s, err := store.Open(t.Context(), here)
	require.NoError(t, err)
	defer s.Close()
	listed, err := s.Runs(t.Context(), store.Query{})
	require.NoError(t, err)
	assert.Len(t, listed, 7)
	for _, id := range ids {
		assert.True(t, slices.ContainsFunc(listed, func(r store.Summary) bool { return r.ID == id }), id)
	}
	left, err := s.Leftovers()
	require.NoError(t, err)
	assert.Empty(t, left, "nothing of use is taken for rubbish")
}
