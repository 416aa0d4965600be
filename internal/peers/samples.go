package main

import (
	"maps"
	"math"
	"slices"
)

// Series is what one engine measured for one row at one number of threads.
type Series struct {
	Row     string
	Threads int
	// Engine is ours, stock or torch; Variant a way to run it, "" if there is
	// only one.
	Engine, Variant string
	// Rounds has the milliseconds of an iteration, by round.
	Rounds map[int]float64
	// Problem says why there is nothing, or nothing more.
	Problem string
	// Dropped is set when the first round showed that another variant is better.
	Dropped bool
}

// Median of the rounds, in milliseconds; NaN if there are none.
func (s *Series) Median() float64 {
	return Median(slices.Collect(maps.Values(s.Rounds)))
}

// Samples are all series of a run.
type Samples struct{ Series []*Series }

// Of finds a series, or begins it.
func (s *Samples) Of(row string, threads int, engine, variant string) *Series {
	for _, x := range s.Series {
		if x.Row == row && x.Threads == threads && x.Engine == engine && x.Variant == variant {
			return x
		}
	}
	x := &Series{Row: row, Threads: threads, Engine: engine, Variant: variant, Rounds: map[int]float64{}}
	s.Series = append(s.Series, x)
	return x
}

// Best is the variant of an engine with the lowest median; nil if the engine was
// not measured, and a series without rounds if it failed.
func (s *Samples) Best(row string, threads int, engine string) *Series {
	var best *Series
	for _, x := range s.Series {
		if x.Row != row || x.Threads != threads || x.Engine != engine {
			continue
		}
		if best == nil || x.Median() < best.Median() || math.IsNaN(best.Median()) && !math.IsNaN(x.Median()) {
			best = x
		}
	}
	return best
}

// dropFactor is by how much a way that is slow to begin must lose in the first
// round not to be measured again.
const dropFactor = 1.5

// DropLosers marks such ways that lose clearly.
func (s *Samples) DropLosers(row string, threads int, engine string) {
	best := s.Best(row, threads, engine)
	for _, x := range s.Series {
		if x.Row == row && x.Threads == threads && x.Engine == engine && slow(x.Variant) && x.Median() > dropFactor*best.Median() {
			x.Dropped = true
		}
	}
}
