package loggers

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path"
	"slices"
	"time"

	"github.com/actually-robust-training/art/record"
)

// Tee sends every event to all loggers; it is [record.Tee].
func Tee(sinks ...record.Sink) record.Sink { return record.Tee(sinks...) }

// Filter passes on what matters and not too often. Names choose scalars, scores
// and vectors; Every and Interval thin out scalars and vectors, of which there
// is one an iteration. All other events pass, unless Kinds leaves them out. The
// zero value, but for Sink, passes everything.
type Filter struct {
	Sink record.Sink
	// Kinds that pass; none means all.
	Kinds []record.Kind
	// Names of metrics that pass, as patterns of path.Match: "loss", "grad*".
	// None means all.
	Names []string
	// Every passes iterations 0, Every, 2×Every and so on; 0 and 1 mean all.
	Every int
	// Interval is the least time between two numbers of one series (step, trial,
	// model, stage and name), by the time of the events; 0 means none.
	Interval time.Duration

	last   map[series]time.Time
	names  map[string]bool
	closed bool
}

type series struct{ step, trial, model, stage, name string }

// Emit passes the event on, or not.
func (f *Filter) Emit(e record.Event) error {
	if f.closed {
		return lost("filter", &e, os.ErrClosed)
	}
	pass, err := f.passes(&e)
	if err != nil {
		return lost("filter", &e, err)
	}
	if !pass {
		return nil
	}
	return f.Sink.Emit(e)
}

func (f *Filter) passes(e *record.Event) (bool, error) {
	if len(f.Kinds) > 0 && !slices.Contains(f.Kinds, e.Kind) {
		return false, nil
	}
	frequent := e.Kind == record.Scalar || e.Kind == record.Vector
	if !frequent && e.Kind != record.Score {
		return true, nil
	}
	if named, err := f.named(e.Name); err != nil || !named {
		return false, err
	}
	if !frequent {
		return true, nil
	}
	if f.Every > 1 && e.Iteration%f.Every != 0 {
		return false, nil
	}
	if f.Interval <= 0 {
		return true, nil
	}
	s := series{e.Step, e.Trial, e.Model, e.Stage, e.Name}
	// A clock that was set back must not silence the series until it has caught up.
	if last, seen := f.last[s]; seen && !e.Time.Before(last) && e.Time.Sub(last) < f.Interval {
		return false, nil
	}
	if f.last == nil {
		f.last = map[series]time.Time{}
	}
	f.last[s] = e.Time
	return true, nil
}

// named says whether a pattern matches, and remembers it: a run has few names
// and asks for each in every iteration.
func (f *Filter) named(name string) (bool, error) {
	if len(f.Names) == 0 {
		return true, nil
	}
	if match, known := f.names[name]; known {
		return match, nil
	}
	match := false
	for _, pattern := range f.Names {
		m, err := path.Match(pattern, name)
		if err != nil {
			return false, fmt.Errorf("Filter.Names has the pattern %q: %w (see path.Match)", pattern, err)
		}
		match = match || m
	}
	if f.names == nil {
		f.names = map[string]bool{}
	}
	f.names[name] = match
	return match, nil
}

// Close closes the sink if it can be closed.
func (f *Filter) Close() error {
	if f.closed {
		return nil
	}
	f.closed = true
	if c, ok := f.Sink.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// sorted goes through a map in the order of its names.
func sorted[T any](m map[string]T) iter.Seq2[string, T] {
	return func(yield func(string, T) bool) {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			if !yield(name, m[name]) {
				return
			}
		}
	}
}
