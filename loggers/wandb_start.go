package loggers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"sync"
	"time"

	"github.com/actually-robust-training/art/record"
)

// WandBRun is a run as users of the Python client know it. Its methods never wait
// for the server, but for UseArtifact; they may be called from any goroutine.
type WandBRun struct {
	// Config is what the run was set to, Summary what came of it: the last value of
	// each column of the history, unless it is set here after.
	Config, Summary WandBValues

	mu    sync.Mutex
	w     *WandB
	dir   string
	id    string
	seq   int64
	step  int  // of the next row
	named bool // whether a row of that step was begun by LogAt
	ended bool
}

// WandBValues are the config or the summary of a run.
type WandBValues struct {
	run    *WandBRun
	kind   record.Kind
	values map[string]any
}

// Start begins a run without a recipe. What is not sent yet is kept in
// WANDB_DIR/wandb/run-ID, or offline-run-ID; in Spool, if that is set. A run must be
// finished.
func (w *WandB) Start() (*WandBRun, error) {
	settings := loadWandBSettings()
	own := *w
	mode, err := own.mode(settings)
	if err != nil {
		return nil, own.trouble(err)
	}
	auto := autoResume{file: settings.resumeFile(), on: cmp.Or(w.Resume, settings["resume"]) == "auto" && mode != modeDisabled}
	own.ID = cmp.Or(w.ID, settings["run_id"], auto.last(), clientID()[:8])
	prefix := "run-"
	if mode == modeOffline {
		prefix = "offline-run-"
	}
	dir, err := filepath.Abs(filepath.Join(cmp.Or(w.Spool, filepath.Join(settings["dir"], "wandb")), prefix+own.ID))
	if err != nil {
		return nil, own.trouble(err)
	}
	own.Spool = ""
	r := &WandBRun{w: &own, dir: dir, id: own.ID}
	r.Config = WandBValues{r, wandbConfigKind, map[string]any{}}
	r.Summary = WandBValues{r, wandbSummaryKind, map[string]any{}}
	if err := r.emit(record.Event{Kind: record.RunStart, Text: own.ID, Settings: map[string]string{"directory": dir}}); err != nil {
		return nil, err
	}
	return r, nil
}

// ID is that of the run.
func (r *WandBRun) ID() string { return r.id }

// URL is the page of the run, empty until the server has answered.
func (r *WandBRun) URL() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.w.out == nil {
		return ""
	}
	page := r.w.out.page
	page.mu.Lock()
	defer page.mu.Unlock()
	return page.address
}

// emit stamps an event; r.mu is held, or nobody else has the run.
func (r *WandBRun) emit(e record.Event) error {
	if r.ended {
		return r.w.trouble(errors.New("the run is finished"))
	}
	r.seq++
	e.Seq, e.Time = r.seq, time.Now()
	return r.w.Emit(e)
}

// Log adds a row to the history, or finishes the one that LogAt has begun, and goes
// on to the next step. Values are numbers, texts, truths, nil, lists and maps of
// these, [WandBImage] and slices of them, [WandBHistogram], [WandBTable],
// [WandBHTML] and [WandBPlotly]. Names that begin with an underscore are the service's
// own.
func (r *WandBRun) Log(row map[string]any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.log(row, ""); err != nil {
		return err
	}
	r.step, r.named = r.step+1, false
	return nil
}

// LogAt adds to the row of a step, which stays open until another step comes. Steps
// only grow: an older one is an error.
func (r *WandBRun) LogAt(step int, row map[string]any) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if step < r.step || step < 0 {
		return r.w.trouble(fmt.Errorf("step %d is over: the run is at step %d", step, r.step))
	}
	before := r.step
	r.step = step
	if err := r.log(row, stepNamed); err != nil {
		r.step = before
		return err
	}
	r.named = true
	return nil
}

func (r *WandBRun) log(row map[string]any, name string) error {
	media := &mediaFiles{run: r.id, dir: r.dir, step: int64(r.step)}
	fields := make(map[string]string, len(row))
	for key, v := range row {
		if key == "" || key[0] == '_' {
			return r.w.trouble(fmt.Errorf("the name %q: it must not be empty or begin with an underscore", key))
		}
		text, err := r.encode(media, key, v)
		if err != nil {
			return r.w.trouble(fmt.Errorf("%s: %w", key, err))
		}
		fields[key] = text
	}
	for _, a := range media.tables {
		if err := r.emitVersion(a); err != nil {
			return err
		}
	}
	if len(media.files) > 0 {
		if err := r.emit(record.Event{Kind: wandbFilesKind, Settings: media.files}); err != nil {
			return err
		}
	}
	return r.emit(record.Event{Kind: wandbRowKind, Name: name, Iteration: r.step, Settings: fields})
}

// encode takes the ways of common types first. A run that is disabled keeps no
// files.
func (r *WandBRun) encode(media *mediaFiles, key string, v any) (string, error) {
	switch v := v.(type) {
	case float64:
		return string(appendNumber(nil, v)), nil
	case int:
		return fmt.Sprint(v), nil
	}
	if r.w.out.mode == modeDisabled {
		return "null", nil
	}
	return media.value(key, v)
}

// Set sets one value.
func (v WandBValues) Set(name string, value any) error { return v.Update(map[string]any{name: value}) }

// Update sets several values; the others stay.
func (v WandBValues) Update(values map[string]any) error {
	r := v.run
	r.mu.Lock()
	defer r.mu.Unlock()
	fields := map[string]string{}
	for name, value := range values {
		if name == "" || name[0] == '_' {
			return r.w.trouble(fmt.Errorf("the name %q: it must not be empty or begin with an underscore", name))
		}
		text, err := appendValue(nil, reflect.ValueOf(value), 0)
		if err == nil && v.kind == wandbConfigKind {
			text = []byte(quoteNumbers(string(text)))
		}
		if err != nil {
			return r.w.trouble(fmt.Errorf("%s: %w", name, err))
		}
		fields[name] = string(text)
	}
	for name, value := range values {
		v.values[name] = value
	}
	return r.emit(record.Event{Kind: v.kind, Settings: fields})
}

// Get returns what was set in this process, nil if nothing was.
func (v WandBValues) Get(name string) any {
	v.run.mu.Lock()
	defer v.run.mu.Unlock()
	return v.values[name]
}

// AddTags adds tags to those of the run, of 1 to 64 characters each.
func (r *WandBRun) AddTags(tags ...string) error {
	fields := map[string]string{}
	for _, tag := range tags {
		if n := len([]rune(tag)); n < 1 || n > 64 {
			return r.w.trouble(fmt.Errorf("tag %q: it has 1 to 64 characters", tag))
		}
		fields[tag] = ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.emit(record.Event{Kind: wandbTagsKind, Settings: fields})
}

// DefineMetric draws a column over another one, instead of over the step.
func (r *WandBRun) DefineMetric(name, axis string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.emit(record.Event{Kind: wandbMetricKind, Name: name, Text: axis})
}

// Print adds a text to the console of the run.
func (r *WandBRun) Print(text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.emit(record.Event{Kind: record.Text, Text: text})
}

// Save uploads a copy of a file, under its base name.
func (r *WandBRun) Save(file string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.w.out.mode == modeDisabled {
		return nil
	}
	name := runFileName(filepath.Base(file))
	inside := filepath.Join("files", "saved", clientID()[:8], filepath.Base(file))
	if err := copyFile(file, filepath.Join(r.dir, inside)); err != nil {
		return r.w.trouble(err)
	}
	return r.emit(record.Event{Kind: wandbFilesKind, Settings: map[string]string{name: filepath.ToSlash(inside)}})
}

// UseArtifact downloads a version as [WandB.Download] does, and notes that the run
// has used it.
func (r *WandBRun) UseArtifact(ctx context.Context, version, folder string) ([]string, error) {
	if r.w.out.mode != modeOnline {
		return nil, r.w.trouble(fmt.Errorf("the run is %s: no artifacts can be had", r.w.out.mode))
	}
	id, paths, err := r.w.downloadVersion(ctx, version, folder)
	if err != nil {
		return paths, r.w.trouble(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return paths, r.emit(record.Event{Kind: wandbUseKind, Text: id})
}

// Finish ends the run and sends what is left, for no longer than Grace. An exit
// code other than 0 marks it as failed.
func (r *WandBRun) Finish(exitCode int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return nil
	}
	err := r.emit(record.Event{Kind: wandbFinishKind, Iteration: exitCode})
	r.ended = true
	return errors.Join(err, r.w.Close())
}
