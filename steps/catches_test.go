package steps_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/record"
)

// TestHealthyRecipesPass is the promise that a default recipe raises no false
// alarm: every recipe of the zoo passes with every seed.
func TestHealthyRecipesPass(t *testing.T) {
	seeds := uint64(10)
	if testing.Short() {
		seeds = 2
	}
	for _, s := range zoo() {
		t.Run(s.name, func(t *testing.T) {
			start := time.Now()
			for seed := uint64(1); seed <= seeds; seed++ {
				o := s.run(t, seed)
				names, all := o.verdicts(record.Fail)
				assert.Empty(t, names, "seed %d: %s", seed, words(all))
				assert.Equal(t, record.Passed, o.Outcome, "seed %d", seed)
				if w, _ := o.verdicts(record.Warn); len(w) > 0 {
					t.Logf("seed %d warns: %v", seed, w)
				}
			}
			t.Logf("%v a run", time.Since(start)/time.Duration(seeds))
		})
	}
}

// catch is what became of a bug in a recipe.
type catch struct {
	bug, recipe string
	by          []string // "step/check" that failed
	named       bool     // a message has the words that name the trouble
	said        string
}

func tryAll(t *testing.T, seed uint64, only func(bug, specimen) bool) []catch {
	var all []catch
	for _, b := range bugs() {
		for _, s := range zoo() {
			planted, ok := b.plant(s)
			if !ok || only != nil && !only(b, s) {
				continue
			}
			names, verdicts := planted.run(t, seed).verdicts(record.Fail)
			c := catch{bug: b.name, recipe: s.name, by: names, said: words(verdicts)}
			for _, w := range b.named {
				c.named = c.named || strings.Contains(c.said, w)
			}
			all = append(all, c)
		}
	}
	return all
}
