package ours

import (
	"encoding/json"
	"iter"
	"os"
	"testing"
	"time"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

// harnessJob is what internal/peers asks for in ART_PEERS_HARNESS.
type harnessJob struct {
	Out string // file for a harnessResult
	// Target is the length of an iteration in milliseconds, Window that of a
	// measurement in seconds, Pairs the number of measurements of either kind.
	Target, Window float64
	Pairs          int
}

// harnessResult has the milliseconds of an iteration, pair by pair.
type harnessResult struct {
	BatchRows    int
	Bare, Recipe []float64
}

// TestHarness measures an iteration in a bare loop over a learner, and in a recipe
// with its event file and the probes that steps.Overfit has by default, in turn.
func TestHarness(t *testing.T) {
	if testing.Short() {
		t.Skip("a dry run of a recipe has one iteration: there is nothing to measure (-short)")
	}
	var job harnessJob
	text := os.Getenv("ART_PEERS_HARNESS")
	if text == "" {
		job = harnessJob{Out: t.TempDir() + "/out.json", Target: 0.5, Window: 0.01, Pairs: 2}
		t.Setenv("ART_DIR", t.TempDir())
	} else {
		require.NoError(t, json.Unmarshal([]byte(text), &job))
	}
	r := row{Name: "harness", Kind: "cnn", Shape: []int{1, 28, 28}, Rows: 16, Classes: 10, Widths: []int{8, 32}}
	for range 2 { // the time of an iteration is not quite proportional to the rows
		quickest := min(r.bare(t, r.fresh(t), 20), r.bare(t, r.fresh(t), 20), r.bare(t, r.fresh(t), 20))
		r.Rows = max(1, int(float64(r.Rows)*job.Target/quickest+0.5))
	}
	n := max(20, int(job.Window*1e3/job.Target))
	result := harnessResult{BatchRows: r.Rows}
	for i := range job.Pairs {
		inner := r.fresh(t) // the same for both: where its memory lies makes a difference of some percent
		if i%2 == 0 {       // who begins takes turns too
			result.Bare = append(result.Bare, r.bare(t, inner, n))
			result.Recipe = append(result.Recipe, r.recipe(t, inner, n))
		} else {
			result.Recipe = append(result.Recipe, r.recipe(t, inner, n))
			result.Bare = append(result.Bare, r.bare(t, inner, n))
		}
	}
	require.Positive(t, result.Recipe[0])
	out, err := json.Marshal(result)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(job.Out, out, 0o644))
}

// fresh is a learner of the row.
func (r row) fresh(t *testing.T) learner {
	l, err := r.learner(r.batch())
	require.NoError(t, err)
	return l.(learner)
}

// bare trains for n iterations and gives the milliseconds of one.
func (r row) bare(t *testing.T, inner learner, n int) float64 {
	b := r.batch()
	l := &timed{learner: inner}
	for i := range n {
		_, err := l.Forward(b, i)
		require.NoError(t, err)
		require.NoError(t, l.Update(rate))
	}
	return l.each(n)
}

// recipe does so in steps.Overfit.
func (r row) recipe(t *testing.T, inner learner, n int) float64 {
	b := r.batch()
	m, err := r.model()
	require.NoError(t, err)
	m.Optimizer.LearningRate = rate
	l := &timed{learner: inner}
	m.New = func(train.Init) (train.Learner, error) { return l, nil }
	data := train.Data{Name: "one batch", Training: repeated(b), Classes: make([]string, r.Classes), BatchSize: r.Rows}
	for i := range data.Classes {
		data.Classes[i] = string(rune('a' + i))
	}
	var checks []string // one batch of noise teaches nothing that they ask for
	step := steps.Overfit{Model: m, Iterations: n}
	for _, c := range step.Plan().Checks {
		checks = append(checks, c.Name)
	}
	step.Options.WithoutChecks, step.Options.Fresh = checks, true
	t.Run("recipe", func(t *testing.T) {
		arttest.Step(arttest.New(t, arttest.Recipe{Name: "harness", Data: data}), step)
	})
	require.Len(t, l.begins, n)
	return l.each(n)
}

// repeated yields one batch 100 times an epoch.
func repeated(b train.Batch) train.Source {
	return func(train.Pass) iter.Seq2[train.Batch, error] {
		return func(yield func(train.Batch, error) bool) {
			for range 100 {
				if !yield(b, nil) {
					return
				}
			}
		}
	}
}

// learner is all that steps look for in one.
type learner interface {
	train.Learner
	train.Inspector
	train.Differentiator
	train.Freezer
	train.Stater
}

// timed notes when the iterations begin.
type timed struct {
	learner
	begins []time.Time
}

func (l *timed) Forward(b train.Batch, iteration int) (float64, error) {
	l.begins = append(l.begins, time.Now())
	return l.learner.Forward(b, iteration)
}

// each is the mean length of an iteration in milliseconds, the first tenth left out.
func (l *timed) each(n int) float64 {
	first, last := n/10, n-1
	return l.begins[last].Sub(l.begins[first]).Seconds() * 1e3 / float64(last-first)
}
