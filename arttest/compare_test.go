package arttest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A step that passed before and fails now says what is different, scores first.
func TestCompare(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	never := again(t, dir, "^TestReuse$", "RECIPES_ITERATIONS=1", "RECIPES_WANT=2")
	assert.NotContains(t, never.raw, "before  ", "there is nothing to compare with")
	good := again(t, dir, "^TestReuse$", "RECIPES_WANT=0.3").newest("reuse")

	o := again(t, dir, "^TestReuse$", "RECIPES_ITERATIONS=1", "RECIPES_WANT=2", "-test.cpu=1")
	o.says("TestReuse/training/accuracy-training-at-least-2",
		"before    passed in run "+good.ID+", a moment ago; since then:\n",
		"training loss: ", " → ", "validation loss: ",
		"setting iterations: 40 became 1\n", "threads: ", " became 1\n")

	same := again(t, dir, "^TestReuse$", "RECIPES_WANT=2", "-art.fresh")
	same.says("TestReuse/training/accuracy-training-at-least-2", "before    passed in run "+good.ID,
		"no difference in settings, data, code, machine and scores\n")
	reused := again(t, dir, "^TestReuse$", "RECIPES_WANT=2")
	reused.says("TestReuse/training/accuracy-training-at-least-2",
		"before    the same result, of run ", ", passed a moment ago: the check is stricter now, or new\n")
}

// A failure says that there was a change that is not committed.
func TestCompareUncommitted(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module example.com/elsewhere\n"), 0o644))
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false", "commit", "-q", "-m", "first"}} {
		_, err := output(dir, append([]string{"git"}, args...)...)
		require.NoError(t, err)
	}
	run := func(want string) outcome {
		o := startAt(t, dir, binary, "^TestReuse$", "ART_DIR=runs", "-art.fresh", "RECIPES_WANT="+want).wait()
		o.dir = filepath.Join(dir, "runs")
		return o
	}
	first := run("0.5").newest("reuse").Settings
	assert.Equal(t, "clean", first["diff"])
	assert.Regexp(t, "^[0-9a-f]{40}$", first["commit"])
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.go"), []byte("package elsewhere\n"), 0o644))
	run("2").says("TestReuse/training/accuracy-training-at-least-2", "before    passed in run", "diff: clean became 1 file, ")
}

// The environment says where the run was.
func TestEnvironmentOfRun(t *testing.T) {
	t.Parallel()
	s := recipes(t, "^TestReuse$").run().Settings
	for name, like := range map[string]string{
		"cpu": `.+`, "cpus": `^\d+$`, "threads": `^\d+$`, "go": `^go1`, "go.sum": `^[0-9a-f]{16}$`, "seed": "^7$",
		"command": `^go test \./recipes -run '\^TestReuse\$' -art\.seed=7$`, "flags": `-test\.run=`,
	} {
		assert.Regexp(t, regexp.MustCompile(like), s[name], name)
	}
	assert.NotContains(t, s, "commit", "the module is in no repository")
	assert.NotContains(t, s, "diff")
}

// A gate compares with the runs on disk in which the step passed.
func TestGate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "art")
	run := func(height string, more ...string) outcome {
		return again(t, dir, "^TestGate$", append(more, "RECIPES_HEIGHT="+height)...)
	}
	const best, pinned = "TestGate/score/height-training-no-worse-than-best", "TestGate/score/height-training-no-worse-than-pinned"
	first := run("1")
	assert.Equal(t, "pass", first.results()[best])
	assert.Contains(t, first.text("TestGate/score"), "no earlier run")
	low := run("0.5")
	low.says(best, "training height is 0.500; in the best run, "+first.newest("gate").ID+", it was 1\n")
	assert.Equal(t, "pass", run("2").results()[best])
	assert.Equal(t, "fail", run("1").results()[best], "a result that is reused is judged anew")
	assert.Equal(t, "pass", run("1.9").results()[best])

	assert.Equal(t, "fail", run("1", "RECIPES_PINNED=1").results()[pinned], "none is")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "gate", first.newest("gate").ID, "pin.txt"), []byte("\n"), 0o644))
	assert.Equal(t, "pass", run("1", "RECIPES_PINNED=1").results()[pinned])
}
