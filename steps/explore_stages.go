package steps

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// shift is how a feature of one stage differs from training.
type shift struct {
	feature, stage string
	train, other   powers
	by             float64 // difference of means, in deviations within the stages
	factor         float64 // ratio of deviations, other to training
	excess         float64 // > 0: beyond what chance explains; for sorting
}

// measureStages compares inputs and targets of every stage with training.
func (x exploration) measureStages() {
	if len(x.stages) < 2 {
		return
	}
	x.measureDrift()
	if x.data.Tokens > 0 {
		return
	}
	var shifted []shift
	judged, by, factor := 0, 0., 1.
	for _, f := range x.stages[1:] {
		all := x.shifts(f)
		judged += len(all)
		for _, s := range all {
			by, factor = max(by, s.by), max(factor, s.factor, 1/s.factor)
			if s.excess > 0 {
				shifted = append(shifted, s)
			}
		}
	}
	if judged == 0 {
		return
	}
	x.measure(seenShift, by, x.allRows())
	x.measure(seenSpread, factor, x.allRows())
	x.measure(seenShifted, float64(len(shifted)), x.allRows())
	if len(shifted) == 0 {
		return
	}
	slices.SortStableFunc(shifted, func(a, b shift) int {
		switch {
		case a.excess > b.excess:
			return -1
		case a.excess < b.excess:
			return 1
		}
		return 0
	})
	v := record.Verdict{Files: []string{"data-card.md"}, Try: []string{"normalise all stages by mean and deviation of training (datasets.Normalize), and read them with the same code",
		"if the stages are meant to differ, as years do, raise MaxShift and MaxSpread of this step"}}
	for _, s := range shifted[:min(len(shifted), placesNamed)] {
		v.Evidence = append(v.Evidence, fmt.Sprintf("%s: training %s; %s %s", s.feature, s.train.String(), s.stage, s.other.String()))
	}
	v.Evidence = append(v.Evidence, fmt.Sprintf("%d of %d comparisons are off", len(shifted), judged))
	v.Likely = x.shiftCauses(shifted, judged)
	x.find("inputs-alike", v)
}

// shifts compares each feature that is not sparse, and all together. The
// allowance for chance is z standard errors, z growing with the number of
// features compared: 1/√n of a deviation for the mean, √((κ−1)/4n) for the
// logarithm of the deviation, κ being the kurtosis.
func (x exploration) shifts(f *stageFacts) []shift {
	training := x.training()
	if training.rows < leastForDeviation {
		return nil
	}
	var names []string
	var pairs [][2]powers
	if x.groups != 1 {
		names, pairs = []string{"all inputs"}, [][2]powers{{pool(training.features), pool(f.features)}}
	}
	for g := range training.features {
		if x.groups > 1 && !x.picture && training.features[g].sparse() {
			continue
		}
		names = append(names, x.group(g))
		pairs = append(pairs, [2]powers{training.features[g], f.features[g]})
	}
	z := 3 + math.Sqrt(2*math.Log(float64(len(pairs))))
	apart := 1/float64(training.rows) + 1/float64(f.rows)
	var found []shift
	for i, p := range pairs {
		t, o := p[0], p[1]
		if t.n == 0 || o.n == 0 || t.min == t.max {
			continue
		}
		s := shift{feature: names[i], stage: f.name, train: t, other: o, factor: 1}
		s.by = math.Abs(o.mean()-t.mean()) / within(t, o)
		s.excess = s.by - x.MaxShift - z*math.Sqrt(apart)
		if min(training.rows, f.rows) >= leastForSpread {
			s.factor = o.std() / t.std()
			allowed := math.Log(max(x.MaxSpread, 1)) + z*math.Sqrt(max(t.kurtosis()-1, o.kurtosis()-1, 2)/4*apart)
			s.excess = max(s.excess, math.Abs(math.Log(s.factor))-allowed)
		}
		found = append(found, s)
	}
	return found
}

// Numbers of rows below which a deviation says nothing, and below which two of
// them cannot be compared.
const leastForDeviation, leastForSpread = 10, 20

// within is the deviation within the stages: from few rows of training alone it
// may come out far too small.
func within(t, o powers) float64 {
	return math.Sqrt((float64(t.n)*t.moment2() + float64(o.n)*o.moment2()) / float64(t.n+o.n))
}

func (x exploration) shiftCauses(shifted []shift, judged int) []string {
	worst := shifted[0]
	t, o := worst.train, worst.other
	standard := func(p powers) bool { return math.Abs(p.mean()) < 0.2 && math.Abs(p.std()-1) < 0.2 }
	// A division of everything keeps the ratio of mean to deviation.
	const bytes = 255
	near := func(r float64) bool { return math.Abs(math.Log(r)) < 0.25 }
	switch {
	case near(worst.factor * bytes):
		return []string{fmt.Sprintf("%s was divided by 255 and training was not (or once less)", worst.stage)}
	case near(worst.factor / bytes):
		return []string{fmt.Sprintf("training was divided by 255 and %s was not", worst.stage)}
	case standard(t) && !standard(o):
		return []string{fmt.Sprintf("training is normalised, and %s is not, or not by the same numbers", worst.stage)}
	case standard(o) && !standard(t):
		return []string{fmt.Sprintf("%s is normalised, and training is not, or not by the same numbers", worst.stage)}
	case o.min == o.max:
		return []string{fmt.Sprintf("%s is empty in %s, or filled with a default", worst.feature, worst.stage)}
	case 2*len(shifted) > judged:
		return []string{"the stages are normalised differently", "the split follows a feature: rows were sorted by it", "the stages come from different sources"}
	}
	return []string{fmt.Sprintf("%s is read or normalised differently in %s", worst.feature, worst.stage),
		"the split follows a feature: rows were sorted by it", "the stages come from different sources"}
}

func (e ExploreData) inputsAlike(s *record.StepRun) record.Verdict {
	switch {
	case !elsewhere(s):
		return without("there is only training data")
	case value(s, seenVocabulary, "") > 0:
		return without("the inputs are token ids")
	}
	shifted, by, factor := value(s, seenShifted, ""), value(s, seenShift, ""), value(s, seenSpread, "")
	if !finite(shifted) {
		return without("too few rows to compare")
	}
	v := checks.Hold(shifted == 0,
		fmt.Sprintf("≤ %s std, ≤ factor %s, and chance", checks.Number(e.MaxShift), checks.Number(e.MaxSpread)),
		fmt.Sprintf("%.2g std, factor %.3g", by, factor))
	v.Trouble = "the inputs of another stage lie elsewhere than those of training: the network is judged on what it was not trained for"
	return v
}

// measureDrift compares the targets. For classes it is Cramér's V of a table of
// stage by class with both stages weighing the same: √(½ Σ (p−q)²/(p+q)).
func (x exploration) measureDrift() {
	training := x.training()
	drift, limit, excess := 0., 0., math.Inf(-1)
	var evidence []string
	for _, f := range x.stages[1:] {
		apart := 1/float64(training.rows) + 1/float64(f.rows)
		d, l, words := 0., 0., ""
		if len(x.data.Classes) > 0 {
			d, l, words = x.classDrift(f, apart)
		} else {
			d, l, words = x.targetDrift(f, apart)
		}
		if words == "" {
			continue
		}
		if d > l {
			evidence = append(evidence, words)
		}
		if d-l > excess {
			drift, limit, excess = d, l, d-l
		}
	}
	if math.IsInf(excess, -1) {
		return
	}
	x.measure(seenDrift, drift, x.allRows())
	x.measure(seenDriftLimit, limit, x.allRows())
	if len(evidence) > 0 {
		v := record.Verdict{Evidence: evidence, Files: []string{"class-counts.png"},
			Likely: []string{"the split does not keep the shares of the classes", "the stages come from different sources"},
			Try:    []string{"split by class (datasets.Split does), or judge by metrics that do not depend on the shares, as balanced accuracy"}}
		if len(x.data.Classes) == 0 {
			v.Files, v.Likely = []string{"data-card.md"}, []string{"targets are scaled in one stage and not in the other", "the split follows the target: rows were sorted by it"}
			v.Try = []string{"scale the targets of all stages alike, and put rows in a random order before splitting"}
		}
		x.find("targets-alike", v)
	}
}

func (x exploration) classDrift(f *stageFacts, apart float64) (drift, limit float64, words string) {
	p, q := shares(x.counts(x.training())), shares(x.counts(f))
	worst, square, seen := 0, 0., 0
	for id := range p {
		if p[id]+q[id] == 0 {
			continue
		}
		seen++
		square += (p[id] - q[id]) * (p[id] - q[id]) / (p[id] + q[id]) / 2
		if math.Abs(p[id]-q[id]) > math.Abs(p[worst]-q[worst]) {
			worst = id
		}
	}
	if seen == 0 || math.IsNaN(square) {
		return 0, 0, ""
	}
	// Of stages alike, square is distributed as χ² with seen−1 degrees of freedom
	// times apart/4. Its quantile 0.999 after Wilson and Hilferty (1931).
	df := float64(max(seen-1, 1))
	quantile := df * math.Pow(1-2/(9*df)+3.09*math.Sqrt(2/(9*df)), 3)
	limit = math.Sqrt(x.MaxDrift*x.MaxDrift + apart/4*quantile)
	words = fmt.Sprintf("%q is %s of training and %s of %s", x.data.Classes[worst], percent(p[worst]), percent(q[worst]), f.name)
	return math.Sqrt(square), limit, words
}

func shares(counts []float64) []float64 {
	total := 0.
	for _, n := range counts {
		total += n
	}
	s := make([]float64, len(counts))
	for i, n := range counts {
		s[i] = n / total
	}
	return s
}

// targetDrift is the largest distance of means of a regression's targets.
func (x exploration) targetDrift(f *stageFacts, apart float64) (drift, limit float64, words string) {
	for j, t := range x.training().targets {
		o := f.targets[j]
		if t.n == 0 || o.n == 0 || t.min == t.max {
			continue
		}
		if d := math.Abs(o.mean()-t.mean()) / within(t, o); words == "" || d > drift {
			drift = d
			words = fmt.Sprintf("target %d: training mean %s, std %s; %s mean %s", j, checks.Number(t.mean()), checks.Number(t.std()), f.name, checks.Number(o.mean()))
		}
	}
	z := 3 + math.Sqrt(2*math.Log(float64(len(f.targets)+1)))
	return drift, x.MaxShift + z*math.Sqrt(apart), words
}

func targetsAlike(s *record.StepRun) record.Verdict {
	drift, limit := value(s, seenDrift, ""), value(s, seenDriftLimit, "")
	if !finite(drift) {
		return without("there is nothing to compare")
	}
	measured := "Cramér's V "
	if value(s, seenClasses, "") == 0 {
		measured = "shift in std "
	}
	v := checks.Hold(drift <= limit, "≤ "+checks.Number(limit), measured+checks.Number(drift))
	v.Trouble = "the targets of another stage are distributed otherwise than in training"
	return v
}
