package steps

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// giveaway finds features that hold the target itself. For classes it is the
// correlation ratio η² (Pearson 1905), the share of a feature's variance that lies between
// classes: 1 when every class has one value of it. For a regression it is r².
type giveaway struct {
	on       bool
	features []sums   // about the first row
	classes  [][]sums // [class][feature]
	ranges   [][]span // likewise
	targets  sums
	products []float64 // Σ feature·target
	first    []float32
	firstY   float64
}

// span is the smallest and the largest value of a feature in one class.
type span struct{ low, high float32 }

// sums of values, and of their squares.
type sums struct{ n, one, two float64 }

func (s *sums) add(d float64) { s.n++; s.one += d; s.two += d * d }

// spread is Σ (x − mean)².
func (s *sums) spread() float64 { return max(s.two-s.one*s.one/max(s.n, 1), 0) }

const (
	givesFeatures = 256  // at most, at least 2
	givesClasses  = 1000 // at most
	givesRows     = 30   // at least: of few rows any may seem to hold the target
	// givesAway is all but the rounding of float32; givesMuch is worth a look.
	givesAway, givesMuch = 1 - 1e-6, 0.99
)

func (g *giveaway) add(inputs, targets []float32, classes int) {
	if !g.on || targets[0]-targets[0] != 0 || classes > 0 && (targets[0] < 0 || int(targets[0]) >= classes) {
		return
	}
	y := float64(targets[0])
	if g.first == nil {
		g.first, g.firstY = append(g.first, inputs...), y
		g.features, g.products = make([]sums, len(inputs)), make([]float64, len(inputs))
		g.classes, g.ranges = make([][]sums, classes), make([][]span, classes)
	}
	var own []sums
	if classes > 0 {
		if own = g.classes[int(y)]; own == nil {
			own = make([]sums, len(inputs))
			g.classes[int(y)], g.ranges[int(y)] = own, make([]span, len(inputs))
			for i, v := range inputs {
				g.ranges[int(y)][i] = span{v, v}
			}
		}
	}
	class := int(y)
	y -= g.firstY
	g.targets.add(y)
	for i, v := range inputs {
		d := float64(v) - float64(g.first[i])
		g.features[i].add(d)
		g.products[i] += d * y
		if own != nil {
			own[i].add(d)
			r := &g.ranges[class][i]
			r.low, r.high = min(r.low, v), max(r.high, v)
		}
	}
}

// share is how much of feature i and the target are one.
func (g *giveaway) share(i int) float64 {
	f := &g.features[i]
	if f.spread() == 0 {
		return 0
	}
	if len(g.classes) > 0 {
		within := 0.
		for _, own := range g.classes {
			if own != nil {
				within += own[i].spread()
			}
		}
		return 1 - within/f.spread()
	}
	together := g.products[i] - f.one*g.targets.one/g.targets.n
	if y := g.targets.spread(); y > 0 {
		return together * together / (f.spread() * y)
	}
	return 0
}

// separates reports that every class has a range of feature i to itself: a threshold or
// two tell the target.
func (g *giveaway) separates(i int) bool {
	var spans []span
	for _, r := range g.ranges {
		if r != nil {
			spans = append(spans, r[i])
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.low, b.low) })
	for k := 1; k < len(spans); k++ {
		if spans[k].low <= spans[k-1].high {
			return false
		}
	}
	return len(spans) > 1
}

// measureGiveaway records the features that hold the target.
func (x exploration) measureGiveaway() {
	g := &x.gives
	if !g.on || g.targets.n < givesRows || g.targets.spread() == 0 {
		return
	}
	given, apart, most := 0, 0, 0.
	var evidence []string
	for i := range g.features {
		share := g.share(i)
		if math.IsNaN(share) { // NaN among the inputs is for another check
			continue
		}
		separates := g.separates(i)
		if separates {
			apart++
		}
		if most = max(most, share); share < givesMuch {
			if separates {
				evidence = append(evidence, fmt.Sprintf("%s: each class has a range of its values to itself", x.group(i)))
			}
			continue
		}
		evidence = append(evidence, fmt.Sprintf("%s: η² = %s of its variance lies between classes", x.group(i), checks.Number(share)))
		if len(g.classes) == 0 {
			evidence[len(evidence)-1] = fmt.Sprintf("%s: r² = %s with the target", x.group(i), checks.Number(share))
		}
		if share >= givesAway {
			given++
		}
	}
	x.measure(seenGiven, float64(given), x.training().rows)
	x.measure(seenGivenMost, most, x.training().rows)
	x.measure(seenApart, float64(apart), x.training().rows)
	x.measure(seenFeatures, float64(len(g.features)), x.training().rows)
	if len(evidence) > 0 {
		x.find("no-target-in-inputs", record.Verdict{Evidence: evidence[:min(len(evidence), placesNamed)],
			Likely: []string{"the column was made from the target, or is known only after it"},
			Try:    []string{"leave the column out, unless it will be known whenever a prediction is asked for"}})
	}
}

// noGiveaway fails when some features alone decide the target. Where most of them do,
// the data is a toy.
func noGiveaway(s *record.StepRun) record.Verdict {
	given, most, features := value(s, seenGiven, ""), value(s, seenGivenMost, ""), value(s, seenFeatures, "")
	if !finite(most) {
		return without("no features that could be told one by one")
	}
	share := "η²"
	if value(s, seenClasses, "") == 0 {
		share = "r²"
	}
	v := checks.Hold(most < givesMuch, fmt.Sprintf("%s < %g for each", share, givesMuch), checks.Number(most))
	v.Trouble = "an input gives the target away: the network will learn that and nothing else"
	if apart := value(s, seenApart, ""); v.Mark == record.Pass && apart > 0 && 4*apart <= features { // of a few, one may divide the classes by nature
		v.Mark, v.Want, v.Got = record.Warn, "no threshold that tells all classes", fmt.Sprintf("%.0f of %.0f features have one", apart, features)
	}
	if v.Mark == record.Fail && (given == 0 || 2*given > features) {
		v.Mark = record.Warn
	}
	return v
}
