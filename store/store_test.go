package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/store"
)

func open(t *testing.T, root string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), root)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	s.Now = func() time.Time { return noon.Add(time.Hour) }
	return s
}

func paths(t *testing.T, s *store.Store, q store.Query) []string {
	t.Helper()
	runs, err := s.Runs(t.Context(), q)
	require.NoError(t, err)
	list := []string{}
	for _, run := range runs {
		list = append(list, run.Path)
	}
	n, err := s.Count(t.Context(), q)
	require.NoError(t, err)
	assert.Len(t, list, n)
	return list
}

// some are runs of two recipes with every outcome, ten minutes apart.
func some(t *testing.T) (root string) {
	t.Helper()
	root = t.TempDir()
	for i, r := range []struct {
		path, step string
		outcome    record.Outcome
	}{
		{"iris/AAAA1111", "overfit", record.Passed},
		{"iris/AAAB2222", "overfit", record.Failed},
		{"iris/BBBB3333", "regularize", record.Broken},
		{"digits/AAAA4444", "overfit", record.Skipped},
		{"digits/CCCC5555", "overfit", ""},
		{"digits/DDDD6666", "overfit", ""},
	} {
		recipe, id := filepath.Split(r.path)
		write(t, root, r.path, noon.Add(time.Duration(i)*11*time.Minute), plain(filepath.Base(recipe), id, r.step, 0.9, r.outcome)...)
	}
	return root
}

func TestRuns(t *testing.T) {
	s := open(t, some(t))
	tests := []struct {
		name string
		q    store.Query
		want []string
	}{
		{"all, the newest first", store.Query{}, []string{"digits/DDDD6666", "digits/CCCC5555", "digits/AAAA4444", "iris/BBBB3333", "iris/AAAB2222", "iris/AAAA1111"}},
		{"limit", store.Query{Limit: 2}, []string{"digits/DDDD6666", "digits/CCCC5555"}},
		{"recipe", store.Query{Recipe: "iris"}, []string{"iris/BBBB3333", "iris/AAAB2222", "iris/AAAA1111"}},
		{"outcome", store.Query{Outcome: record.Failed}, []string{"iris/AAAB2222"}},
		{"running: no end, and not quiet for long", store.Query{Outcome: store.Running}, []string{"digits/DDDD6666"}},
		{"killed: no end, and quiet", store.Query{Outcome: store.Killed}, []string{"digits/CCCC5555"}},
		{"since", store.Query{Since: noon.Add(44 * time.Minute)}, []string{"digits/DDDD6666", "digits/CCCC5555"}},
		{"before", store.Query{Before: noon.Add(11 * time.Minute)}, []string{"iris/AAAA1111"}},
		{"step", store.Query{Step: "regularize"}, []string{"iris/BBBB3333"}},
		{"part of a step", store.Query{Step: "regular"}, []string{}},
		{"several", store.Query{Recipe: "digits", Step: "overfit", Outcome: record.Skipped}, []string{"digits/AAAA4444"}},
		{"nothing", store.Query{Recipe: "iri%"}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, paths(t, s, tt.q)) })
	}
	recipes, err := s.Recipes(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"digits", "iris"}, recipes)
}

func TestFind(t *testing.T) {
	s := open(t, some(t))
	run, err := s.Find(t.Context(), "iris/AAAB")
	require.NoError(t, err)
	require.NoError(t, s.Pin(run, "baseline"))
	run, err = s.Find(t.Context(), "bbbb")
	require.NoError(t, err)
	require.NoError(t, s.Pin(run, "AAAA1111"), "the name of a pin may look like an ID")
	require.NoError(t, s.Refresh(t.Context()))

	tests := []struct{ ref, want, err string }{
		{"AAAA1111", "iris/AAAA1111", ""}, // before the pin of this name
		{"aaaa1111", "iris/AAAA1111", ""},
		{"C", "digits/CCCC5555", ""},
		{"iris/a", "", `"iris/a" may be any of iris/AAAB2222, iris/AAAA1111: add letters, or write RECIPE/RUN`},
		{"iris/aaaa", "iris/AAAA1111", ""},
		{"digits/AAAA1111", "", "no such run"},
		{"AAA", "", `"AAA" may be any of digits/AAAA4444, iris/AAAB2222, iris/AAAA1111`},
		{"baseline", "iris/AAAB2222", ""},
		{"iris/baseline", "iris/AAAB2222", ""},
		{"digits/baseline", "", "no such run"},
		{"last", "digits/DDDD6666", ""},
		{"last:iris", "iris/BBBB3333", ""},
		{"last:irsi", "", `no such run: recipe "irsi" has none in ` + s.Root() + "; those that have: digits, iris"},
		{"ZZZZ", "", `no such run as "ZZZZ" in ` + s.Root() + ": art runs lists them"},
		{"%", "", "no such run"},
		{"_", "", "no such run"},
		{"", "", "the name is empty"},
		{"iris/", "", "the name is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.ref, func(t *testing.T) {
			run, err := s.Find(t.Context(), tt.ref)
			if tt.err != "" {
				assert.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, run.Path)
		})
	}
	var many *store.AmbiguousError
	_, err = s.Find(t.Context(), "A")
	require.ErrorAs(t, err, &many)
	assert.Len(t, many.Runs, 3)
}

func TestRun(t *testing.T) {
	root := some(t)
	s := open(t, root)
	run, err := s.Run(t.Context(), "AAAA1111")
	require.NoError(t, err)
	p, ok := run.Step("overfit").Score("accuracy", "validation")
	assert.True(t, ok)
	assert.Equal(t, 0.45, p.Value)

	require.NoError(t, os.RemoveAll(filepath.Join(root, "iris", "AAAA1111")))
	_, err = s.Run(t.Context(), "AAAA1111")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "run iris/AAAA1111 was deleted")
}

// What the index says follows the files, and nothing but what changed is read.
func TestRefresh(t *testing.T) {
	root := some(t)
	s := open(t, root)
	refreshed := func() []string {
		require.NoError(t, s.Refresh(t.Context()))
		return paths(t, s, store.Query{})
	}
	find := func(path string) store.Summary {
		run, err := s.Find(t.Context(), path)
		require.NoError(t, err)
		return run
	}
	before := refreshed()

	t.Run("a file that grew", func(t *testing.T) {
		assert.Equal(t, store.Killed, find("CCCC").Outcome)
		f, err := os.OpenFile(filepath.Join(root, "digits", "CCCC5555", "events.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteString(`{"seq":6,"kind":"run-end","outcome":"pass"}` + "\n" + `{"seq":7,"kind":"sc`)
		require.NoError(t, errors.Join(err, f.Close()))
		assert.Equal(t, before, refreshed())
		run := find("CCCC")
		assert.Equal(t, record.Passed, run.Outcome)
		assert.EqualValues(t, 6, run.Events)
		assert.Empty(t, run.Trouble, "a torn end is no trouble")
	})
	t.Run("an unchanged file is not read", func(t *testing.T) {
		file := filepath.Join(root, "iris", "AAAA1111", "events.jsonl")
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, bytes.Repeat([]byte("\n"), int(info.Size())), 0o644))
		require.NoError(t, os.Chtimes(file, time.Time{}, info.ModTime()))
		refreshed()
		assert.Equal(t, record.Passed, find("AAAA1111").Outcome)
	})
	t.Run("a damaged file", func(t *testing.T) {
		now := time.Now()
		require.NoError(t, os.Chtimes(filepath.Join(root, "iris", "AAAA1111", "events.jsonl"), now, now))
		refreshed()
		assert.Contains(t, find("AAAA1111").Trouble, "line 1")
	})
	t.Run("pins", func(t *testing.T) {
		require.NoError(t, s.Pin(find("DDDD"), "best of all"))
		refreshed()
		assert.Equal(t, "digits/DDDD6666", find("best of all").Path)
		require.NoError(t, s.Unpin(find("DDDD")))
		require.NoError(t, s.Unpin(find("DDDD")), "twice")
		refreshed()
		assert.False(t, find("DDDD").Pinned)
	})
	t.Run("half-deleted, deleted and what is no run", func(t *testing.T) {
		require.NoError(t, os.Remove(filepath.Join(root, "digits", "DDDD6666", "events.jsonl")))
		require.NoError(t, os.RemoveAll(filepath.Join(root, "iris")))
		require.NoError(t, os.MkdirAll(filepath.Join(root, ".hidden", "RUN"), 0o755))
		require.NoError(t, os.MkdirAll(filepath.Join(root, "digits", "EEEE", "events.jsonl"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, "digits", "notes.txt"), nil, 0o644))
		require.NoError(t, os.Symlink("nowhere", filepath.Join(root, "link")))
		assert.Equal(t, []string{"digits/CCCC5555", "digits/AAAA4444"}, refreshed())
	})
	t.Run("merged by copying, the other machine's index too", func(t *testing.T) {
		other := some(t)
		require.NoError(t, open(t, other).Close())
		require.NoError(t, os.CopyFS(filepath.Join(root, "iris"), os.DirFS(filepath.Join(other, "iris"))))
		require.NoError(t, os.WriteFile(filepath.Join(root, ".index-elsewhere.sqlite"), []byte("whatever"), 0o644))
		assert.Len(t, refreshed(), 5)
		assert.Equal(t, record.Passed, find("iris/AAAA1111").Outcome)
	})
}

func TestOpenErrors(t *testing.T) {
	_, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "absent"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err = store.Open(t.Context(), file)
	assert.ErrorContains(t, err, "is a file, not a folder of runs")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = store.Open(ctx, some(t))
	assert.ErrorIs(t, err, context.Canceled)

	s := open(t, some(t))
	require.NoError(t, s.Close())
	_, err = s.Runs(t.Context(), store.Query{})
	assert.ErrorIs(t, err, os.ErrClosed)
}

// Characters that mean something to a URL, to SQL or to a pattern are none in a path.
func TestStrangePath(t *testing.T) {
	root := filepath.Join(t.TempDir(), "50% of #1 ?x=y [a] 'b' ü")
	write(t, root, "re'cipe/R%_", noon, plain("re'cipe", "R%_", "overfit", 1, record.Passed)...)
	s := open(t, root)
	assert.Equal(t, []string{"re'cipe/R%_"}, paths(t, s, store.Query{Recipe: "re'cipe"}))
	run, err := s.Find(t.Context(), "r%")
	require.NoError(t, err)
	require.NoError(t, s.Pin(run, ""))
	index, err := filepath.Glob(filepath.Join(filepath.Dir(root), "50*", ".index-*.sqlite"))
	require.NoError(t, err)
	assert.Len(t, index, 1)
}

// Many processes refresh and write at once; here each has a store of its own.
func TestManyAtOnce(t *testing.T) {
	root := t.TempDir()
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 8 {
				id := string([]byte{'A' + byte(w), 'A' + byte(i), '0', '0'})
				write(t, root, "iris/"+id, noon, plain("iris", id, "overfit", 0.5, record.Passed)...)
				s, err := store.Open(t.Context(), root)
				if !assert.NoError(t, err) {
					return
				}
				run, err := s.Find(t.Context(), id)
				assert.NoError(t, err)
				assert.Equal(t, record.Passed, run.Outcome)
				assert.NoError(t, s.Close())
			}
		})
	}
	wg.Wait()
	assert.Len(t, paths(t, open(t, root), store.Query{}), 64)
}

// The code of a run is the commit that was checked out, and what differed from it.
func TestSummaryCommit(t *testing.T) {
	for name, c := range map[string]struct {
		settings map[string]string
		commit   string
		dirty    bool
	}{
		"clean":          {map[string]string{"commit": "abc", "diff": "clean"}, "abc", false},
		"changed":        {map[string]string{"commit": "abc", "diff": "2 files, 0123"}, "abc", true},
		"without git":    {map[string]string{"commit": "abc"}, "abc", false},
		"stamped":        {map[string]string{"vcs.revision": "def", "vcs.modified": "true"}, "def", true},
		"both":           {map[string]string{"commit": "abc", "diff": "clean", "vcs.revision": "def", "vcs.modified": "true"}, "abc", false},
		"does not say":   {nil, "", false},
		"no commit, yet": {map[string]string{"diff": "1 file, 0123"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write(t, root, "iris/AAAA1111", noon, record.Event{Kind: record.RunStart, Name: "iris", Text: "AAAA1111", Settings: c.settings})
			runs, err := open(t, root).Runs(t.Context(), store.Query{})
			require.NoError(t, err)
			require.Len(t, runs, 1)
			assert.Equal(t, c.commit, runs[0].Commit)
			assert.Equal(t, c.dirty, runs[0].Dirty)
		})
	}
}
