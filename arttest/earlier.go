package arttest

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// recall reads the earlier runs in which a step passed, if one of its checks asks.
// It is the only thing that costs more the more runs there are.
func (r *R) recall(st *step) {
	if !slices.ContainsFunc(st.checks, func(c checks.Check) bool { return c.History }) {
		return
	}
	earlier := r.history.scores(st.plan.Name, r.dir.id)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.Earlier = earlier
}

// scores are the runs in which a step passed, but for one, oldest first. Entries
// that cannot be read, and those of runs that are gone, are left out.
func (h history) scores(step, but string) []*record.Run {
	files, err := filepath.Glob(filepath.Join(h.dir, "passed", step+"-????????????.json"))
	if err != nil {
		return nil
	}
	var runs []*record.Run
	for _, file := range files {
		p, err := h.read(file)
		if err != nil || p.Step != step || p.Run == but {
			continue
		}
		if _, err := os.Stat(filepath.Join(h.dir, p.Run, eventFile)); err != nil {
			continue
		}
		run := &record.Run{ID: p.Run, Settings: p.Environment, Started: p.Time}
		_, err = os.Stat(filepath.Join(h.dir, p.Run, "pin.txt"))
		run.Pinned = err == nil
		_ = run.Emit(record.Event{Kind: record.StepStart, Step: step, Time: p.Time}) // a fold takes every event
		for _, s := range p.Scores {
			if v, err := strconv.ParseFloat(s.Value, 64); err == nil {
				_ = run.Emit(record.Event{Kind: record.Score, Step: step, Trial: s.Trial, Model: s.Model, Stage: s.Stage, Name: s.Name, Value: v, Rows: s.Rows})
			}
		}
		runs = append(runs, run)
	}
	slices.SortFunc(runs, func(a, b *record.Run) int { return a.Started.Compare(b.Started) })
	return runs
}
