package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Quickstart is one run of the quickstart of the Python ART.
type Quickstart struct {
	// Engine is "ours" or "art-training".
	Engine  string
	Threads int
	// Wall is the whole process in seconds, Recipe and Imports parts of it.
	Wall, Recipe, Imports float64
	// Peak memory and what is installed to run it, in bytes.
	Peak, Installed int64
	Problem         string
}

const pythonART = "art-training"

// quickstartRuns is how often each is run, in turn.
const quickstartRuns = 3

const quickstartSeconds = 30 // of one pair

// measureQuickstart runs both quickstarts in turn with the most threads.
func (r *Report) measureQuickstart(ctx context.Context, root, binary, python, dir string, p *progress) {
	if os.Getenv("ART_DATA_DIR") == "" {
		r.Problems = append(r.Problems, "quickstart: ART_DATA_DIR does not name the folder of the data sets")
		return
	}
	threads := r.Threads[len(r.Threads)-1]
	ourSize := installed(binary)
	if python != "" {
		r.Versions["Python ART"] = pins(root, "art")
	}
	pythonSize := installed(filepath.Join(root, ".venv", "art"))
	for n := range quickstartRuns {
		out := filepath.Join(dir, "quickstart.json")
		mine := quickstartRun(ctx, process{Dir: dir, Command: []string{binary, "-test.run=^TestQuickstart$", "-test.v", "-art.fresh"},
			Env: append(threadEnv(threads), "ART_PEERS_QUICKSTART="+out, "ART_DIR="+filepath.Join(dir, "art"))}, out)
		mine.Engine, mine.Threads, mine.Installed = ours, threads, ourSize
		r.Quickstart = append(r.Quickstart, mine)
		if python == "" {
			p.finish(quickstartSeconds, "quickstart %d of %d: %s", n+1, quickstartRuns, mine.say())
			continue
		}
		work, err := os.MkdirTemp(dir, "art-training-") // it keeps runs in its folder, and reads them again
		if err != nil {
			r.Problems = append(r.Problems, "quickstart: "+err.Error())
			return
		}
		theirs := quickstartRun(ctx, process{Dir: work, Env: threadEnv(threads),
			Command: []string{python, filepath.Join(root, "internal", "peers", "python", "quickstart.py"), out}}, out)
		theirs.Engine, theirs.Threads, theirs.Installed = pythonART, threads, pythonSize
		r.Quickstart = append(r.Quickstart, theirs)
		p.finish(quickstartSeconds, "quickstart %d of %d: %s; %s", n+1, quickstartRuns, mine.say(), theirs.say())
	}
}

func quickstartRun(ctx context.Context, p process, out string) (q Quickstart) {
	if err := os.Remove(out); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Quickstart{Problem: err.Error()}
	}
	o, err := run(ctx, p)
	var text []byte
	if err == nil {
		text, err = os.ReadFile(out)
	}
	var said struct{ Seconds map[string]float64 }
	if err == nil {
		err = json.Unmarshal(text, &said)
	}
	if err != nil {
		return Quickstart{Problem: err.Error()}
	}
	return Quickstart{Wall: o.Wall.Seconds(), Recipe: said.Seconds["recipe"], Imports: said.Seconds["imports"], Peak: o.Peak}
}

func (q Quickstart) say() string {
	if q.Problem != "" {
		return q.Engine + ": " + q.Problem
	}
	return fmt.Sprintf("%s %.2f s, recipe %.2f s, %d MB", q.Engine, q.Wall, q.Recipe, q.Peak>>20)
}

// installed is the size of a file or of all files below a folder, in bytes.
func installed(path string) int64 {
	var sum int64
	//nolint:errcheck // a file that cannot be read is not counted
	filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Size()
		}
		return nil
	})
	return sum
}
