package store

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

// Policy says which runs are old enough to be deleted. The zero value spares only
// what is always spared: of each recipe the last run, the last that passed, and the
// best; runs that are pinned, runs that go on, and those that a spared one uses.
type Policy struct {
	// Keep is the number of newest runs of each recipe that are spared.
	Keep int
	// Older spares runs that started within this time.
	Older time.Duration
}

// Fate is what becomes of a run.
type Fate struct {
	Run Summary
	// Spared says why the run stays; empty if it goes.
	Spared string
}

// Collect decides which runs go. It needs all runs, the newest first, as Runs
// returns them; the fates are in the same order.
//
// The best of a recipe is the run whose last step with scores has the best
// validation score of its headline metric, for each such step and metric: a run that
// ended early is not compared with one that went on. Where the name of a metric
// does not tell whether low or high is good, both ends are spared. Dry runs
// (go test -short) neither pass nor score in this sense.
func Collect(runs []Summary, p Policy, now time.Time) []Fate {
	best := bestRuns(runs)
	fates := make([]Fate, len(runs))
	count, passed := map[string]int{}, map[string]bool{}
	for i, run := range runs {
		why := ""
		switch {
		case run.Pinned && run.Pin != "":
			why = "pinned as " + run.Pin
		case run.Pinned:
			why = "pinned"
		case run.Outcome == Running:
			why = "running"
		case count[run.Recipe] == 0:
			why = "the last of " + run.Recipe
		case proven(&run) && !passed[run.Recipe]:
			why = "the last of " + run.Recipe + " that passed"
		case best[run.Path] != "":
			why = best[run.Path]
		case count[run.Recipe] < p.Keep:
			why = fmt.Sprintf("one of the newest %d of %s", p.Keep, run.Recipe)
		case now.Sub(run.Started) < p.Older:
			why = "young"
		}
		count[run.Recipe]++
		passed[run.Recipe] = passed[run.Recipe] || proven(&run)
		fates[i] = Fate{run, why}
	}
	spareUsed(fates)
	return fates
}

// spareUsed spares what spared runs take results from: their files are there.
func spareUsed(fates []Fate) {
	at := map[string]int{}
	var spared []int
	for i, f := range fates {
		at[f.Run.Path] = i
		if f.Spared != "" {
			spared = append(spared, i)
		}
	}
	for len(spared) > 0 {
		user := fates[spared[0]].Run
		spared = spared[1:]
		for _, id := range user.Uses {
			if i, ok := at[user.Recipe+"/"+id]; ok && fates[i].Spared == "" {
				fates[i].Spared = "used by " + user.Path
				spared = append(spared, i)
			}
		}
	}
}

// proven reports a run that passed in earnest.
func proven(run *Summary) bool { return run.Outcome == record.Passed && !run.DryRun }

// bestRuns returns the runs that are best at something, and at what.
func bestRuns(runs []Summary) map[string]string {
	type class struct {
		recipe, step, metric string
		sign                 float64
	}
	type holder struct {
		value float64
		path  string
	}
	holders := map[class]holder{}
	for _, run := range runs {
		h, ok := run.Headline()
		if !ok || run.DryRun || h.Validation == nil || math.IsNaN(float64(*h.Validation)) {
			continue
		}
		value := float64(*h.Validation)
		for _, sign := range signs(h.Metric) {
			c := class{run.Recipe, h.Step, h.Metric, sign}
			if was, ok := holders[c]; !ok || sign*value > sign*was.value {
				holders[c] = holder{value, run.Path}
			}
		}
	}
	best := map[string]string{}
	for c, h := range holders {
		why := "the best " + c.metric + " of " + c.step + " in " + c.recipe
		if len(signs(c.metric)) > 1 {
			why = "the lowest or highest " + c.metric + " of " + c.step + " in " + c.recipe
		}
		best[h.path] = max(best[h.path], why) // of two reasons always the same
	}
	return best
}

// Metrics whose names say which way is better.
var (
	lower  = []string{"loss", "error", "entropy", "mse", "rmse", "mae", "ece", "brier", "perplexity", "distance"}
	higher = []string{"accuracy", "f1", "auc", "precision", "recall", "r2", "top", "score", "iou", "dice", "bleu"}
)

// signs are the factors that make more of a metric better: -1, 1, or both where
// the name does not tell.
func signs(metric string) []float64 {
	words := strings.FieldsFunc(strings.ToLower(metric), func(r rune) bool { return r == '-' || r == '_' || r == ' ' || r == '.' })
	has := func(known []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(known, w) })
	}
	switch {
	case has(lower) && !has(higher):
		return []float64{-1}
	case has(higher) && !has(lower):
		return []float64{1}
	}
	return []float64{-1, 1}
}

// trash is the beginning of the names of folders that are being deleted.
const trash = ".trash-"

// Remove deletes the directory of a run. It refuses if the run was pinned or went on
// since it was summarised. A run is there whole or not at all: what a killed
// Remove leaves is found by [Store.Leftovers].
func (s *Store) Remove(run Summary) error {
	st := s.look(run.Path)
	switch {
	case st.size < 0:
		return fmt.Errorf("store: run %s was deleted meanwhile: %w", run.Path, fs.ErrNotExist)
	case st.size != run.Bytes:
		return fmt.Errorf("store: run %s went on meanwhile", run.Path)
	case st.pin.Valid:
		return fmt.Errorf("store: run %s is pinned", run.Path)
	}
	away, err := os.MkdirTemp(s.root, trash+"*")
	if err == nil {
		err = errors.Join(os.Rename(s.Dir(run), filepath.Join(away, run.ID)), os.RemoveAll(away))
	}
	if err != nil {
		return fmt.Errorf("store: deleting run %s: %w", run.Path, err)
	}
	return nil
}

// runID is what arttest names directories of runs: eight characters of Crockford's
// base32. Other folders of a recipe are not ours to judge.
var runID = regexp.MustCompile(`^[0-9A-HJKMNP-TV-Z]{8}$`)

// Leftovers returns what is of no more use, as absolute paths: what a killed Remove
// left, directories of runs without an event file that are older than a day,
// indexes of other machines that were not written for a month, and what later runs
// would have taken from runs that are gone, or are counted as gone: results, variants
// that were tried, checkpoints. Deleting them loses nothing that can be read.
func (s *Store) Leftovers(gone ...Summary) ([]string, error) {
	without := map[string]bool{}
	for _, run := range gone {
		without[run.Path] = true
	}
	entries, err := os.ReadDir(s.root)
	if err != nil {
		return nil, fmt.Errorf("store: the folder of runs: %w", err)
	}
	var left []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), trash) || s.foreign(e) {
			left = append(left, filepath.Join(s.root, e.Name()))
		}
		if !isFolder(e) {
			continue
		}
		runs, err := os.ReadDir(filepath.Join(s.root, e.Name()))
		if err != nil {
			continue // deleted meanwhile, or a link to nowhere
		}
		for _, run := range runs {
			if run.IsDir() && runID.MatchString(run.Name()) && s.untouched(run, 24*time.Hour) && s.empty(e.Name()+"/"+run.Name()) {
				left = append(left, filepath.Join(s.root, e.Name(), run.Name()))
			}
		}
		left = append(left, s.orphans(e.Name(), without)...)
	}
	return left, nil
}

// foreign reports the index of a machine that no longer uses it.
func (s *Store) foreign(e fs.DirEntry) bool {
	return strings.HasPrefix(e.Name(), indexPrefix) && !strings.HasPrefix(e.Name(), filepath.Base(s.indexFile())) &&
		e.Type().IsRegular() && s.untouched(e, 30*24*time.Hour)
}

func (s *Store) untouched(e fs.DirEntry, span time.Duration) bool {
	info, err := e.Info()
	return err == nil && s.now().Sub(info.ModTime()) > span
}

// empty reports that a directory has nothing by the name of an event file.
func (s *Store) empty(path string) bool {
	_, err := os.Lstat(filepath.Join(s.root, filepath.FromSlash(path), eventFile))
	return errors.Is(err, fs.ErrNotExist)
}
