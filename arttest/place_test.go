package arttest_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// goTest runs the go command with -json in a folder; env holds "NAME=value".
func goTest(t *testing.T, dir string, env []string, args ...string) outcome {
	t.Helper()
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Dir, cmd.Env = dir, environment(env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return outcome{t: t, events: decode(t, out), raw: string(out) + stderr.String(), code: cmd.ProcessState.ExitCode()}
}

// ownModule is a module like the one all tests share, for those that write to it. Its
// packages compile from the cache.
func ownModule(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "mod")
	require.NoError(t, writeModule(dir))
	return dir
}

// Runs are kept beside go.mod, whichever package the recipe is in; two packages at
// once with recipes of one name do not disturb each other.
func TestRunsBesideModule(t *testing.T) {
	if testing.Short() {
		t.Skip("starts go test")
	}
	t.Parallel()
	dir := ownModule(t)
	o := goTest(t, dir, nil, "-run", "^(TestSame|TestParallel.*)$", "-count=3", "./...")
	require.Equal(t, 0, o.code, o.raw)
	o.dir = filepath.Join(dir, ".art")
	runs := o.runs("same")
	assert.Len(t, runs, 9)
	ids := map[string]bool{}
	for _, run := range runs {
		ids[run.ID] = true
		assert.Equal(t, "pass", string(run.Outcome))
		assert.Regexp(t, `^[0-9A-HJKMNP-TV-Z]{8}$`, run.ID)
		assert.Contains(t, []string{"./recipes", "./other"}, run.Settings["package"])
	}
	assert.Len(t, ids, 9)
	ignore, err := os.ReadFile(filepath.Join(dir, ".art", ".gitignore"))
	require.NoError(t, err)
	assert.Equal(t, "*\n", string(ignore))
	for _, pkg := range []string{"recipes", "other"} {
		assert.NoDirExists(t, filepath.Join(dir, pkg, ".art"))
	}

	// A result is never taken from the cache of go test: a run is a file.
	o = goTest(t, dir, nil, "-run", "^TestSame$", "./other")
	o = goTest(t, dir, nil, "-run", "^TestSame$", "./other")
	assert.NotContains(t, o.raw, "(cached)")
}

// ART_DIR and -art.dir may be absolute, or relative to go.mod.
func TestRunsElsewhere(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	for _, tt := range []struct{ setting, want string }{
		{"ART_DIR=results/of art", "results/of art"},
		{"-art.dir=./here", "here"},
		{"-art.dir=../beside", "../beside"},
	} {
		dir := filepath.Join(t.TempDir(), "mod")
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "pkg", "deep"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module m\n"), 0o644))
		o := startIn(t, filepath.Join(dir, "pkg", "deep"), binary, "^TestSeeded$", tt.setting)
		o.dir = filepath.Join(dir, tt.want)
		assert.Equal(t, []string{"draws pass", "next pass"}, outcomes(o.run()))
		assert.FileExists(t, filepath.Join(o.dir, ".gitignore"))
		o.says("TestSeeded", "next: does it hold for another seed? go test ./pkg/deep -run '^TestSeeded$' -art.seed=2 -v")
		if filepath.IsLocal(tt.want) {
			o.says("TestSeeded", "the event file is in "+tt.want+"/seeded/")
		}
	}
	// An ignore file of the user's own stays.
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("!*\n"), 0o644))
	startIn(t, t.TempDir(), binary, "^TestSeeded$", "ART_DIR="+dir)
	kept, err := os.ReadFile(filepath.Join(dir, ".gitignore"))
	require.NoError(t, err)
	assert.Equal(t, "!*\n", string(kept))
}

// Without a go.mod above it the package's own folder keeps the runs.
func TestRunsWithoutModule(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	dir := t.TempDir()
	o := startIn(t, dir, binary, "^TestSeeded$", "ART_DIR=")
	o.dir = filepath.Join(dir, ".art")
	assert.Equal(t, []string{"draws pass", "next pass"}, outcomes(o.run()))
	o.says("TestSeeded", "in .art/seeded/", "go test . -run")
}

func startIn(t *testing.T, dir, binary, run string, more ...string) outcome {
	t.Helper()
	return startAt(t, dir, binary, run, more...).wait()
}

// Both layouts of the artifact directory, of go test as people type it.
func TestGoTestArtifacts(t *testing.T) {
	if testing.Short() {
		t.Skip("starts go test")
	}
	t.Parallel()
	for _, own := range []bool{false, true} {
		dir := ownModule(t)
		root := filepath.Join(dir, "_artifacts")
		args := []string{"-artifacts", "-run", "^TestArtifacts$", "./recipes"}
		if own {
			root = t.TempDir()
			args = append([]string{"-outputdir", root}, args...)
		}
		o := goTest(t, dir, nil, args...)
		o.dir = filepath.Join(dir, ".art")
		o.attached(t, root)
	}
}

// gotestsum keeps the attributes and the failures' text in its JUnit file.
func TestGotestsum(t *testing.T) {
	if testing.Short() {
		t.Skip("starts gotestsum")
	}
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	tool, err := output(root, "go", "tool", "-modfile="+filepath.Join(root, "tools", "go.mod"), "-n", "gotestsum")
	if err != nil {
		t.Skipf("gotestsum cannot be built here: %v", err)
	}
	dir := ownModule(t)
	junit := filepath.Join(dir, "junit.xml")
	_, err = output(dir, tool, "--junitfile", junit, "--format", "testdox", "--", "-artifacts", "-run", "^(TestGoldenFail|TestArtifacts)$", "./recipes")
	require.Error(t, err)
	assert.Contains(t, err.Error(), "Golden fail overfit-one-batch loss-reaches-zero")
	text, err := os.ReadFile(junit)
	require.NoError(t, err)
	var suites struct {
		Cases []struct {
			Name       string `xml:"name,attr"`
			Failure    string `xml:"failure"`
			Properties []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"properties>property"`
			Skipped *struct {
				Message string `xml:"message,attr"`
			} `xml:"skipped"`
		} `xml:"testsuite>testcase"`
	}
	require.NoError(t, xml.Unmarshal(text, &suites))
	found := map[string]string{}
	for _, c := range suites.Cases {
		for _, p := range c.Properties {
			found[c.Name] += fmt.Sprintf("%s=%s ", p.Name, p.Value)
		}
		found[c.Name] += c.Failure
		if c.Skipped != nil {
			found[c.Name] += c.Skipped.Message
		}
	}
	assert.Contains(t, found["TestArtifacts/saves"], "art.accuracy.training=0.500 art.outcome=pass art.seed=1 ")
	assert.Contains(t, found["TestGoldenFail/overfit-one-batch"], "art.loss.training=2.310 ")
	assert.Contains(t, found["TestGoldenFail/overfit-one-batch/loss-reaches-zero"], "the network cannot learn 16 samples by heart")
	assert.Contains(t, found["TestGoldenFail/overfit-one-batch/loss-reaches-zero"], "replay    go test ")
	assert.Contains(t, found["TestGoldenFail/overfit"], "needs overfit-one-batch, which failed")
	assert.False(t, strings.Contains(string(text), "\x16"))
}
