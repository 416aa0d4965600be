package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/actually-robust-training/art/record"
)

// eventFile is the name of the event file in the directory of a run.
const eventFile = "events.jsonl"

// Store is the runs below one folder. It may be used from several goroutines.
type Store struct {
	// Now is the clock that tells running from killed; nil is time.Now.
	Now func() time.Time

	root string // absolute
	mu   sync.Mutex
	// index is nil once the store is closed.
	index *index
}

// Open opens a folder of runs, such as the .art beside a go.mod, and brings its
// index up to date. It is an error that is fs.ErrNotExist if there is no such
// folder. The store must be closed.
func Open(ctx context.Context, dir string) (*Store, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("store: no folder of runs: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("store: %s is a file, not a folder of runs", root)
	}
	s := &Store{root: root}
	if s.index, err = openIndex(ctx, s.indexFile()); err != nil {
		return nil, err
	}
	if err := s.Refresh(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close closes the index.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index == nil {
		return nil
	}
	err := s.index.Close()
	s.index = nil
	return err
}

// Root is the folder of runs, absolute.
func (s *Store) Root() string { return s.root }

// Dir is the directory of a run, absolute, with what it left.
func (s *Store) Dir(run Summary) string { return filepath.Join(s.root, filepath.FromSlash(run.Path)) }

// Load reads all that happened in a run. If the event file cannot be read to its
// end, the error says why and the Run holds what came before.
func (s *Store) Load(run Summary) (*record.Run, error) {
	f, err := os.Open(filepath.Join(s.Dir(run), eventFile))
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return &record.Run{}, fmt.Errorf("store: run %s was deleted: %w", run.Path, err)
		}
		return &record.Run{}, fmt.Errorf("store: run %s: %w", run.Path, err)
	}
	defer f.Close() //nolint:errcheck // it is only read
	folded, err := record.Fold(f)
	if err != nil {
		return folded, fmt.Errorf("store: run %s: %w", run.Path, err)
	}
	return folded, nil
}

// Run is [Store.Find] and [Store.Load].
func (s *Store) Run(ctx context.Context, ref string) (*record.Run, error) {
	summary, err := s.Find(ctx, ref)
	if err != nil {
		return nil, err
	}
	return s.Load(summary)
}

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// indexFile is the path of this machine's index.
func (s *Store) indexFile() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	host = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, host)
	return filepath.Join(s.root, indexPrefix+host+".sqlite")
}

// indexPrefix is the beginning of the names of indexes.
const indexPrefix = ".index-"

// Index is the path of the index, empty if memory has taken its place: then every
// Open reads all event files.
func (s *Store) Index() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index == nil {
		return ""
	}
	return s.index.file
}

// with uses the index. A damaged one is made again; one that cannot be used (a
// full disk, a file of somebody else) gives way to memory.
func (s *Store) with(ctx context.Context, use func(*index) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index == nil {
		return fmt.Errorf("store: %s is closed: %w", s.root, os.ErrClosed)
	}
	err := use(s.index)
	for range 2 {
		if err == nil || ctx.Err() != nil || !isIndexError(err) {
			return err
		}
		if s.index, err = s.index.replace(ctx, err); err != nil {
			return err
		}
		if err = s.update(ctx, s.index); err == nil {
			err = use(s.index)
		}
	}
	return err
}
