package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// indexVersion changes with the table and with what a Summary holds; an index of
// another version is made again.
const indexVersion = 4

// schema is one row a run: what a refresh compares, what queries select by, and the
// summary, see codec.go. pin is null for runs that are not pinned; times are in
// microseconds since 1970, as nanoseconds would not reach the year 9999.
const schema = `
CREATE TABLE runs (
	path    TEXT PRIMARY KEY,
	size    INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	pin     TEXT,
	recipe  TEXT NOT NULL,
	id      TEXT NOT NULL,
	started INTEGER NOT NULL,
	last    INTEGER NOT NULL,
	outcome TEXT NOT NULL,
	steps   TEXT NOT NULL,
	summary BLOB NOT NULL
);
CREATE INDEX runs_started ON runs (started DESC, path);
CREATE INDEX runs_recipe ON runs (recipe, started DESC, path);
CREATE INDEX runs_id ON runs (id);
`

// index is the SQLite file, or its twin in memory.
type index struct {
	db   *sql.DB
	file string // "" in memory
}

// indexError is trouble with the index rather than with the files of runs.
type indexError struct {
	err error
}

func (e indexError) Error() string { return "store: the index: " + e.err.Error() }
func (e indexError) Unwrap() error { return e.err }

func isIndexError(err error) bool {
	var e indexError
	return errors.As(err, &e)
}

// openIndex opens or makes the index; if the file cannot be used, one in memory.
func openIndex(ctx context.Context, file string) (*index, error) {
	x, err := connect(ctx, file)
	for range 2 {
		if err == nil || ctx.Err() != nil {
			return x, err
		}
		x, err = (&index{file: file}).replace(ctx, err)
	}
	return x, err
}

// connect opens a file and makes its table if it has none.
func connect(ctx context.Context, file string) (*index, error) {
	name := ":memory:"
	if file != "" {
		pragmas := url.Values{"_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(NORMAL)"}, "_txlock": {"immediate"}}
		name = (&url.URL{Scheme: "file", Path: file, RawQuery: pragmas.Encode()}).String()
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, indexError{err}
	}
	// One connection: a second would have another database in memory, and the
	// store serves one caller at a time anyway.
	db.SetMaxOpenConns(1)
	x := &index{db, file}
	if err := x.prepare(ctx); err != nil {
		return nil, errors.Join(indexError{err}, db.Close())
	}
	return x, nil
}

// prepare makes the table unless another process did.
func (x *index) prepare(ctx context.Context) error {
	version := 0
	if err := x.db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version == indexVersion {
		return err
	}
	tx, err := x.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil || version == indexVersion {
		return err
	}
	if _, err := tx.ExecContext(ctx, "DROP TABLE IF EXISTS runs;"+schema+fmt.Sprintf("PRAGMA user_version = %d;", indexVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

// replace gives up an index that cannot be used: a damaged file is made again,
// anything else gives way to memory.
func (x *index) replace(ctx context.Context, because error) (*index, error) {
	if x.db != nil {
		_ = x.db.Close() // it is of no more use
	}
	if x.file == "" {
		return x, because
	}
	if damaged(because) {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(x.file + suffix) // what remains is found out by connect
		}
		if fresh, err := connect(ctx, x.file); err == nil {
			return fresh, nil
		}
	}
	return connect(ctx, "")
}

// damaged tells a file that is not what it should be from one that is out of
// reach, as with a full disk or a lock that is never released.
func damaged(err error) bool {
	var code *sqlite.Error
	if !errors.As(err, &code) {
		return true // what it holds does not mean anything
	}
	switch code.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_FORMAT:
		return true
	}
	return false
}

// Close closes the connection.
func (x *index) Close() error { return x.db.Close() }
