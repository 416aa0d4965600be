package loggers

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/actually-robust-training/art/record"
)

// The kinds of events by which a [WandBRun] goes through the spool. They are
// between it and the goroutine that sends, and in no file of a run.
const (
	// A row: Settings (JSON texts by name), and Iteration if Name is stepNamed.
	wandbRowKind record.Kind = "wandb-row"
	// Config and summary: Settings.
	wandbConfigKind  record.Kind = "wandb-config"
	wandbSummaryKind record.Kind = "wandb-summary"
	// Tags to add: the names of Settings.
	wandbTagsKind record.Kind = "wandb-tags"
	// Files of the run: Settings (paths within the directory of the run, by the name
	// that they get).
	wandbFilesKind record.Kind = "wandb-files"
	// A version of an artifact: Text (a wandbArtifact in JSON).
	wandbArtifactKind record.Kind = "wandb-artifact"
	// A metric: Name, and Text (its axis).
	wandbMetricKind record.Kind = "wandb-metric"
	// A version that the run has used: Text (its id).
	wandbUseKind record.Kind = "wandb-use"
	// The end: Iteration is the exit code.
	wandbFinishKind record.Kind = "wandb-finish"

	stepNamed = "at"
)

// wandbBatch is what events are for the service. The same events, after the same
// state, always make the same batch.
type wandbBatch struct {
	wandbState // as it will be when the batch has arrived
	p          *position
	history    []string
	console    []string
	files      []wandbFile
	artifacts  []*wandbArtifact
	used       []string // ids of versions
	refused    someRefused
	exit       *int
	started    bool // whether the run begins in it
	changed    struct{ config, summary bool }

	group  rowGroup
	row    wandbRow
	names  map[metricKey]string
	axes   map[string]int
	known  map[string]bool // metrics
	events []record.Event
}

// wandbFile is a file of the run to upload.
type wandbFile struct {
	name, path string
	event      int // its place in the batch, or eventNone
}

// eventNone is of a file that says again what the stream says: that it was refused is
// nothing to keep.
const eventNone = -1

func newWandBBatch(p *position, state wandbState, events []record.Event) *wandbBatch {
	b := &wandbBatch{
		wandbState: state, p: p, refused: someRefused{}, names: map[metricKey]string{}, axes: map[string]int{}, known: map[string]bool{}, events: events,
	}
	b.Config, b.Summary = maps.Clone(state.Config), maps.Clone(state.Summary)
	b.Metrics, b.Tags = slices.Clone(state.Metrics), slices.Clone(state.Tags)
	for i, m := range b.Metrics {
		b.known[m.Name] = true
		b.axes[m.Name] = i + 1
	}
	for i := range events {
		b.add(i, &events[i])
	}
	b.closeRow()
	return b
}

func (b *wandbBatch) add(i int, e *record.Event) {
	if belongs, fresh, ends := b.group.next(e); belongs {
		if fresh {
			b.closeRow()
		}
		b.addToRow(i, e)
		if ends {
			b.closeRow()
		}
		return
	}
	switch e.Kind {
	case record.RunStart:
		b.elapsed(e.Time)
		b.started = true
		for name, value := range e.Settings {
			if name != "directory" {
				b.configure(name, settingJSON(value))
			}
		}
		b.say(e, describe(e))
	case record.StepStart:
		for name, value := range e.Settings {
			b.configure(e.Step+"."+name, settingJSON(value))
		}
		b.say(e, describe(e))
	case record.StepEnd:
		b.summarize(e.Step+"/outcome", string(appendText(nil, join(string(e.Outcome), e.Text))))
		b.say(e, describe(e))
	case record.Text:
		b.say(e, e.Text)
	case record.Judged:
		if e.Verdict != nil {
			b.summarize(e.Step+"/check/"+e.Verdict.Check, string(appendText(nil, verdict(e.Verdict))))
		}
		b.say(e, describe(e))
	case record.Found:
		b.say(e, describe(e))
	case record.ArtifactSaved:
		b.addArtifact(i, e)
	case record.RunEnd:
		b.summarize("outcome", string(appendText(nil, string(e.Outcome))))
		b.say(e, describe(e))
		b.end(e, exitCode(e.Outcome))
	default:
		b.addOwn(i, e)
	}
}

// addOwn takes the events of a WandBRun.
func (b *wandbBatch) addOwn(i int, e *record.Event) {
	switch e.Kind {
	case wandbConfigKind:
		for name, value := range e.Settings {
			b.configure(name, value)
		}
	case wandbSummaryKind:
		for name, value := range e.Settings {
			b.summarize(name, value)
		}
	case wandbTagsKind:
		for tag := range sorted(e.Settings) {
			if !slices.Contains(b.Tags, tag) {
				b.Tags = append(b.Tags, tag)
				b.changed.config = true
			}
		}
	case wandbFilesKind:
		for name, path := range sorted(e.Settings) {
			local, err := b.local(path)
			if err != nil {
				b.refused[i] = err
				continue
			}
			b.files = append(b.files, wandbFile{name, local, i})
		}
	case wandbArtifactKind:
		b.addVersion(i, e)
	case wandbMetricKind:
		b.define(e.Name, e.Text)
	case wandbUseKind:
		b.used = append(b.used, e.Text)
	case wandbFinishKind:
		b.end(e, e.Iteration)
	}
}

// addVersion takes a version of an artifact, whose files are in the directory of
// the run.
func (b *wandbBatch) addVersion(i int, e *record.Event) {
	a := &wandbArtifact{event: i}
	err := json.Unmarshal([]byte(e.Text), a)
	for name, path := range a.Files {
		if err == nil {
			a.Files[name], err = b.local(path)
		}
	}
	if err != nil {
		b.refused[i] = err
		return
	}
	b.artifacts = append(b.artifacts, a)
}

func exitCode(o record.Outcome) int {
	if o == record.Passed || o == record.Skipped {
		return 0
	}
	return 1
}

func (b *wandbBatch) end(e *record.Event, code int) {
	b.closeRow()
	b.elapsed(e.Time)
	b.exit, b.Ended = &code, true
	b.changed.summary = true
}

func (b *wandbBatch) configure(name, value string) {
	if b.Config[name] != value {
		b.Config[name] = value
		b.changed.config = true
	}
}

func (b *wandbBatch) summarize(name, value string) {
	b.Summary[name] = value
	b.changed.summary = true
}

func (b *wandbBatch) say(e *record.Event, text string) {
	if b.p.Target["console"] == "off" {
		return
	}
	b.console = append(b.console, consoleLines(e.Time, text)...)
}

// addToRow puts an event into the row, opening one if there is none.
func (b *wandbBatch) addToRow(i int, e *record.Event) {
	switch e.Kind {
	case wandbRowKind:
		at := int64(-1)
		if e.Name == stepNamed {
			at = int64(e.Iteration)
			if at < b.Next {
				b.refused[i] = fmt.Errorf("step %d is over: the run is at step %d", at, b.Next)
				return
			}
		}
		b.openRow(e, at)
		for name, value := range sorted(e.Settings) {
			b.row.set(name, value)
		}
	case record.ArtifactSaved:
		b.openRow(e, -1)
		b.addMedia(i, e)
	default:
		b.addNumber(i, e)
	}
	b.row.events = append(b.row.events, i)
}

func (b *wandbBatch) addNumber(_ int, e *record.Event) {
	value := ""
	if e.Kind == record.Vector {
		if value = vectorJSON(e.Values); value == "" || value == "[]" {
			return // the event file has it
		}
	} else {
		value = string(appendNumber(make([]byte, 0, 24), e.Value))
	}
	key := metricKey{e.Step, e.Trial, e.Stage, e.Name}
	name, known := b.names[key]
	if !known {
		name = key.String()
		b.names[key] = name
	}
	if b.row.open && b.row.has(name) {
		b.closeRow() // the iteration has two of them
	}
	if !b.row.open {
		b.openRow(e, -1)
		axis := axisName(e.Step, e.Trial, axisIteration)
		b.row.set(axis, fmt.Sprint(e.Iteration))
		b.row.set(axisName(e.Step, e.Trial, axisEpoch), fmt.Sprint(e.Epoch))
	}
	b.row.set(name, value)
	if !b.known[name] {
		b.define(name, axisName(e.Step, e.Trial, axisIteration))
	}
}

// define gives a metric its axis.
func (b *wandbBatch) define(name, axis string) {
	b.known[name] = true
	if len(b.Metrics)+2 > maxMetrics {
		return
	}
	if b.axes[axis] == 0 {
		b.Metrics = append(b.Metrics, wandbMetric{Name: axis})
		b.axes[axis] = len(b.Metrics)
	}
	b.Metrics = append(b.Metrics, wandbMetric{name, b.axes[axis]})
	b.axes[name] = len(b.Metrics)
	b.changed.config = true
}

func (b *wandbBatch) openRow(e *record.Event, at int64) {
	if !b.row.open {
		b.row.open, b.row.at, b.row.time = true, at, e.Time
	}
}

// closeRow makes a line of the row, and of its values the summary.
func (b *wandbBatch) closeRow() {
	r := &b.row
	if !r.open {
		return
	}
	if len(r.names) > 0 {
		b.Next = max(b.Next, r.at)
		line := r.line(b.Next, b.elapsed(r.time))
		if len(line) > maxStreamLine {
			for _, i := range r.events {
				b.refused[i] = fmt.Errorf("its row has %d bytes, and the service takes %d", len(line), maxStreamLine)
			}
		} else {
			b.history = append(b.history, line)
			b.Next++
			for i, name := range r.names {
				b.Summary[name] = r.values[i]
			}
			if !r.time.IsZero() {
				b.Time = unixSeconds(r.time)
			}
			b.changed.summary = true
		}
	}
	*r = wandbRow{names: r.names[:0], values: r.values[:0], events: r.events[:0]}
}
