package arttest

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// Recipe is what all steps of a test share.
type Recipe struct {
	// Name of the recipe in reports and of its folder of runs. Default: the name
	// of the test without "Test", "own-steps" for TestOwnSteps.
	Name string
	// Data to learn from. Training is needed.
	Data train.Data
	// Metrics are computed by every step that trains or evaluates, on every
	// stage it touches. The loss always is.
	Metrics []train.Metric
	// Seed reaches everything random. Default 1. The flag -art.seed comes first.
	Seed uint64
	// Decorators wrap the updates of every step.
	Decorators []train.Decorator
	// Loggers receive every event, beside the run's own file. Others can be named by
	// the flag -art.loggers or ART_LOGGERS, if the test imports the package loggers,
	// if only for that:
	//
	//	import _ "github.com/actually-robust-training/art/loggers"
	//
	// Those that are io.Closers are closed at the end of the test. Their errors are reported and
	// do not fail it; one that panics fails the step, and gets no more events.
	Loggers []record.Sink
}

// R is a recipe being run. It belongs to the test's goroutine.
type R struct {
	t        *testing.T
	recipe   Recipe
	settings settings
	started  time.Time
	marks    marks
	prints   printer
	history  history

	place place
	dir   *runDir
	run   record.Run
	steps []*step

	loggers []*logger
	turn    sync.Mutex // held by the goroutine that calls a logger; taken before mu

	mu      sync.Mutex // guards what follows and run; never held while a logger is called
	seq     int64
	closed  bool
	lost    failures                // of the event file
	queue   []record.Event          // for the loggers
	calling string                  // the logger that is being called
	hung    bool                    // a logger did not return, none is called again
	trouble error                   // of a logger that broke, until a step takes it
	stop    context.CancelCauseFunc // ends the running step, nil between steps
}

// New begins a recipe. It fails the test at once when the recipe cannot be run.
func New(t *testing.T, recipe Recipe) *R {
	t.Helper()
	settings, err := readSettings()
	if err != nil {
		t.Fatalf("arttest.New: %v", err)
	}
	if err := interrupted.err(); err != nil {
		t.Fatalf("arttest.New: not begun: %v", err)
	}
	if recipe.Name == "" {
		recipe.Name = spaced(strings.TrimPrefix(t.Name(), "Test"))
	}
	recipe.Name = checks.Slug(recipe.Name)
	if recipe.Seed == 0 {
		recipe.Seed = 1
	}
	if settings.seed != 0 {
		recipe.Seed = settings.seed
	}
	if recipe.Data.BatchSize == 0 {
		recipe.Data.BatchSize = 32
	}
	marks := localeMarks()
	if err := recipe.check(); err != nil {
		t.Fatal(marks.plain("arttest.New: " + withStack(err)))
	}
	asked, err := askedFor(settings, recipe.Loggers)
	if err != nil {
		t.Fatal(marks.plain("arttest.New: " + withStack(err)))
	}
	recipe.Loggers = slices.Concat(recipe.Loggers, asked)
	r := &R{t: t, recipe: recipe, settings: settings, started: time.Now(), marks: marks, place: findPlace(), prints: printer{recipe: fingerprint.Caller(0)}}
	if err := r.open(); err != nil {
		t.Fatal(marks.plain("arttest.New: " + withStack(err)))
	}
	r.say(t, r.headline())
	t.Cleanup(func() { t.Helper(); r.finish() })
	return r
}

// spaced sets the words of a name in mixed case apart: OwnSteps, XORNet.
func spaced(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) ||
			unicode.IsUpper(runes[i-1]) && i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (c Recipe) check() error {
	switch {
	case c.Name == "":
		return fmt.Errorf("the recipe's name has no letter or digit: set Recipe.Name")
	case c.Data.Training == nil:
		return fmt.Errorf("the recipe has no training data: set Recipe.Data, as in datasets.Iris(), " +
			"or its field Training (train.Seq makes a source of any iter.Seq2[train.Batch, error])")
	case c.Data.BatchSize < 0:
		return fmt.Errorf("data %q: the batch size %d is negative", c.Data.Name, c.Data.BatchSize)
	}
	names := []string{train.LossName}
	for i, m := range c.Metrics {
		switch {
		case m.Name == "" || m.New == nil:
			return fmt.Errorf("metric %d of the recipe is empty: it needs a Name and New", i)
		case slices.Contains(names, m.Name):
			return fmt.Errorf("two metrics of the recipe are named %q (the loss is always measured)", m.Name)
		}
		if err := contain(func() error { _, err := m.New(c.Data.Classes); return err }); err != nil {
			return fmt.Errorf("metric %q does not fit data %q: %w", m.Name, c.Data.Name, err)
		}
		names = append(names, m.Name)
	}
	for i, l := range c.Loggers {
		if l == nil {
			return fmt.Errorf("logger %d of the recipe is nil", i)
		}
	}
	return nil
}

// open makes the directory of the run and records its start.
func (r *R) open() error {
	dir, err := newRunDir(r.place.module, r.settings.dir, r.recipe.Name)
	if err != nil {
		return err
	}
	r.dir, r.history = dir, history{filepath.Dir(dir.path)}
	for _, l := range r.recipe.Loggers {
		r.loggers = append(r.loggers, &logger{Sink: l, name: fmt.Sprintf("logger %T", l)})
	}
	r.emit(record.Event{Kind: record.RunStart, Name: r.recipe.Name, Text: dir.id, Settings: r.environment()})
	if err := r.takeTrouble(); err != nil {
		r.close()
		return err
	}
	return nil
}
