package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Refresh brings the index up to date with the files: it looks at every run's
// event file and pin, and reads those that changed since they were last read.
// Runs that appear or vanish meanwhile are seen by the next Refresh.
func (s *Store) Refresh(ctx context.Context) error {
	return s.with(ctx, func(x *index) error { return s.update(ctx, x) })
}

// state is what tells whether a run changed.
type state struct {
	size, changed int64 // bytes, and nanoseconds since 1970
	pin           sql.NullString
}

// batch is the number of runs that are written at once: enough to be fast, and
// few enough that others wait briefly and an interrupted refresh is not in vain.
const batch = 256

func (s *Store) update(ctx context.Context, x *index) error {
	// The index before the files: a run that another process adds in between is
	// not taken for a deleted one.
	known, err := x.states(ctx)
	if err != nil {
		return err
	}
	found, err := s.scan(ctx)
	if err != nil {
		return err
	}
	var changed, gone []string
	for path, now := range found {
		if was, ok := known[path]; !ok || was != now {
			changed = append(changed, path)
		}
	}
	for path := range known {
		if _, ok := found[path]; !ok {
			gone = append(gone, path)
		}
	}
	for len(changed) > 0 {
		n := min(len(changed), batch)
		rows := each(changed[:n], func(path string) Summary { return s.read(path, found[path]) })
		if err := x.put(ctx, rows, found); err != nil {
			return err
		}
		changed = changed[n:]
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return x.drop(ctx, gone)
}

// each calls f for all items, as many at a time as there are processors.
func each[In, Out any](items []In, f func(In) Out) []Out {
	out := make([]Out, len(items))
	workers := min(runtime.GOMAXPROCS(0), len(items))
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(items); i += workers {
				out[i] = f(items[i])
			}
		})
	}
	wg.Wait()
	return out
}

// scan finds all runs and what their files look like.
func (s *Store) scan(ctx context.Context) (map[string]state, error) {
	recipes, err := os.ReadDir(s.root)
	if err != nil {
		return nil, fmt.Errorf("store: the folder of runs: %w", err)
	}
	var paths []string
	for _, recipe := range recipes {
		if !isFolder(recipe) {
			continue
		}
		runs, err := os.ReadDir(filepath.Join(s.root, recipe.Name()))
		if err != nil {
			if errors.Is(err, fs.ErrPermission) {
				return nil, fmt.Errorf("store: the runs of recipe %s: %w", recipe.Name(), err)
			}
			continue // deleted meanwhile, or a link to nowhere
		}
		for _, run := range runs {
			if isFolder(run) {
				paths = append(paths, recipe.Name()+"/"+run.Name())
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	found := make(map[string]state, len(paths))
	for i, st := range each(paths, s.look) {
		if st.size >= 0 {
			found[paths[i]] = st
		}
	}
	return found, nil
}

// isFolder accepts links too, which may lead to one. Names with a dot at the
// beginning are not runs: indexes, what is being written or deleted.
func isFolder(d fs.DirEntry) bool {
	return !strings.HasPrefix(d.Name(), ".") && (d.IsDir() || d.Type()&fs.ModeSymlink != 0)
}

// look returns the state of a run; a size of -1 means that it has no event file,
// being new or half deleted.
func (s *Store) look(path string) state {
	dir := filepath.Join(s.root, filepath.FromSlash(path))
	info, err := os.Stat(filepath.Join(dir, eventFile))
	if err != nil || !info.Mode().IsRegular() {
		return state{size: -1}
	}
	st := state{size: info.Size(), changed: info.ModTime().UnixNano()}
	st.pin.String, st.pin.Valid = readPin(dir)
	return st
}

// read summarises the event file of a run.
func (s *Store) read(path string, st state) Summary {
	var sum Summary
	f, err := os.Open(filepath.Join(s.root, filepath.FromSlash(path), eventFile))
	if err == nil {
		sum = summarize(f)
		_ = f.Close() // it was only read
	} else {
		sum = summarize(bytes.NewReader(nil))
		sum.Trouble = err.Error()
	}
	sum.Path, sum.Bytes = path, st.size
	sum.Recipe, sum.ID, _ = strings.Cut(path, "/")
	sum.Pin, sum.Pinned = st.pin.String, st.pin.Valid
	changed := time.Unix(0, st.changed).UTC()
	if sum.Last.IsZero() {
		sum.Last = changed
	}
	if sum.Started.IsZero() {
		sum.Started = sum.Last
	}
	return sum
}

// states returns what was found when each run was last read.
func (x *index) states(ctx context.Context) (map[string]state, error) {
	rows, err := x.db.QueryContext(ctx, "SELECT path, size, changed, pin FROM runs")
	if err != nil {
		return nil, indexError{err}
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells
	known := map[string]state{}
	for rows.Next() {
		var path string
		var st state
		if err := rows.Scan(&path, &st.size, &st.changed, &st.pin); err != nil {
			return nil, indexError{err}
		}
		known[path] = st
	}
	if err := rows.Err(); err != nil {
		return nil, indexError{err}
	}
	return known, nil
}

// put writes summaries over what was known of the same runs.
func (x *index) put(ctx context.Context, rows []Summary, found map[string]state) error {
	return x.write(ctx, `INSERT OR REPLACE INTO runs
		(path, size, changed, pin, recipe, id, started, last, outcome, steps, summary)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, len(rows), func(i int) []any {
		s := rows[i]
		var steps strings.Builder
		for _, step := range s.Steps {
			steps.WriteString("/" + step.Name)
		}
		st := found[s.Path]
		return []any{s.Path, st.size, st.changed, st.pin, s.Recipe, s.ID, s.Started.UnixMicro(), s.Last.UnixMicro(),
			string(s.Outcome), steps.String() + "/", appendSummary(nil, &s)}
	})
}

// drop forgets runs.
func (x *index) drop(ctx context.Context, paths []string) error {
	return x.write(ctx, "DELETE FROM runs WHERE path = ?", len(paths), func(i int) []any { return []any{paths[i]} })
}

// write executes a statement n times in one transaction.
func (x *index) write(ctx context.Context, statement string, n int, args func(int) []any) error {
	if n == 0 {
		return nil
	}
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return indexError{err}
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	prepared, err := tx.PrepareContext(ctx, statement)
	if err != nil {
		return indexError{err}
	}
	for i := range n {
		if _, err := prepared.ExecContext(ctx, args(i)...); err != nil {
			return indexError{err}
		}
	}
	if err := tx.Commit(); err != nil {
		return indexError{err}
	}
	return nil
}
