package loggers

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"os"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/actually-robust-training/art/record"
)

// Limits of a server, in characters; of an image in bytes.
const (
	maxNeptuneString = 16384
	maxNeptunePoint  = 1000
	maxNeptuneImage  = 32 << 20
)

// neptuneBatch is what events are for Neptune.
type neptuneBatch struct {
	p *position
	// remote is p.Remote with the steps and the time after the batch.
	remote map[string]string
	// there are the last steps of series that the server has, if it may have had some of
	// the batch; what is not after them is left out.
	there      map[string]float64
	again      bool
	operations []*neptuneOperation
	known      map[string]*neptuneOperation // by path and kind, those that take more
	uploads    []neptuneUpload
	points     map[string]int // events, by path and step
	refused    someRefused
	event      int // that is being added
}

// neptuneOperation is what happens to one field.
type neptuneOperation struct {
	path, kind string
	entries    []neptuneEntry
	body       map[string]any
	event      int // the last one of it
}

// wire is the operation as the interface has it.
func (o *neptuneOperation) wire() map[string]any {
	body := any(o.body)
	if o.entries != nil {
		body = map[string]any{"entries": o.entries}
	}
	return map[string]any{"path": o.path, o.kind: body}
}

// neptuneEntry is a point of a series.
type neptuneEntry struct {
	Value     any     `json:"value"`
	Step      float64 `json:"step"`
	Timestamp int64   `json:"timestampMilliseconds"`
}

// neptuneUpload is a file, or a folder, for a field.
type neptuneUpload struct {
	path, file, ext string
	set             bool
	event           int
}

// Keys of position.Remote: of the last step of a series, and of the latest time.
const (
	lastStepKey = "last "
	lastTimeKey = "time"
)

func (b *neptuneBatch) add(i int, e *record.Event) {
	b.event = i
	switch e.Kind {
	case record.RunStart:
		b.start(e)
	case record.StepStart:
		b.settings(e.Settings, e.Step, "settings")
		b.assign(e.Model, e.Step, "model")
	case record.Scalar, record.Score:
		b.number(e)
	case record.Text:
		b.text(e)
	case record.Judged:
		if e.Verdict != nil {
			b.assign(verdict(e.Verdict), e.Step, "checks", e.Verdict.Check)
		}
	case record.StepEnd:
		b.assign(join(string(e.Outcome), e.Text), e.Step, "outcome")
		b.set(neptunePath(e.Step, "duration"), "assignFloat", e.Duration.Seconds())
	case record.ArtifactSaved:
		if e.Artifact != nil {
			b.artifact(e)
		}
	case record.RunEnd:
		b.assign(string(e.Outcome), "", "run", "outcome")
		b.set("run/duration", "assignFloat", e.Duration.Seconds())
		b.set("sys/failed", "assignBool", e.Outcome != record.Passed && e.Outcome != record.Skipped)
	case neptuneKind:
		b.own(e)
	}
}

func (b *neptuneBatch) start(e *record.Event) {
	t := b.p.Target
	name := t["name"]
	if name == "" {
		name = strings.TrimSpace(e.Name + " " + e.Text)
	}
	b.set("sys/name", "assignString", shorten(name))
	if t["description"] != "" {
		b.set("sys/description", "assignString", shorten(t["description"]))
	}
	b.set("sys/failed", "assignBool", false)
	b.tags(readList(t["tags"]))
	b.assign(e.Name, "", "run", "recipe")
	b.assign(e.Text, "", "run", "id")
	b.settings(e.Settings, "", "run", "settings")
}

func (b *neptuneBatch) settings(settings map[string]string, step string, parts ...string) {
	for name, value := range sorted(settings) {
		if name == "" {
			name = "_"
		}
		b.assign(value, step, append(parts[:len(parts):len(parts)], name)...)
	}
}

// assign gives a string to a field. Fields of the run itself have no step; their
// first part is not that of one.
func (b *neptuneBatch) assign(value, step string, parts ...string) {
	if value == "" {
		return
	}
	field := neptunePath(append([]string{step}, parts...)...)
	if step == "" {
		field = neptuneJoin(parts)
	}
	b.set(field, "assignString", shorten(value))
}

// set does what counts once: the last one holds.
func (b *neptuneBatch) set(field, kind string, value any) {
	o := b.operation(field, kind)
	o.body = map[string]any{"value": value}
}

func (b *neptuneBatch) operation(field, kind string) *neptuneOperation {
	key := field + "\x00" + kind
	o := b.known[key]
	if o == nil {
		o = &neptuneOperation{path: field, kind: kind}
		b.known[key] = o
		b.operations = append(b.operations, o)
	}
	o.event = b.event
	return o
}

func (b *neptuneBatch) tags(tags []string) {
	if len(tags) == 0 {
		return
	}
	o := b.operation("sys/tags", "insertStrings")
	old, _ := o.body["values"].([]string)
	o.body = map[string]any{"values": append(old, tags...)}
}

func (b *neptuneBatch) number(e *record.Event) {
	field := neptunePath(e.Step, e.Trial, e.Stage, e.Name)
	if math.IsNaN(e.Value) || math.IsInf(e.Value, 0) {
		field += " not finite"
		b.point(e, field, "logStrings", strconv.FormatFloat(e.Value, 'g', -1, 64), float64(e.Iteration))
		return
	}
	b.point(e, field, "logFloats", e.Value, float64(e.Iteration))
}

// text cuts what is too long for one entry of a series into several.
func (b *neptuneBatch) text(e *record.Event) {
	rest := strings.ToValidUTF8(e.Text, "\ufffd")
	field := neptunePath(e.Step, "text", e.Name)
	for {
		at := firstRunes(rest, maxNeptunePoint)
		b.point(e, field, "logStrings", rest[:at], math.Inf(-1))
		if rest = rest[at:]; rest == "" {
			return
		}
	}
}

// firstRunes is the number of bytes of the first n characters.
func firstRunes(s string, n int) int {
	for at := range s {
		if n == 0 {
			return at
		}
		n--
	}
	return len(s)
}

// point adds to a series. Steps increase, and times do not go back, whatever the
// clock does.
func (b *neptuneBatch) point(e *record.Event, field, kind string, value any, want float64) {
	step := want
	if last, err := strconv.ParseFloat(b.remote[lastStepKey+field], 64); err == nil {
		step = stepAfter(last, want)
	} else if math.IsInf(want, -1) {
		step = 0
	}
	b.remote[lastStepKey+field] = strconv.FormatFloat(step, 'g', -1, 64)
	time := millis(e)
	if last, err := strconv.ParseInt(b.remote[lastTimeKey], 10, 64); err == nil {
		time = max(time, last)
	}
	b.remote[lastTimeKey] = strconv.FormatInt(time, 10)
	if last, there := b.there[field]; there && step <= last {
		return
	}
	o := b.operation(field, kind)
	o.entries = append(o.entries, neptuneEntry{value, step, time})
	b.points[pointKey(field, step)] = b.event
}

func pointKey(field string, step float64) string { return fmt.Sprint(field, "\x00", step) }

// stepAfter is the wanted step if it is after the last one. A second value of an
// iteration comes halfway between the last and the next whole number, what goes
// back comes at the next whole number.
func stepAfter(last, want float64) float64 {
	if want > last {
		return want
	}
	next := math.Floor(last) + 1
	if half := last + (next-last)/2; want == math.Floor(last) && half > last && half < next {
		return half
	}
	return next
}

func (b *neptuneBatch) artifact(e *record.Event) {
	a := e.Artifact
	name := a.Name
	if name == "" {
		name = path.Base(a.Path)
	}
	field := neptunePath(append([]string{e.Step, "artifacts"}, strings.Split(name, "/")...)...)
	file, err := b.p.localPath(a)
	if err != nil {
		b.refuse(b.event, err)
		return
	}
	b.uploads = append(b.uploads, neptuneUpload{path: field, file: file, ext: strings.TrimPrefix(path.Ext(a.Path), "."), event: b.event})
	if a.Kind != "weights" {
		return
	}
	b.set(lastModelPath, "assignString", field)
	if strings.Contains(strings.ToLower(name), "best") {
		b.set(bestModelPath, "assignString", field)
	}
}

// own adds what was logged beside the events of the run.
func (b *neptuneBatch) own(e *record.Event) {
	field, file := neptuneJoin(strings.Split(e.Settings["path"], "/")), e.Settings["file"]
	switch e.Name {
	case neptuneFile, neptuneFiles:
		b.uploads = append(b.uploads, neptuneUpload{path: field, file: file, ext: e.Settings["ext"], set: e.Name == neptuneFiles, event: b.event})
	case neptuneTags:
		b.tags(readList(e.Text))
	case neptuneString:
		b.set(field, "assignString", shorten(e.Text))
	case neptuneImage:
		content, err := os.ReadFile(file)
		if err != nil {
			b.refuse(b.event, err)
			return
		}
		image := map[string]string{"data": base64.StdEncoding.EncodeToString(content)}
		for _, name := range []string{"name", "description"} {
			if e.Settings[name] != "" {
				image[name] = e.Settings[name]
			}
		}
		b.point(e, field, "logImages", image, float64(e.Iteration))
	}
}

func (b *neptuneBatch) refuse(event int, reason error) {
	if old := b.refused[event]; old != nil {
		reason = fmt.Errorf("%w; %w", old, reason)
	}
	b.refused[event] = reason
}

// newNeptuneBatch begins a batch of a run that goes on.
func newNeptuneBatch(p *position, again bool, there map[string]float64) *neptuneBatch {
	return &neptuneBatch{
		p: p, again: again, there: there, remote: maps.Clone(p.Remote),
		known: map[string]*neptuneOperation{}, points: map[string]int{}, refused: someRefused{},
	}
}

// shorten keeps a string within what a field takes.
func shorten(value string) string {
	value = strings.ToValidUTF8(value, "\ufffd")
	if utf8.RuneCountInString(value) <= maxNeptuneString {
		return value
	}
	return cut(value, maxNeptuneString-1) + "…"
}

// neptunePath joins the parts that are not empty to the path of a field. The first
// is a step, or what stands for one: it is kept apart from what the server and this
// package have at the top.
func neptunePath(parts ...string) string {
	clean := make([]string, 0, len(parts))
	for _, part := range parts {
		if part != "" {
			clean = append(clean, part)
		}
	}
	if len(clean) > 0 {
		switch clean[0] {
		case "sys", "run", "training":
			clean[0] += "_"
		}
	}
	return neptuneJoin(clean)
}

// maxNeptunePart is the length of a part of a path, in bytes. How long a path may
// be is not documented.
const maxNeptunePart = 200

// neptuneJoin makes each part one segment of the path, and one that can be printed.
func neptuneJoin(parts []string) string {
	var clean []string
	for _, part := range parts {
		part = strings.Map(func(r rune) rune {
			if r == '/' || !unicode.IsPrint(r) {
				return '_'
			}
			return r
		}, strings.ToValidUTF8(part, "\ufffd"))
		if len(part) > maxNeptunePart {
			part = strings.ToValidUTF8(part[:maxNeptunePart-20], "") + "-" + digest(part)
		}
		if part != "" {
			clean = append(clean, part)
		}
	}
	if len(clean) == 0 {
		return "_"
	}
	return strings.Join(clean, "/")
}
