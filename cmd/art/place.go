package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/store"
)

// module is the folder of the nearest go.mod, or where one is if there is none:
// the rule of arttest.
func (a *app) module() string {
	for d := a.dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
		if d == filepath.Dir(d) {
			return a.dir
		}
	}
}

// root is the folder of runs. --dir is relative to where one is, as all paths that
// are typed; ART_DIR to the module, as for arttest.
func (a *app) root(c *cli.Command) string {
	if dir := c.String("dir"); dir != "" {
		return absolute(a.dir, dir)
	}
	if dir := a.env("ART_DIR"); dir != "" {
		return absolute(a.module(), dir)
	}
	return filepath.Join(a.module(), ".art")
}

func absolute(base, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(base, path)
}

// open opens the runs.
func (a *app) open(ctx context.Context, c *cli.Command) (*store.Store, error) {
	root := a.root(c)
	s, err := store.Open(ctx, root)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, badInput("no runs are kept in %s: run a recipe with go test, or name another folder with --dir or ART_DIR", a.shown(root))
	}
	if err != nil {
		return nil, err
	}
	s.Now = a.now
	return s, nil
}

// withStore opens the runs for one command, and closes them.
func (a *app) withStore(ctx context.Context, c *cli.Command, use func(*store.Store) error) error {
	s, err := a.open(ctx, c)
	if err != nil {
		return err
	}
	return errors.Join(use(s), s.Close())
}

// find is Store.Find; a name that stands for no run is the asker's error.
func (a *app) find(ctx context.Context, s *store.Store, ref string) (store.Summary, error) {
	run, err := s.Find(ctx, ref)
	var many *store.AmbiguousError
	if errors.As(err, &many) || errors.Is(err, store.ErrNoRun) {
		return run, usage{err}
	}
	return run, err
}

// shown is a path as a person here would write it.
func (a *app) shown(path string) string {
	if rel, err := filepath.Rel(a.dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}
