package loggers

import (
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// assertNothingLeft says that spools below dir hold positions only.
func assertNothingLeft(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if filepath.Base(filepath.Dir(path)) == spoolDir {
			assert.True(t, strings.HasSuffix(path, stateSuffix), path)
		}
		return err
	}))
}

// What Sync has sent goes, so that nothing holds on to old runs; but not while the run
// goes on, which would write to a file that is gone.
func TestSyncDiscardsWhatHasArrived(t *testing.T) {
	s, dir := toService(t), t.TempDir()
	w := &WandB{Mode: "offline", Spool: dir, W: io.Discard}
	recordtest.Emit(t, w, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"})
	recordtest.Emit(t, w, scalars(2, 3)...)
	sync := func() (lines []string) {
		require.NoError(t, Sync(t.Context(), dir, func(line string) { lines = append(lines, line) }))
		return lines
	}
	assert.Len(t, sync(), 1)
	left, err := filepath.Glob(filepath.Join(dir, "iris", "7Q2KABCD", spoolDir, "*"+eventsSuffix))
	require.NoError(t, err)
	assert.Len(t, left, 1, "the run goes on")
	recordtest.Emit(t, w, scalars(4, 4)...)
	recordtest.Emit(t, w, record.Event{Seq: 5, Kind: record.RunEnd, Outcome: record.Passed})
	assert.Len(t, sync(), 1)
	assert.Empty(t, sync())
	require.NoError(t, w.Close())
	assert.Empty(t, sync(), "there is nothing to send, and now to discard")
	assertNothingLeft(t, dir)
	assertOnce(t, s, 3)

	again := &WandB{Mode: "offline", ID: "7q2kabcd", Spool: dir, W: io.Discard}
	recordtest.Emit(t, again, record.Event{Seq: 1, Kind: record.RunStart, Name: "rose", Text: "7Q2KABCE"})
	require.NoError(t, again.Close())
	s.Inject(wandbtest.Fault{Status: 401})
	err = Sync(t.Context(), dir, func(line string) { t.Error(line) })
	assert.ErrorContains(t, err, "W&B at "+s.URL+" does not have 2 events of run 7Q2KABCE of rose: 401 Unauthorized")
}
