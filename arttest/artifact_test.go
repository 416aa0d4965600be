package arttest_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

// list is a manifest.
type list struct {
	Schema       int
	Recipe, Run  string
	Step         string
	Outcome      record.Outcome
	Artifacts    []record.Artifact
	UnknownField any
}

func readList(t *testing.T, file string) (l list) {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &l))
	return l
}

// verify compares what a manifest says with the files below a folder, where those of
// the given names are not listed.
func verify(t *testing.T, dir string, artifacts []record.Artifact, others ...string) {
	t.Helper()
	want := map[string]bool{}
	for _, name := range others {
		want[name] = true
	}
	for _, a := range artifacts {
		want[a.Path] = true
		data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(a.Path)))
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		assert.Equal(t, hex.EncodeToString(sum[:]), a.SHA256, a.Path)
		assert.Equal(t, int64(len(data)), a.Bytes, a.Path)
	}
	got := map[string]bool{}
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			got[p] = true
		}
		return err
	}))
	assert.Empty(t, cmp.Diff(want, got))
}

// bare leaves out what verify compares.
func bare(artifacts []record.Artifact) (list []record.Artifact) {
	for _, a := range artifacts {
		a.SHA256, a.Bytes = "", 0
		list = append(list, a)
	}
	return list
}

func TestManifest(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestArtifacts$")
	o.expect("TestArtifacts fail", "TestArtifacts/saves pass", "TestArtifacts/saves/good pass", "TestArtifacts/saves-nothing pass",
		"TestArtifacts/half fail", "TestArtifacts/skipped skip")
	o.says("TestArtifacts/half", `artifact "kept.txt": planted`)
	run := o.run()
	dir := filepath.Join(o.dir, "artifacts", run.ID)
	got := readList(t, filepath.Join(dir, "manifest.json"))
	assert.Equal(t, list{Schema: record.Schema, Recipe: "artifacts", Run: run.ID, Outcome: record.Failed, Artifacts: got.Artifacts}, got)
	assert.Empty(t, cmp.Diff([]record.Artifact{
		{Name: "tensor.npy", Path: "saves/tensor.npy", Kind: "tensor", Shape: []int{2, 3}, DType: "float32"},
		{Name: "deep/er/picture.png", Path: "saves/deep/er/picture.png", Kind: "picture", Shape: []int{5, 7}, DType: "uint8"},
		{Name: "plot.svg", Path: "saves/plot.svg", Kind: "plot"},
		{Name: "weights.safetensors", Path: "saves/weights.safetensors", Kind: "weights"},
		{Name: "notes.txt", Path: "saves/notes.txt", Kind: "text"},
		{Name: "kept.txt", Path: "half/kept.txt", Kind: "text"},
	}, bare(got.Artifacts)))
	verify(t, dir, got.Artifacts, "events.jsonl", "manifest.json")
	second, err := os.ReadFile(filepath.Join(dir, "saves", "weights.safetensors"))
	require.NoError(t, err)
	assert.Equal(t, "second", string(second))
	o.says("TestArtifacts", "6 artifacts and the event file are in ")
}

func TestArtifactNames(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestArtifactNames$")
	o.expect("TestArtifactNames pass", "TestArtifactNames/it pass")
	assert.Equal(t, "data", o.run().Steps[0].Artifacts[0].Kind)
	verify(t, filepath.Join(o.dir, "artifact-names", o.run().ID), o.run().Steps[0].Artifacts, "events.jsonl", "manifest.json")
}

// With -artifacts each step's files are in its artifact directory, with a manifest
// that says what they are: where the directory is, is up to this version of Go.
func TestArtifactDir(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	o := recipes(t, "^TestArtifacts$", "-test.artifacts", "-test.outputdir="+out)
	o.attached(t, out)
}

func (o outcome) attached(t *testing.T, root string) {
	t.Helper()
	dirs := map[string]string{}
	for i, e := range o.events {
		if e.Action != "artifacts" {
			continue
		}
		dirs[e.Test] = e.Path
		rel, err := filepath.Rel(root, e.Path)
		require.NoError(t, err)
		assert.True(t, filepath.IsLocal(rel), "%s is not below %s", e.Path, root)
		for _, before := range o.events[:i] { // gotestsum forgets what came before
			if before.Test == e.Test && before.Action != "run" {
				assert.Equal(t, "=== RUN   "+e.Test+"\n", before.Output)
			}
		}
	}
	require.Len(t, dirs, 4, "one directory for each step, none for checks")
	run := o.run()
	for test, dir := range dirs {
		step := run.Step(path.Base(test))
		l := readList(t, filepath.Join(dir, "art.json"))
		assert.Equal(t, list{Schema: record.Schema, Recipe: "artifacts", Run: run.ID, Step: step.Name, Outcome: step.Outcome, Artifacts: l.Artifacts}, l)
		verify(t, dir, l.Artifacts, "art.json")
	}
	assert.Len(t, readList(t, filepath.Join(dirs["TestArtifacts/saves"], "art.json")).Artifacts, 5)
	assert.Len(t, readList(t, filepath.Join(dirs["TestArtifacts/half"], "art.json")).Artifacts, 1)
	assert.Empty(t, readList(t, filepath.Join(dirs["TestArtifacts/skipped"], "art.json")).Artifacts)
}

// Attributes are for a glance; bad ones would fail the test.
func TestAttributes(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^(TestTraining|TestArtifacts|TestGoldenFail)$")
	a := o.attrs("TestTraining/training")
	assert.Equal(t, "pass", a["art.outcome"])
	assert.Equal(t, "7", a["art.seed"])
	assert.Regexp(t, `^[0-9.]+$`, a["art.accuracy.training"])
	assert.Regexp(t, `^[0-9.e-]+$`, a["art.loss.validation"])
	assert.NotContains(t, o.attrs("TestArtifacts/saves"), "art.lonely")
	assert.Equal(t, "skip", o.attrs("TestArtifacts/skipped")["art.outcome"])
	assert.Equal(t, "broken", o.attrs("TestArtifacts/half")["art.outcome"])
	assert.Equal(t, "fail", o.attrs("TestGoldenFail/overfit-one-batch")["art.outcome"])
	for _, e := range o.events {
		if e.Action == "attr" {
			assert.Regexp(t, regexp.MustCompile(`^[a-z0-9.-]+$`), e.Key)
			assert.Less(t, len(e.Key)+len(e.Value), 200)
			assert.False(t, strings.ContainsAny(e.Value, "\r\n"))
		}
	}
}
