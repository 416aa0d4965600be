package steps_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

var update = flag.Bool("update", false, "measure all bugs and healthy recipes, and write docs/catches.md")

// misses are the bugs that no default check catches, with the reason. A row that
// is no longer needed fails.
var misses = map[string]string{
	"sorted by class, not shuffled | rare-weighted": "nine of ten rows are of one class in either order; the recipe reaches its scores",
	"sorted by class, not shuffled | rare-plain":    "nine of ten rows are of one class in either order; the recipe reaches its scores",
	"sorted by class, not shuffled | rarest-auc":    "three of a hundred rows are of the other class, which few batches miss",
	"prediction keeps an old first layer | glyphs-cnn": "dropout and batch norm make the modes differ anyway, and the layers after " +
		"the first learn enough",
	"learning rate 100 times too high | plane":         "Adam learns a plane at 0.1 as well as at 0.001",
	"weights start 30 times too large | moons-rmsprop": "batch norm brings them back",
	"weight decay far too strong | iris-zero-head":     "decoupled decay of 1 at a falling learning rate takes little from the weights",
	"weight decay far too strong | blobs-tiny":         "two distant clouds are told apart by small weights too",
}

// TestHealthyRecipesPass is the promise that a default recipe raises no false
// alarm: every recipe of the zoo passes with every seed.
func TestHealthyRecipesPass(t *testing.T) {
	seeds, all := uint64(10), func(specimen) bool { return true }
	if testing.Short() { // those that take less than a second, and one with pictures
		seeds, all = 1, func(s specimen) bool {
			return !s.long && (s.kind == "dense" || s.kind == "values") || s.name == "glyphs-cnn"
		}
	}
	for _, e := range healthy(t, seeds, all) {
		names, all := e.verdicts(record.Fail)
		assert.Empty(t, names, "%s, seed %d: %s", e.name, e.seed, words(all))
		assert.Equal(t, record.Passed, e.Outcome, "%s, seed %d", e.name, e.seed)
	}
}

// healthy runs recipes with seeds from 1.
func healthy(t *testing.T, seeds uint64, chosen func(specimen) bool) []*experiment {
	var all []*experiment
	for _, s := range zoo() {
		if !chosen(s) {
			continue
		}
		for seed := uint64(1); seed <= seeds; seed++ {
			all = append(all, &experiment{specimen: s, seed: seed})
		}
	}
	runAll(t, all)
	return all
}

// catch is what became of a bug in a recipe.
type catch struct {
	bug, recipe string
	by          []string // "step/check" that failed
	named       bool     // a message has the words that name the trouble
	said        string
}

func (c catch) pair() string { return c.bug + " | " + c.recipe }

// catches plants bugs in all recipes that they fit.
func catches(t *testing.T, seed uint64, bugs []bug, only func(specimen) bool) []catch {
	var all []catch
	var runs []*experiment
	var named [][]string
	for _, b := range bugs {
		for _, s := range zoo() {
			if planted, ok := b.plant(s); ok && only(s) {
				runs = append(runs, &experiment{specimen: planted, seed: seed})
				named = append(named, b.named)
				all = append(all, catch{bug: b.name, recipe: s.name})
			}
		}
	}
	runAll(t, runs)
	for i, e := range runs {
		by, verdicts := e.verdicts(record.Fail)
		all[i].by, all[i].said = by, words(verdicts)
		all[i].named = slices.ContainsFunc(named[i], func(w string) bool { return strings.Contains(all[i].said, w) })
	}
	return all
}

// TestBugsAreCaught plants every bug in every recipe that it fits. Under -short, it
// plants the eight that people make most, in three recipes.
func TestBugsAreCaught(t *testing.T) {
	planted, only := bugs(), func(specimen) bool { return true }
	if testing.Short() && !*update {
		common := []string{
			"inputs not scaled", "labels shuffled, training only", "loss summed, not averaged", "softmax applied twice",
			"one layer frozen by accident", "learning rate 100 times too high", "validation normalised differently",
			"batch norm never in inference mode",
		}
		planted = slices.DeleteFunc(planted, func(b bug) bool { return !slices.Contains(common, b.name) })
		require.Len(t, planted, len(common))
		only = func(s specimen) bool { return slices.Contains([]string{"iris-mlp", "glyphs-cnn", "friedman"}, s.name) }
	}
	all := catches(t, 1, planted, only)
	for _, c := range all {
		_, known := misses[c.pair()]
		switch {
		case len(c.by) == 0:
			assert.True(t, known, "missed: %s", c.pair())
		case known:
			t.Errorf("%s is caught by %v: delete it from misses", c.pair(), c.by)
		default:
			assert.True(t, c.named, "%s is caught by %v, but nothing names the trouble:\n%s", c.pair(), c.by, c.said)
		}
	}
	if *update {
		require.NoError(t, os.WriteFile(filepath.Join("..", "docs", "catches.md"), []byte(page(all, catches(t, 2, planted, only), healthy(t, 10, only))), 0o644))
	}
}
