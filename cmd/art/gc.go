package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/store"
)

func (a *app) gcCommand() *cli.Command {
	return &cli.Command{
		Name: "gc", Usage: "delete old runs",
		Description: "Of each recipe the last run, the last that passed and the best always stay, and so do runs that are pinned,\n" +
			"that go on, or that have something to send (art sync). The best run has the best validation score of its\n" +
			"last step. With a run goes what later runs would have taken from it: results, checkpoints.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "keep", Value: 10, Usage: "spare the newest `N` runs of each recipe"},
			&cli.StringFlag{Name: "older", Value: "30d", Usage: "delete only runs older than `SPAN`: 30d, 2w, 12h; 0s is any age"},
			&cli.BoolFlag{Name: "artifacts", Usage: "also delete the _artifacts folders of go test -artifacts, in the whole module"},
			&cli.BoolFlag{Name: "dry-run", Usage: "only say what would be deleted"},
			jsonFlag(),
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			older, err := span(c.String("older"))
			if err != nil {
				return err
			}
			p := store.Policy{Keep: c.Int("keep"), Older: older}
			if p.Keep < 0 {
				return badInput("--keep %d: give the number of runs to spare, 0 or more", p.Keep)
			}
			return a.withStore(ctx, c, func(s *store.Store) error {
				done, err := a.collect(ctx, s, p, c.Bool("dry-run"), c.Bool("artifacts"))
				if done == nil {
					return err
				}
				if c.Bool("json") {
					return errors.Join(a.sayJSON(done), err)
				}
				return errors.Join(a.say(a.collected(done)), err)
			})
		},
	}
}

// collection is what gc did, or would do.
type collection struct {
	DryRun  bool      `json:"dry-run"`
	Bytes   int64     `json:"bytes"`
	Removed []removed `json:"removed"`
	Spared  []spared  `json:"spared"`
}

type removed struct {
	Path  string `json:"path"` // RECIPE/RUN, or the path of what was no run
	Bytes int64  `json:"bytes"`
	what  string
}

type spared struct {
	Path string `json:"path"`
	Why  string `json:"why"`
}

// collect deletes what may go. What cannot be deleted does not keep the rest.
func (a *app) collect(ctx context.Context, s *store.Store, p store.Policy, dry, artifacts bool) (*collection, error) {
	runs, err := s.Runs(ctx, store.Query{})
	if err != nil {
		return nil, err
	}
	done := &collection{DryRun: dry, Removed: []removed{}, Spared: []spared{}}
	var errs []error
	var gone []store.Summary
	remove := func(path, what string, bytes int64, remove func() error) {
		if !dry {
			if err := remove(); err != nil {
				errs = append(errs, err)
				return
			}
		}
		done.Removed = append(done.Removed, removed{path, bytes, what})
		done.Bytes += bytes
	}
	for _, fate := range store.Collect(runs, p, a.now()) {
		run := fate.Run
		if fate.Spared == "" && unsent(s.Dir(run)) {
			fate.Spared = "something is to be sent: art sync"
		}
		if fate.Spared != "" {
			done.Spared = append(done.Spared, spared{run.Path, fate.Spared})
			continue
		}
		remove(run.Path, stamp(run.Started)+", "+string(run.Outcome), weight(s.Dir(run)), func() error {
			return s.Remove(run)
		})
		if dry {
			gone = append(gone, run)
		}
		if err := ctx.Err(); err != nil {
			return done, err
		}
	}
	paths, err := s.Leftovers(gone...)
	errs = append(errs, err)
	what := "of no more use"
	for range 2 {
		for _, l := range leftovers(s.Root(), paths, what) {
			remove(a.shown(l.path), l.what, l.weight(), l.remove)
		}
		if !artifacts {
			break
		}
		paths, err = testArtifacts(a.module())
		errs = append(errs, err)
		what, artifacts = "of go test -artifacts", false
	}
	return done, errors.Join(errs...)
}

// leftover is a path that is of no more use, or a folder with such files in it.
type leftover struct {
	path, what string
	files      []string
}

// leftovers puts files of one folder of a recipe together: there are some for each
// step of a run that is gone.
func leftovers(root string, paths []string, what string) (list []leftover) {
	for _, path := range paths {
		rel, err := filepath.Rel(root, path)
		parts := strings.Split(filepath.ToSlash(rel), "/")
		if err != nil || len(parts) < 3 || parts[0] == ".." {
			list = append(list, leftover{path, what, []string{path}})
			continue
		}
		folder := filepath.Join(root, parts[0], parts[1])
		at := slices.IndexFunc(list, func(l leftover) bool { return l.path == folder })
		if at < 0 {
			at = len(list)
			list = append(list, leftover{path: folder})
		}
		list[at].files = append(list[at].files, path)
		list[at].what = fmt.Sprintf("%d of runs that are gone", len(list[at].files))
	}
	return list
}

func (l leftover) weight() (bytes int64) {
	for _, file := range l.files {
		bytes += weight(file)
	}
	return bytes
}

func (l leftover) remove() (err error) {
	for _, file := range l.files {
		err = errors.Join(err, os.RemoveAll(file))
	}
	return err
}

// unsent reports that a logger left events in the directory of a run: when all
// are sent, the file goes.
func unsent(dir string) bool {
	entries, err := os.ReadDir(filepath.Join(dir, "spool"))
	return err == nil && slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return strings.HasSuffix(e.Name(), ".jsonl") })
}

// weight is the size of all files below a path, as far as they can be seen.
func weight(path string) (bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				bytes += info.Size()
			}
		}
		return nil
	})
	return bytes
}

// testArtifacts finds the folders that go test -artifacts makes in the module.
func testArtifacts(module string) (folders []string, err error) {
	err = filepath.WalkDir(module, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case d.Name() == "_artifacts":
			folders = append(folders, path)
			return fs.SkipDir
		case path != module && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		return nil
	})
	return folders, err
}

// collected is what was done, for people: what went, and why the rest stays.
func (a *app) collected(done *collection) string {
	verb := "deleted"
	if done.DryRun {
		verb = "would delete"
	}
	text := "nothing to delete\n"
	if len(done.Removed) > 0 {
		text = fmt.Sprintf("%s %d, %s\n", verb, len(done.Removed), size(done.Bytes))
		var t table
		for _, r := range done.Removed {
			t.add(r.Path, r.what, size(r.Bytes))
		}
		text += t.align("    ", 2)
	}
	if len(done.Spared) == 0 {
		return text
	}
	text += fmt.Sprintf("%d stay\n", len(done.Spared))
	var reasons []string
	paths := map[string][]string{}
	for _, s := range done.Spared {
		if paths[s.Why] == nil {
			reasons = append(reasons, s.Why)
		}
		paths[s.Why] = append(paths[s.Why], s.Path)
	}
	var t table
	for _, why := range reasons {
		list := paths[why]
		who := strings.Join(list[:min(3, len(list))], ", ")
		if len(list) > 3 {
			who += fmt.Sprintf(" and %d more", len(list)-3)
		}
		t.add(who, why)
	}
	return text + t.align("    ", 2)
}
