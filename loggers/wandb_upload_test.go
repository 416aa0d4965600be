package loggers

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

func TestWandBPartSizes(t *testing.T) {
	const mib, tib = 1 << 20, int64(1) << 40
	for total, want := range map[int64]int64{2 << 30: 100 * mib, 10_000 * 100 * mib: 100 * mib, 10_000*100*mib + 1: 100*mib + 4096, 5 * tib: 549_756_928} {
		got := wandbParts.size(total)
		assert.Equal(t, want, got, total)
		assert.LessOrEqual(t, (total+got-1)/got, int64(maxParts))
	}
	_, err := wandbParts.of("none", 5*tib+1)
	assert.ErrorContains(t, err, "the service takes 5497558138880")
}

// Large files go in parts, which the store puts together; one that comes again does
// not go again. The service may want them whole.
func TestWandBSendsLargeFilesInParts(t *testing.T) {
	for name, fault := range map[string]wandbtest.Fault{
		"well": {Operation: "none"}, "part lost": {Operation: "PUT", Times: 2, Lose: true}, "store breaks": {Operation: "PUT", Times: 3, Drop: true},
		"address expired": {Operation: "PUT", Times: 1, Status: 403}, "answer lost": {Operation: "CompleteMultipartUploadArtifact", Times: 1, Lose: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := toService(t)
			dir := t.TempDir()
			content := make([]byte, 50_001)
			for i := range content {
				content[i] = byte(rand.New(rand.NewPCG(1, uint64(i))).Uint32())
			}
			large := filepath.Join(dir, "large.bin")
			require.NoError(t, os.WriteFile(large, content, 0o644))
			w := &WandB{Project: "demo", Spool: dir, W: io.Discard, Grace: time.Minute, patience: hasty, linger: time.Minute}
			run, err := w.Start()
			require.NoError(t, err)
			run.w.out.Sink.(*courier).sender.to.(*wandb).parts = partSizes{from: 20_000, each: 10_000}
			s.Inject(fault)
			require.NoError(t, run.LogArtifact(WandBArtifact{Name: "ckpt", Type: "model", Files: map[string]string{"a/large.bin": large, "small": "wandb.go"}}))
			require.NoError(t, run.LogArtifact(WandBArtifact{Name: "ckpt", Type: "model", Files: map[string]string{"b/large.bin": large}}))
			require.NoError(t, run.Finish(0))
			require.Len(t, s.Artifacts(), 2)
			assert.True(t, bytes.Equal(content, s.Artifacts()[0].Files["a/large.bin"]))
			assert.True(t, bytes.Equal(content, s.Artifacts()[1].Files["b/large.bin"]))
			completed := 0
			for _, r := range s.Requests() {
				if r.Operation == "CompleteMultipartUploadArtifact" {
					completed++
				}
			}
			assert.Equal(t, 1+strings.Count(name, "answer"), completed)
		})
	}
}

// What the run said is a file of the run when it has ended, whole also if another
// process sends the end.
func TestWandBOutput(t *testing.T) {
	s := toService(t)
	dir := t.TempDir()
	w := &WandB{Project: "demo", ID: "talks1", Spool: dir, W: io.Discard, Grace: time.Minute, patience: hasty, linger: time.Millisecond}
	run, err := w.Start()
	require.NoError(t, err)
	require.NoError(t, run.Print("first\nsecond"))
	require.Eventually(t, func() bool { r := s.Runs(); return len(r) == 1 && len(r[0].Console) == 3 }, 10*time.Second, time.Millisecond)
	s.Inject(wandbtest.Fault{Operation: "file_stream", Status: 503})
	s.Inject(wandbtest.Fault{Operation: "PUT", Lose: true})
	run.w.Grace = time.Millisecond
	run.w.out.Sink.(*courier).grace = 50 * time.Millisecond
	require.NoError(t, run.Print("größe 3"))
	require.ErrorContains(t, run.Finish(0), "does not have 2 of ")
	s.Recover()
	require.NoError(t, Sync(t.Context(), dir, func(string) {}))
	assertNothingLeft(t, dir)
	got := s.Run("talks1")
	begin, said, _ := strings.Cut(string(got.Files["output.log"]), "\n")
	assert.Equal(t, "run talks1", begin)
	assert.Equal(t, "first\nsecond\ngröße 3\n", said)
	assert.Contains(t, got.Uploaded, "output.log")
	require.Len(t, got.Console, 4)

	quiet := &WandB{Project: "demo", ID: "quiet1", Spool: dir, W: io.Discard, Grace: time.Minute}
	t.Setenv("WANDB_CONSOLE", "off")
	t.Setenv("WANDB_IGNORE_GLOBS", "*.yaml,wandb-*")
	for _, e := range recordtest.Example() {
		if e.Kind != record.ArtifactSaved {
			recordtest.Emit(t, quiet, e)
		}
	}
	require.NoError(t, quiet.Close())
	got = s.Run("quiet1")
	assert.Empty(t, got.Console)
	assert.Empty(t, got.Files)
	assert.Empty(t, got.Uploaded)
	assert.Equal(t, "failed", got.State)
}
