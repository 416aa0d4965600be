package main

import (
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/actually-robust-training/art/record"
)

var update = flag.Bool("update", false, "rewrite the expected output of the scripts in testdata")

// In the scripts art is this binary, and so is go: it prints $GO_VERSION, and for
// go list the file $GO_LIST.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"art": main,
		"go": func() {
			if os.Args[1] == "env" {
				fmt.Println(os.Getenv("GO_VERSION"))
				return
			}
			b, err := os.ReadFile(os.Getenv("GO_LIST"))
			if err != nil {
				fmt.Fprintln(os.Stderr, "go: no go.mod to speak of")
				os.Exit(1)
			}
			fmt.Print(string(b))
		},
	})
}

// Every behaviour of the command is a script, which starts in a module with the runs
// of fixture.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("TZ", "UTC")
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Setenv("GO_VERSION", "go1.26.8")
			if err := os.WriteFile(filepath.Join(env.WorkDir, "go.mod"), []byte("module example.com/user\n"), 0o644); err != nil {
				return err
			}
			return fixture(filepath.Join(env.WorkDir, ".art"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "now": now},
	})
}

// status runs a command that must fail with the given exit status, in one line on
// standard error.
func status(ts *testscript.TestScript, _ bool, args []string) {
	var exit *exec.ExitError
	err := ts.Exec(args[1], args[2:]...)
	if !errors.As(err, &exit) || fmt.Sprint(exit.ExitCode()) != args[0] {
		ts.Fatalf("%v: want exit status %s, got %v", args[1:], args[0], err)
	}
	if text := ts.ReadFile("stderr"); strings.Count(text, "\n") != 1 || !strings.HasPrefix(text, "art: ") {
		ts.Fatalf("%v: want one line on standard error, got %q", args[1:], text)
	}
}

// now makes the event file of a run that began this moment.
func now(ts *testscript.TestScript, _ bool, args []string) {
	file := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
	line := fmt.Sprintf(`{"schema":1,"seq":1,"time":%q,"kind":"run-start"}`+"\n", time.Now().UTC().Format(time.RFC3339Nano))
	ts.Check(os.WriteFile(file, []byte(line), 0o644))
}

// fixture makes five runs of two recipes, an hour apart: one that passed, one that
// failed after a change of settings and code, one that was killed in a line, one that
// took a result from the first and broke, and one of another recipe with scores that JSON does not have.
func fixture(root string) error {
	for i, run := range []struct {
		path   string
		events []record.Event
		torn   string
	}{
		{path: "iris/7Q2KXB5M", events: iris("7Q2KXB5M", passes)},
		{path: "iris/8M1XW0RT", events: iris("8M1XW0RT", fails)},
		{path: "iris/9AAA1111", events: iris("9AAA1111", passes)[:8], torn: `{"seq":9,"time":"2026-0`},
		{path: "iris/9AAB2222", events: iris("9AAB2222", breaks)},
		{path: "digits/C0FFEE00", events: digits()},
	} {
		dir := filepath.Join(root, filepath.FromSlash(run.path))
		if err := os.MkdirAll(filepath.Join(dir, "overfit"), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "overfit", "loss.svg"), []byte("<svg/>"), 0o644); err != nil {
			return err
		}
		if err := writeEvents(filepath.Join(dir, "events.jsonl"), i, run.events, run.torn); err != nil {
			return err
		}
	}
	return nil
}

func writeEvents(file string, hour int, events []record.Event, torn string) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	now := time.Date(2026, 1, 31, 12+hour, 0, 0, 0, time.UTC)
	stamp := record.Stamp{Sink: record.NewWriter(f), Now: func() time.Time {
		now = now.Add(time.Millisecond)
		return now
	}}
	for _, e := range events {
		if err := stamp.Emit(e); err != nil {
			return err
		}
	}
	if _, err := f.WriteString(torn); err != nil {
		return err
	}
	return f.Close()
}

// course is how a run of iris goes.
type course int

const (
	passes course = iota
	fails
	breaks
)

func iris(id string, c course) []record.Event {
	settings := map[string]string{
		"seed": "1", "go": "go1.26.8", "os": "linux", "arch": "amd64", "package": "./models", "test": "TestIris", "data": "iris",
		"vcs.revision": "0123456789abcdef", "vcs.modified": "false", "directory": "/somewhere/else", "dry-run": "false",
		"flags":   "-test.testlogfile=/tmp/" + id + " -test.paniconexit0 -test.v=true",
		"command": "go test ./models -run '^TestIris$' -art.seed=1",
	}
	rate, accuracy, reused := "0.01", 0.967, ""
	if c == fails {
		settings["vcs.revision"], settings["vcs.modified"] = "fedcba9876543210", "true"
		rate, accuracy = "1", 0.3333333
	}
	if c == breaks {
		reused = "7Q2KXB5M"
	}
	events := []record.Event{
		{Kind: record.RunStart, Name: "iris", Text: id, Settings: settings},
		{Kind: record.StepStart, Step: "evaluate-baseline", Text: reused},
		{Kind: record.Score, Step: "evaluate-baseline", Trial: "majority", Stage: "training", Name: "accuracy", Value: 0.342, Rows: 120},
		{Kind: record.Score, Step: "evaluate-baseline", Trial: "majority", Stage: "validation", Name: "accuracy", Value: 0.3, Rows: 30},
		{Kind: record.StepEnd, Step: "evaluate-baseline", Outcome: record.Passed, Duration: 700 * time.Microsecond},
		{Kind: record.StepStart, Step: "overfit", Model: "mlp", Settings: map[string]string{"epochs": "60", "learning-rate": rate}},
		{Kind: record.Scalar, Step: "overfit", Model: "mlp", Stage: "training", Name: "loss", Value: 1.1},
		{Kind: record.Score, Step: "overfit", Model: "mlp", Stage: "training", Name: "loss", Value: 1 - accuracy, Rows: 120},
		{Kind: record.Score, Step: "overfit", Model: "mlp", Stage: "training", Name: "accuracy", Value: accuracy, Rows: 120},
		{Kind: record.Score, Step: "overfit", Model: "mlp", Stage: "validation", Name: "accuracy", Value: accuracy - 0.03, Rows: 30},
		{Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{Name: "loss.svg", Path: "overfit/loss.svg", Kind: "plot", Bytes: 6, SHA256: "00"}},
		{Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{
			Name: "weights.npy", Path: "overfit/weights.npy", Kind: "tensor", Shape: []int{4, 16}, DType: "float32", Bytes: 384, SHA256: "11",
		}},
	}
	return append(events, ending(c)...)
}

func ending(c course) []record.Event {
	verdict := record.Verdict{Check: "accuracy-training-at-least-0.9", Mark: record.Pass, Claim: "training accuracy at least 0.9", Want: "≥ 0.9", Got: "0.967"}
	slow := record.Verdict{
		Check: "loss-falls", Mark: record.Warn, Claim: "loss falls", Want: "< 1.000", Got: "1.050", Note: "after 3 epochs", Trouble: "the loss rose at first",
		Try: []string{"a smaller learning rate"},
	}
	outcome, reason := record.Passed, ""
	switch c {
	case fails:
		outcome = record.Failed
		verdict.Mark, verdict.Got, verdict.Trouble = record.Fail, "0.333", "training accuracy is 0.333, not at least 0.9"
		verdict.Evidence = []string{"the loss went up in 50 of 60 epochs"}
		verdict.Likely = []string{"the learning rate is too high", "the labels are shuffled"}
		verdict.Try = []string{"a tenth of the learning rate, 0.1"}
		verdict.Files = []string{"loss.svg"}
	case breaks:
		return []record.Event{
			{Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{
				Name: "loss.svg", Path: "../7Q2KXB5M/overfit/loss.svg", Kind: "plot", Bytes: 6, SHA256: "00",
			}},
			{Kind: record.StepEnd, Step: "overfit", Outcome: record.Broken, Duration: time.Second, Text: "train: epoch 3: the disk is full"},
			{Kind: record.StepStart, Step: "regularize"},
			{Kind: record.StepEnd, Step: "regularize", Outcome: record.Skipped, Text: "needs overfit, which broke"},
			{Kind: record.RunEnd, Outcome: record.Failed, Duration: 61 * time.Second},
		}
	}
	return []record.Event{
		{Kind: record.Judged, Step: "overfit", Verdict: &verdict},
		{Kind: record.Judged, Step: "overfit", Verdict: &slow},
		{Kind: record.StepEnd, Step: "overfit", Outcome: outcome, Duration: 1500 * time.Millisecond, Text: reason},
		{Kind: record.RunEnd, Outcome: outcome, Duration: 1700 * time.Millisecond},
	}
}

func digits() []record.Event {
	return []record.Event{
		{Kind: record.RunStart, Name: "digits", Text: "C0FFEE00", Settings: map[string]string{"seed": "7", "dry-run": "true"}},
		{Kind: record.StepStart, Step: "overfit"},
		{Kind: record.Score, Step: "overfit", Stage: "training", Name: "loss", Value: math.NaN()},
		{Kind: record.Score, Step: "overfit", Stage: "validation", Name: "loss", Value: math.Inf(1)},
		{Kind: record.StepEnd, Step: "overfit", Outcome: record.Passed},
		{Kind: record.RunEnd, Outcome: record.Passed, Duration: time.Millisecond},
	}
}
