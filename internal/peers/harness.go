package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Harness compares an iteration in a recipe with one in a bare loop over the same
// learner.
type Harness struct {
	Threads int
	// Target is the length of an iteration that was aimed at, in milliseconds.
	Target float64
	// BatchRows that came near it.
	BatchRows int
	// Bare and Recipe are milliseconds of an iteration, pair by pair.
	Bare, Recipe []float64
	Problem      string
}

// Share is the median over the pairs of what the recipe adds to the bare loop.
func (h Harness) Share() float64 {
	var shares []float64
	for i := range h.Bare {
		shares = append(shares, h.Recipe[i]/h.Bare[i]-1)
	}
	return Median(shares)
}

// harnessTargets are the lengths of an iteration, in milliseconds.
var harnessTargets = []float64{0.5, 5}

// Settings of the measurement: seconds of one, and how many of either kind.
const (
	harnessWindow = 0.5
	harnessPairs  = 30
)

func harnessSeconds() float64 { return harnessWindow*2*harnessPairs + 2 }

// measureHarness runs our worker's TestHarness.
func (r *Report) measureHarness(ctx context.Context, binary, dir string, p *progress) {
	for _, threads := range r.Threads {
		for _, target := range harnessTargets {
			h := Harness{Threads: threads, Target: target}
			out := filepath.Join(dir, "harness.json")
			job, err := json.Marshal(map[string]any{"Out": out, "Target": target, "Window": harnessWindow, "Pairs": harnessPairs})
			if err == nil {
				_, err = run(ctx, process{Dir: dir, Command: []string{binary, "-test.run=^TestHarness$"}, Env: append(threadEnv(threads),
					"ART_PEERS_HARNESS="+string(job), "ART_QUIET=1", "ART_DIR="+filepath.Join(dir, "art"))})
			}
			var text []byte
			if err == nil {
				text, err = os.ReadFile(out)
			}
			if err == nil {
				err = json.Unmarshal(text, &h)
			}
			if err != nil {
				h.Problem = err.Error()
			}
			r.Harness = append(r.Harness, h)
			p.finish(harnessSeconds(), "recipe against bare loop, %s: %s", threadsOf(threads), h.say())
		}
	}
}

func (h Harness) say() string {
	if h.Problem != "" {
		return h.Problem
	}
	return fmt.Sprintf("%s more than %s ms", percent(h.Share()), milliseconds(Median(h.Bare)))
}
