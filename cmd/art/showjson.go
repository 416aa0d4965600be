package main

import (
	"time"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/store"
)

// wholeJSON is a run as show --json prints it.
type wholeJSON struct {
	runJSON
	Steps       []stepJSON        `json:"steps"`
	Directory   string            `json:"directory"`
	Environment map[string]string `json:"environment"`
	Command     string            `json:"command"`
}

// stepJSON is a step as show --json prints it: what the index knows, and what is
// only in the event file.
type stepJSON struct {
	store.Step
	Started   time.Time         `json:"started"`
	Reason    string            `json:"reason"`
	Settings  map[string]string `json:"settings"`
	Verdicts  []record.Verdict  `json:"verdicts"`
	Artifacts []record.Artifact `json:"artifacts"`
}

// wholeOf puts a run together. The file may have grown since it was summarised: steps
// that the summary does not have yet are left out.
func wholeOf(s *store.Store, summary *store.Summary, run *record.Run) wholeJSON {
	w := wholeJSON{
		runJSON: runOf(summary), Steps: []stepJSON{}, Directory: s.Dir(*summary),
		Environment: map[string]string{}, Command: run.Settings["command"],
	}
	for key, value := range run.Settings {
		w.Environment[key] = value
	}
	for i, step := range run.Steps[:min(len(run.Steps), len(summary.Steps))] {
		j := stepJSON{
			Step: summary.Steps[i], Started: step.Started, Reason: step.Reason, Settings: map[string]string{},
			Verdicts: append([]record.Verdict{}, step.Verdicts...), Artifacts: saved(step),
		}
		for key, value := range step.Settings {
			j.Settings[key] = value
		}
		w.Steps = append(w.Steps, j)
	}
	return w
}
