package arttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/record"
)

// history is what the recipe's folder of runs knows about steps that passed. A
// look-up opens files by name and never lists the folder, so that it costs the
// same however many runs there are:
//
//	passed/STEP-PRINT.json  the run in which the step passed with this fingerprint
//	passed/STEP.json        the last of them, to say what changed
//	tried/STEP-PRINT.json   a part of a step that was carried out, passed or not
//	checkpoints/PRINT/      of a step that has not ended, see checkpoint.go
//
// Event files stay the truth: an entry whose run is gone or does not say what
// it should is no entry. All of it may be deleted at any time.
type history struct{ dir string }

// passedStep is an entry.
type passedStep struct {
	Schema int       `json:"schema"`
	Run    string    `json:"run"`
	Step   string    `json:"step"`
	Time   time.Time `json:"time"`
	Sum    string    `json:"sum"`
	// Trial is the part of the step that the entry is about, "" for all of it.
	Trial string `json:"trial,omitempty"`
	// From and To say which of the step's events are the trial's.
	From int `json:"from,omitempty"`
	To   int `json:"to,omitempty"`
	// Chose says that the step judged itself on the way, so that other checks may
	// have made it go on.
	Chose       bool                     `json:"chose,omitempty"`
	Ingredients []fingerprint.Ingredient `json:"ingredients"`
	Environment map[string]string        `json:"environment,omitempty"`
	Scores      []finalScore             `json:"scores,omitempty"`
}

// finalScore is the last value of a whole-set score. Value is text, for JSON has no NaN.
type finalScore struct {
	Trial string `json:"trial,omitempty"`
	Model string `json:"model,omitempty"`
	Stage string `json:"stage,omitempty"`
	Name  string `json:"name"`
	Value string `json:"value"`
	Rows  int    `json:"rows,omitempty"`
}

func (p passedStep) print() fingerprint.Print { return fingerprint.Print{Ingredients: p.Ingredients} }

const historySchema = 1

func (h history) passed(step, print string) string {
	if print != "" {
		step += "-" + print[:12]
	}
	return filepath.Join(h.dir, "passed", step+".json")
}

func (h history) tried(step, print string) string {
	return filepath.Join(h.dir, "tried", step+"-"+print[:12]+".json")
}

// read returns an entry. It is fs.ErrNotExist if there is none that this version
// understands.
func (h history) read(file string) (passedStep, error) {
	var p passedStep
	text, err := os.ReadFile(file)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("%s: %w", file, errors.Join(err, fs.ErrNotExist))
	}
	if p.Schema != historySchema || !filepath.IsLocal(p.Run) || p.Run == "" {
		return p, fmt.Errorf("%s: schema %d: %w", file, p.Schema, fs.ErrNotExist)
	}
	return p, nil
}

// write replaces an entry, whole or not at all.
func (h history) write(file string, p passedStep) error {
	p.Schema = historySchema
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return writeJSON(file, p)
}

// errGone says that the events of an earlier run cannot be had.
var errGone = errors.New("its run is gone")

// events are what a step recorded in an earlier run, with paths of artifacts that
// hold in a run beside it. ended says how the step ended, "" if it did not.
func (h history) events(run, step string) (list []record.Event, ended record.Outcome, err error) {
	f, err := os.Open(filepath.Join(h.dir, run, eventFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", errGone
	}
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = f.Close() }()
	reader := record.NewReader(f)
	for {
		e, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF):
			return list, ended, nil
		case err != nil:
			return nil, "", err
		case e.Step != step:
		case e.Kind == record.StepStart:
			list, ended = nil, ""
		case e.Kind == record.StepEnd:
			ended = e.Outcome
		case slices.Contains(stepKinds, e.Kind):
			if e.Artifact != nil {
				e.Artifact.Path = path.Join("..", run, e.Artifact.Path)
			}
			list = append(list, e)
		}
	}
}

// whole reports whether the files that events name are there.
func (h history) whole(list []record.Event, beside string) bool {
	for _, e := range list {
		if e.Artifact == nil {
			continue
		}
		if stat, err := os.Stat(filepath.Join(beside, filepath.FromSlash(e.Artifact.Path))); err != nil || stat.Size() != e.Artifact.Bytes {
			return false
		}
	}
	return true
}

// since says how long ago a time was.
func since(t time.Time) string {
	d := time.Since(t)
	switch {
	case d < 2*time.Minute:
		return "a moment ago"
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f minutes ago", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f hours ago", d.Hours())
	}
	return fmt.Sprintf("%.0f days ago", d.Hours()/24)
}

// some joins the first of several texts and counts the rest.
func some(texts []string, most int) string {
	if len(texts) <= most {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
}
