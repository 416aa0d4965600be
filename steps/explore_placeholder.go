package steps

import (
	"fmt"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// edges are the two smallest and the two largest values of a feature, and how often
// the outermost occur: what it takes to see a number that stands for a missing one,
// as −999, in a single walk.
type edges struct {
	n                       int
	low, next, before, high float32 // in order; next and before are equal when there are three values
	atLow, atHigh           int
}

func (e *edges) add(x float32) {
	if x-x != 0 { // NaN or infinite
		return
	}
	if e.n++; e.n == 1 {
		e.low, e.next, e.before, e.high = x, x, x, x
	}
	switch {
	case x < e.low:
		e.low, e.next, e.atLow = x, e.low, 1
	case x == e.low:
		e.atLow++
	case e.next == e.low || x < e.next:
		e.next = x
	}
	switch {
	case x > e.high:
		e.before, e.high, e.atHigh = e.high, x, 1
	case x == e.high:
		e.atHigh++
	case e.before == e.high || x > e.before:
		e.before = x
	}
}

const (
	// placeholderGap is how many times as far as all others are apart a placeholder
	// must lie from them. −1 among ages lies closer, and does no harm.
	placeholderGap = 5
	placeholderMin = 3  // times that it must occur
	placeholderOf  = 20 // other values that there must be
)

// placeholder is a value that repeats, lies far from all others, and is not most of
// them; count is 0 if there is none.
func (e *edges) placeholder() (value float32, count int, from, to float32) {
	far := func(gap, width float32, count int) bool {
		return width > 0 && gap > placeholderGap*width && count >= placeholderMin && 2*count <= e.n && e.n-count >= placeholderOf
	}
	switch {
	case far(e.next-e.low, e.high-e.next, e.atLow):
		return e.low, e.atLow, e.next, e.high
	case far(e.high-e.before, e.before-e.low, e.atHigh):
		return e.high, e.atHigh, e.low, e.before
	}
	return 0, 0, 0, 0
}

func (v *survey) addEdges(row []float32) {
	for i := range v.edges {
		v.edges[i].add(row[i])
	}
}

// measurePlaceholders records features that hold a placeholder.
func (x exploration) measurePlaceholders() {
	var evidence []string
	for i := range x.edges {
		v, n, from, to := x.edges[i].placeholder()
		if n > 0 {
			evidence = append(evidence, fmt.Sprintf("%s is %s in %d of %d training rows, and from %s to %s in all others (as they enter the network)",
				x.group(i), checks.Number(float64(v)), n, x.edges[i].n, checks.Number(float64(from)), checks.Number(float64(to))))
		}
	}
	if len(x.edges) > 0 {
		x.measure(seenPlaceholders, float64(len(evidence)), x.training().rows)
	}
	if len(evidence) > 0 {
		x.find("no-placeholders", record.Verdict{Evidence: evidence[:min(len(evidence), placesNamed)],
			Likely: []string{"a number such as −999 stands for a missing value: it sets the scale, and all that is known is squeezed together"},
			Try:    []string{"read it as missing: datasets.CSV.MissingWords and Missing: datasets.MissingFlag; or drop those rows, before normalising"}})
	}
}

func noPlaceholders(s *record.StepRun) record.Verdict {
	found, ok := s.Score(seenPlaceholders, "")
	if !ok {
		return without("pictures or token ids")
	}
	v := checks.Hold(found.Value == 0, "0 features", fmt.Sprintf("%.0f", found.Value))
	v.Trouble = "a value that repeats lies far from all others of its feature"
	return v
}
