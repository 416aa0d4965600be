package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

// Query selects runs. The zero value selects all.
type Query struct {
	// Recipe is the name of a recipe; empty for all.
	Recipe string
	// Outcome is how they ended, Running and Killed included; empty for all.
	Outcome record.Outcome
	// Since and Before bound the start: at or after Since, before Before. Zero for no
	// bound.
	Since, Before time.Time
	// Step is the name of a step that they began; empty for all.
	Step string
	// Limit is the most that is returned; 0 for all.
	Limit int
}

// Outcomes are all that a Query's Outcome can be.
func Outcomes() []record.Outcome {
	return []record.Outcome{record.Passed, record.Failed, record.Skipped, record.Broken, Running, Killed}
}

// Runs returns the selected runs, the newest first, as of the last Refresh.
func (s *Store) Runs(ctx context.Context, q Query) ([]Summary, error) {
	now := s.now()
	where, args := q.conditions(now)
	limit := -1
	if q.Limit > 0 {
		limit = q.Limit
	}
	return s.query(ctx, now, where+" ORDER BY started DESC, path LIMIT ?", append(args, limit)...)
}

// Count is the number of runs that Runs would return.
func (s *Store) Count(ctx context.Context, q Query) (n int, err error) {
	where, args := q.conditions(s.now())
	err = s.with(ctx, func(x *index) error {
		if err := x.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM runs WHERE "+where, args...).Scan(&n); err != nil {
			return indexError{err}
		}
		return nil
	})
	if q.Limit > 0 {
		n = min(n, q.Limit)
	}
	return n, err
}

// Recipes returns the names of all recipes that have runs, in order.
func (s *Store) Recipes(ctx context.Context) (names []string, err error) {
	err = s.with(ctx, func(x *index) error {
		names = nil
		rows, err := x.db.QueryContext(ctx, "SELECT DISTINCT recipe FROM runs ORDER BY recipe")
		if err != nil {
			return indexError{err}
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		for rows.Next() {
			name := ""
			if err := rows.Scan(&name); err != nil {
				return indexError{err}
			}
			names = append(names, name)
		}
		if err := rows.Err(); err != nil {
			return indexError{err}
		}
		return nil
	})
	return names, err
}

// conditions are those of the query in SQL.
func (q Query) conditions(now time.Time) (where string, args []any) {
	where = "1"
	add := func(condition string, arg any) {
		where += " AND " + condition
		args = append(args, arg)
	}
	if q.Recipe != "" {
		add("recipe = ?", q.Recipe)
	}
	quiet := now.Add(-Quiet).UnixMicro()
	switch q.Outcome {
	case "":
	case Running:
		add("outcome = '' AND last > ?", quiet)
	case Killed:
		add("outcome = '' AND last <= ?", quiet)
	default:
		add("outcome = ?", string(q.Outcome))
	}
	if !q.Since.IsZero() {
		add("started >= ?", q.Since.UnixMicro())
	}
	if !q.Before.IsZero() {
		add("started < ?", q.Before.UnixMicro())
	}
	if q.Step != "" {
		add("instr(steps, ?)", "/"+q.Step+"/")
	}
	return where, args
}

// query returns the summaries of rows.
func (s *Store) query(ctx context.Context, now time.Time, where string, args ...any) (list []Summary, err error) {
	err = s.with(ctx, func(x *index) error {
		list = []Summary{}
		var u unpacker
		var body sql.RawBytes
		rows, err := x.db.QueryContext(ctx, "SELECT summary FROM runs WHERE "+where, args...)
		if err != nil {
			return indexError{err}
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells
		for rows.Next() {
			if err := rows.Scan(&body); err != nil {
				return indexError{err}
			}
			one, err := u.summary(body)
			if err != nil {
				return indexError{err}
			}
			one.settle(now)
			list = append(list, one)
		}
		if err := rows.Err(); err != nil {
			return indexError{err}
		}
		return nil
	})
	return list, err
}

// AmbiguousError is a reference that several runs answer to.
type AmbiguousError struct {
	Ref  string
	Runs []Summary // the newest first
}

// Error names the runs.
func (e *AmbiguousError) Error() string {
	const most = 5
	var names []string
	for _, run := range e.Runs[:min(most, len(e.Runs))] {
		names = append(names, run.Path)
	}
	if len(e.Runs) > most {
		names = append(names, fmt.Sprintf("%d more", len(e.Runs)-most))
	}
	return fmt.Sprintf("%q may be any of %s: add letters, or write RECIPE/RUN", e.Ref, strings.Join(names, ", "))
}

// Find returns the run that ref stands for, as of the last Refresh: the beginning
// of its ID in any case, alone or after RECIPE/; the name of its pin, alone or after
// RECIPE/; "last", the newest of all, or "last:RECIPE". A whole ID comes before the
// name of a pin, and that before the beginning of an ID. What stands for
// several runs is an [AmbiguousError].
func (s *Store) Find(ctx context.Context, ref string) (Summary, error) {
	if recipe, ok := strings.CutPrefix(ref+":", "last:"); ok {
		return s.newest(ctx, strings.TrimSuffix(recipe, ":"))
	}
	condition, args := "1", []any{}
	name := ref
	if recipe, rest, ok := strings.Cut(ref, "/"); ok {
		condition, args, name = "recipe = ?", []any{recipe}, rest
	}
	if name == "" {
		return Summary{}, fmt.Errorf("%w: the name is empty: give a run, the beginning of one, or last", ErrNoRun)
	}
	for _, by := range []struct{ condition, arg string }{
		{"id = ? COLLATE NOCASE", name},
		{"pin = ?", name},
		{`id LIKE ? ESCAPE '\'`, strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(name) + "%"},
	} {
		runs, err := s.query(ctx, s.now(), condition+" AND "+by.condition+" ORDER BY started DESC, path", append(slices.Clone(args), by.arg)...)
		switch {
		case err != nil:
			return Summary{}, err
		case len(runs) == 1:
			return runs[0], nil
		case len(runs) > 1:
			return Summary{}, &AmbiguousError{ref, runs}
		}
	}
	return Summary{}, fmt.Errorf("%w as %q in %s: art runs lists them", ErrNoRun, ref, s.root)
}

func (s *Store) newest(ctx context.Context, recipe string) (Summary, error) {
	runs, err := s.Runs(ctx, Query{Recipe: recipe, Limit: 1})
	switch {
	case err != nil:
		return Summary{}, err
	case len(runs) == 1:
		return runs[0], nil
	case recipe == "":
		return Summary{}, fmt.Errorf("%w: there is none in %s yet", ErrNoRun, s.root)
	}
	known, err := s.Recipes(ctx)
	if err != nil {
		return Summary{}, err
	}
	return Summary{}, fmt.Errorf("%w: recipe %q has none in %s; those that have: %s", ErrNoRun, recipe, s.root, strings.Join(known, ", "))
}
