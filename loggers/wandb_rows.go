package loggers

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

// rowGroup is what the numbers of one row of the history have in common. The
// zero value is no row.
type rowGroup struct {
	kind             byte // of what opened it, see below
	step, trial      string
	iteration, epoch int
}

// The kinds of groups.
const (
	groupNumbers = 's' // of one iteration
	groupAt      = 'a' // of one step that the user named
	groupMedia   = 'm'
)

// next says whether an event belongs into a row, whether that is another one than
// before, and whether the row ends with it.
func (g *rowGroup) next(e *record.Event) (belongs, fresh, ends bool) {
	n := *g
	switch {
	case e.Kind == record.Scalar || e.Kind == record.Score || e.Kind == record.Vector:
		n = rowGroup{groupNumbers, e.Step, e.Trial, e.Iteration, e.Epoch}
	case e.Kind == wandbRowKind && e.Name == stepNamed:
		n = rowGroup{kind: groupAt, iteration: e.Iteration}
	case e.Kind == wandbRowKind:
		fresh = g.kind != groupAt
		*g = rowGroup{}
		return true, fresh, true
	case e.Kind == record.ArtifactSaved && e.Artifact != nil && mediaOf(e.Artifact) != mediaNone:
		if g.kind != groupNumbers && g.kind != groupMedia {
			n = rowGroup{kind: groupMedia}
		}
	default:
		return false, false, false
	}
	fresh = n != *g
	*g = n
	return true, fresh, false
}

// wandbRow is a row of the history that is being put together.
type wandbRow struct {
	open   bool
	at     int64 // its _step; negative if it is the next one
	time   time.Time
	names  []string
	values []string
	events []int // places in the batch
}

func (r *wandbRow) has(name string) bool { return slices.Contains(r.names, name) }

func (r *wandbRow) set(name, value string) {
	if i := slices.Index(r.names, name); i >= 0 {
		r.values[i] = value
		return
	}
	r.names, r.values = append(r.names, name), append(r.values, value)
}

// line is the row with its step and its times.
func (r *wandbRow) line(step int64, runtime float64) string {
	b := make([]byte, 0, 128)
	b = strconv.AppendInt(append(b, `{"_step":`...), step, 10)
	b = appendNumber(append(b, `,"_runtime":`...), runtime)
	if !r.time.IsZero() {
		b = appendNumber(append(b, `,"_timestamp":`...), unixSeconds(r.time))
	}
	for i, name := range r.names {
		b = appendText(append(b, ','), name)
		b = append(append(b, ':'), r.values[i]...)
	}
	return string(append(b, '}'))
}

func unixSeconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }

// metricKey names the columns of an event, as W&B groups them: STEP/TRIAL/STAGE/NAME.
type metricKey struct{ step, trial, stage, name string }

// metricName is the name of a column.
func (k metricKey) String() string {
	parts := make([]string, 0, 4)
	for _, part := range []string{k.step, k.trial, k.stage, k.name} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	name := strings.Join(parts, "/")
	switch {
	case name == "":
		return "value"
	case name[0] == '_': // those are the service's own
		return "metric" + name
	case k.stage == "" && (k.name == axisIteration || k.name == axisEpoch):
		return name + " value" // the name itself is an axis
	}
	return name
}

// The columns that numbers are drawn over.
const (
	axisIteration = "iteration"
	axisEpoch     = "epoch"
)

func axisName(step, trial, axis string) string {
	parts := make([]string, 0, 3)
	for _, part := range []string{step, trial, axis} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if name := strings.Join(parts, "/"); name[0] != '_' {
		return name
	}
	return "metric" + strings.Join(parts, "/")
}

// maxPlainVector is the length up to which a vector is shown as a list.
const maxPlainVector = 10

// vectorJSON is a short vector as a list, a long one as a histogram; empty if it
// has no finite numbers to count.
func vectorJSON(values []float64) string {
	if len(values) <= maxPlainVector {
		b := []byte{'['}
		for i, v := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendNumber(b, v)
		}
		return string(append(b, ']'))
	}
	return histogramJSON(histogram(values))
}

// histogramJSON writes buckets of left edge, right edge and count.
func histogramJSON(buckets [][3]float64) string {
	if len(buckets) == 0 {
		return ""
	}
	counts, edges := []byte(`{"_type":"histogram","values":[`), []byte(`],"bins":[`)
	for i, bucket := range buckets {
		if i > 0 {
			counts, edges = append(counts, ','), append(edges, ',')
		}
		counts, edges = appendNumber(counts, bucket[2]), appendNumber(edges, bucket[0])
	}
	last := buckets[len(buckets)-1][1]
	if first := buckets[0][0]; last <= first {
		last = math.Nextafter(first, math.Inf(1))
	}
	edges = appendNumber(append(edges, ','), last)
	return string(append(append(counts, edges...), "]}"...))
}

// maxConsoleLine is the length in characters after which the service cuts a line
// of the console.
const maxConsoleLine = 4096

// consoleLines are the lines of a text with their time; long ones go on in the
// next.
func consoleLines(t time.Time, text string) (lines []string) {
	stamp := t.UTC().Format("2006-01-02T15:04:05.000000")
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		runes := []rune(line)
		for len(runes) > maxConsoleLine {
			lines = append(lines, fmt.Sprintf("%s %s", stamp, string(runes[:maxConsoleLine])))
			runes = runes[maxConsoleLine:]
		}
		lines = append(lines, fmt.Sprintf("%s %s", stamp, string(runes)))
	}
	return lines
}
