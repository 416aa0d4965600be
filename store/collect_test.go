package store_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/store"
)

func TestCollect(t *testing.T) {
	// The newest first, a day apart.
	run := func(id, step, metric string, validation float64, outcome record.Outcome) store.Summary {
		s := store.Summary{ID: id, Recipe: "iris", Path: "iris/" + id, Outcome: outcome}
		if step != "" {
			s.Steps = []store.Step{{Name: step, Scores: []store.Score{{Stage: "validation", Metric: metric, Value: store.Number(validation)}}}}
		}
		return s
	}
	runs := []store.Summary{
		run("0", "", "", 0, store.Killed),
		run("1", "overfit", "accuracy", 0.8, record.Failed),
		run("2", "overfit", "accuracy", 0.9, record.Failed),
		run("3", "overfit", "accuracy", 0.9, record.Passed),
		run("4", "regularize", "accuracy", 0.7, record.Passed),
		run("5", "regularize", "accuracy", 0.6, record.Passed),
		run("6", "overfit", "loss", 0.5, record.Failed),
		run("7", "overfit", "loss", 0.4, record.Failed),
		run("8", "overfit", "spread", 2, record.Failed),
		run("9", "overfit", "spread", 1, record.Failed),
		run("a", "overfit", "spread", 1.5, record.Failed),
		run("b", "", "", 0, store.Running),
		run("c", "", "", 0, record.Failed),
		run("d", "", "", 0, record.Failed),
	}
	dry := run("dry", "overfit", "accuracy", 1, record.Passed)
	dry.DryRun = true
	runs = slices.Insert(runs, 1, dry)
	runs[14].Pinned, runs[14].Pin = true, "v1"
	for i := range runs {
		runs[i].Started = noon.Add(-time.Duration(i) * 24 * time.Hour)
	}
	always := map[string]string{
		"0": "the last of iris", "2": "the best accuracy of overfit in iris", "3": "the last of iris that passed",
		"4": "the best accuracy of regularize in iris", "7": "the best loss of overfit in iris",
		"8": "the lowest or highest spread of overfit in iris", "9": "the lowest or highest spread of overfit in iris",
		"b": "running", "d": "pinned as v1",
	}
	tests := []struct {
		name   string
		policy store.Policy
		more   map[string]string
	}{
		{"always", store.Policy{}, nil},
		{"keep", store.Policy{Keep: 3}, map[string]string{"dry": "one of the newest 3 of iris", "1": "one of the newest 3 of iris"}},
		{"older", store.Policy{Older: 36 * time.Hour}, map[string]string{"dry": "young"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, fate := range store.Collect(runs, tt.policy, noon) {
				want := always[fate.Run.ID]
				if why, ok := tt.more[fate.Run.ID]; ok {
					want = why
				}
				assert.Equal(t, want, fate.Spared, "run %s", fate.Run.ID)
			}
		})
	}
	runs[0].Uses = []string{"1", "nothing"}
	runs[2].Uses = []string{"5", "0"}
	for _, fate := range store.Collect(runs, store.Policy{}, noon) {
		switch fate.Run.ID {
		case "1":
			assert.Equal(t, "used by iris/0", fate.Spared)
		case "5":
			assert.Equal(t, "used by iris/1", fate.Spared, "by a run that is used itself")
		case "6":
			assert.Empty(t, fate.Spared)
		}
	}
	other := run("e", "overfit", "accuracy", 0.1, record.Failed)
	other.Recipe, other.Path = "digits", "digits/e"
	fates := store.Collect(append(runs, other), store.Policy{}, noon)
	assert.Equal(t, "the last of digits", fates[len(fates)-1].Spared, "every recipe has its own last run")
}

func TestRemove(t *testing.T) {
	root := some(t)
	s := open(t, root)
	find := func(id string) store.Summary {
		require.NoError(t, s.Refresh(t.Context()))
		run, err := s.Find(t.Context(), id)
		require.NoError(t, err)
		return run
	}
	gone := find("AAAA1111")
	require.NoError(t, os.MkdirAll(filepath.Join(s.Dir(gone), "overfit"), 0o755))
	require.NoError(t, s.Remove(gone))
	assert.NoDirExists(t, s.Dir(gone))
	assert.ErrorContains(t, s.Remove(gone), "was deleted meanwhile")

	pinned := find("AAAB")
	require.NoError(t, s.Pin(pinned, ""))
	assert.ErrorContains(t, s.Remove(pinned), "is pinned")

	growing := find("DDDD")
	f, err := os.OpenFile(filepath.Join(s.Dir(growing), "events.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("x")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.ErrorContains(t, s.Remove(growing), "went on meanwhile")
	assert.FileExists(t, filepath.Join(s.Dir(growing), "events.jsonl"))
}

func TestLeftovers(t *testing.T) {
	root := some(t)
	s := open(t, root)
	s.Now = time.Now
	old := time.Now().Add(-25 * time.Hour)
	for _, dir := range []string{".trash-1/AAAA", "iris/QQQQ0000", "iris/QQQQ1111", "iris/passed", "gone/QQQQ0000/overfit"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	for _, dir := range []string{"iris/QQQQ0000", "iris/AAAA1111", "iris/passed", "gone/QQQQ0000"} {
		require.NoError(t, os.Chtimes(filepath.Join(root, dir), old, old))
	}
	month := time.Now().Add(-31 * 24 * time.Hour)
	for _, index := range []string{".index-elsewhere.sqlite", ".index-elsewhere.sqlite-wal", ".index-busy.sqlite"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, index), nil, 0o644))
	}
	for _, index := range []string{".index-elsewhere.sqlite", ".index-elsewhere.sqlite-wal", filepath.Base(s.Index())} {
		require.NoError(t, os.Chtimes(filepath.Join(root, index), month, month))
	}
	left, err := s.Leftovers()
	require.NoError(t, err)
	for i := range left {
		left[i], err = filepath.Rel(root, left[i])
		require.NoError(t, err)
	}
	assert.Equal(t, []string{".index-elsewhere.sqlite", ".index-elsewhere.sqlite-wal", ".trash-1", "gone/QQQQ0000", "iris/QQQQ0000"}, left)
}

// What later runs would take from a run is of no use when it is gone, and only then.
func TestOrphans(t *testing.T) {
	root := some(t)
	s := open(t, root)
	s.Now = time.Now
	file := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	checkpoint := func(name, run string) {
		header := fmt.Sprintf(`{"__metadata__":{"art":%q,"loss":"1"},"param/x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, `{"Run":"`+run+`","Sum":"x"}`)
		file(name, string(binary.LittleEndian.AppendUint64(nil, uint64(len(header))))+header+"\x00\x00\x80\x3f")
	}
	file("iris/passed/overfit-aaaaaaaaaaaa.json", `{"schema":1,"run":"AAAA1111"}`)
	file("iris/passed/overfit-bbbbbbbbbbbb.json", `{"schema":1,"run":"GGGG0000"}`)
	file("iris/passed/overfit.json", `{"schema":1,"run":"GGGG0000"}`)
	file("iris/passed/other.json", `{"schema":9}`)
	file("iris/passed/damaged.json", `{"run":"GGGG0000`)
	file("iris/passed/.tmp-1", "")
	file("iris/passed/.tmp-2", "")
	file("iris/tried/regularize-aaaaaaaaaaaa.json", `{"schema":1,"run":"AAAB2222"}`)
	file("iris/tried/regularize-bbbbbbbbbbbb.json", `{"schema":1,"run":"../digits/CCCC5555"}`)
	checkpoint("iris/checkpoints/aaaaaaaaaaaa/1-training.safetensors", "AAAA1111")
	checkpoint("iris/checkpoints/bbbbbbbbbbbb/1-training.safetensors", "GGGG0000")
	checkpoint("iris/checkpoints/cccccccccccc/1-training.safetensors", "GGGG0000")
	checkpoint("iris/checkpoints/cccccccccccc/2-training.safetensors", "AAAA1111")
	file("iris/checkpoints/dddddddddddd/1-training.safetensors", "GGGG0000")
	file("iris/checkpoints/eeeeeeeeeeee/1-training.safetensors", "\xff\xff\xff\xff\xff\xff\xff\xff{")
	file("iris/checkpoints/readme", "no folder")
	old := time.Now().Add(-25 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(root, "iris/passed/.tmp-1"), old, old))
	left := func(gone ...store.Summary) []string {
		left, err := s.Leftovers(gone...)
		require.NoError(t, err)
		for i := range left {
			left[i], err = filepath.Rel(root, left[i])
			require.NoError(t, err)
		}
		return left
	}
	always := []string{"iris/passed/.tmp-1", "iris/passed/overfit-bbbbbbbbbbbb.json", "iris/passed/overfit.json",
		"iris/checkpoints/bbbbbbbbbbbb", "iris/checkpoints/cccccccccccc/1-training.safetensors"}
	assert.Equal(t, always, left())
	run, err := s.Find(t.Context(), "AAAA1111")
	require.NoError(t, err)
	without := []string{"iris/passed/.tmp-1", "iris/passed/overfit-aaaaaaaaaaaa.json", "iris/passed/overfit-bbbbbbbbbbbb.json", "iris/passed/overfit.json",
		"iris/checkpoints/aaaaaaaaaaaa", "iris/checkpoints/bbbbbbbbbbbb", "iris/checkpoints/cccccccccccc"}
	assert.Equal(t, without, left(run))
	require.NoError(t, s.Remove(run))
	assert.Equal(t, without, left())
}

// A name stands for one run of a recipe, and for one of each.
func TestPinMoves(t *testing.T) {
	s := open(t, some(t))
	pin := func(id string) {
		run, err := s.Find(t.Context(), id)
		require.NoError(t, err)
		require.NoError(t, s.Pin(run, "baseline"))
		require.NoError(t, s.Refresh(t.Context()))
	}
	pin("AAAA1111")
	pin("AAAB2222")
	pin("CCCC5555")
	old, err := s.Find(t.Context(), "AAAA1111")
	require.NoError(t, err)
	assert.True(t, old.Pinned)
	assert.Empty(t, old.Pin)
	_, err = s.Find(t.Context(), "baseline")
	assert.ErrorContains(t, err, `"baseline" may be any of digits/CCCC5555, iris/AAAB2222`)
	assert.ErrorContains(t, s.Pin(old, "last"), "give the pin another name")
}
