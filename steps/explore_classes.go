package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// measureClasses records which classes there are, and how frequent.
func (x exploration) measureClasses() {
	k := len(x.data.Classes)
	if k == 0 {
		return
	}
	training := x.counts(x.training())
	var missing, evidence []string
	rare, common, total := 0, 0, 0.
	for id, n := range training {
		total += n
		if n == 0 {
			missing = append(missing, fmt.Sprintf("%q (id %d)", x.data.Classes[id], id))
		}
		if n < training[rare] {
			rare = id
		}
		if n > training[common] {
			common = id
		}
	}
	fresh := 0.
	for _, f := range x.stages[1:] {
		for id, n := range x.counts(f) {
			if n > 0 && training[id] == 0 {
				fresh += n
				evidence = append(evidence, fmt.Sprintf("%q (id %d): %.0f in %s, none in training", x.data.Classes[id], id, n, f.name))
			}
		}
	}
	x.measure(seenMissing, float64(len(missing)), x.training().rows)
	x.measure(seenNew, fresh, x.allRows())
	x.measure(seenTokenTargets, number(x.tokenTargets()), x.allRows())
	likely := []string{"the rows were sorted by class when they were split, or a part of the files was not read"}
	if len(missing) > 0 {
		x.find("classes-in-training", record.Verdict{Evidence: []string{"no training row has " + list(missing)}, Likely: likely,
			Try: []string{"shuffle before splitting, or split by class (datasets.Split does both); take classes that do not exist out of Classes"}})
	}
	if fresh > 0 {
		x.find("no-new-classes", record.Verdict{Evidence: evidence[:min(len(evidence), placesNamed)], Likely: likely,
			Try: []string{"shuffle before splitting, or split by class (datasets.Split does both)"}})
	}
	if k < 2 || total == 0 {
		return
	}
	entropy := 0.
	for _, n := range training {
		if n > 0 {
			entropy -= n / total * math.Log(n/total)
		}
	}
	x.measure(seenPerplexity, (math.Exp(entropy)-1)/float64(k-1), x.training().rows)
	x.measure(seenRarest, training[rare]/training[common], x.training().rows)
	x.find("classes-balanced", record.Verdict{
		Evidence: []string{
			fmt.Sprintf("commonest: %q with %.0f of %.0f, which is the accuracy of always guessing it: %s", x.data.Classes[common], training[common], total, percent(training[common]/total)),
			fmt.Sprintf("rarest: %q with %.0f", x.data.Classes[rare], training[rare])},
		Likely: []string{"some classes are rare where the data comes from"},
		Try:    []string{"judge by balanced accuracy or F1 rather than accuracy; weigh the classes (train.Loss.ClassWeights), or find more of the rare ones"},
		Files:  []string{"class-counts.png"}})
}

func classesInTraining(s *record.StepRun) record.Verdict {
	classes, missing := value(s, seenClasses, ""), value(s, seenMissing, "")
	if classes == 0 {
		return without("a regression has no classes")
	}
	v := checks.Hold(missing == 0, fmt.Sprintf("%.0f classes", classes), fmt.Sprintf("%.0f", classes-missing))
	v.Trouble = "some classes do not occur in training"
	return vocabulary(s, v)
}

func noNewClasses(s *record.StepRun) record.Verdict {
	fresh := value(s, seenNew, "")
	switch {
	case value(s, seenClasses, "") == 0:
		return without("a regression has no classes")
	case !elsewhere(s):
		return without("there is only training data")
	}
	v := checks.Hold(fresh == 0, "0", fmt.Sprintf("%.0f targets", fresh))
	v.Trouble = "some targets are of a class that training does not have"
	return vocabulary(s, v)
}

// vocabulary softens the verdict where classes are tokens: some of them are
// rare by nature, and one that begins a text never comes next.
func vocabulary(s *record.StepRun, v record.Verdict) record.Verdict {
	if v.Mark == record.Fail && value(s, seenTokenTargets, "") == 1 {
		v.Mark, v.Note = record.Warn, "the classes are a vocabulary"
	}
	return v
}

func (e ExploreData) balanced(s *record.StepRun) record.Verdict {
	perplexity, rarest := value(s, seenPerplexity, ""), value(s, seenRarest, "")
	switch {
	case value(s, seenTokenTargets, "") == 1:
		return without("the classes are a vocabulary")
	case !finite(perplexity):
		return without("there are no two classes")
	}
	v := checks.Hold(perplexity >= e.MinPerplexity && rarest >= e.MinRarest,
		fmt.Sprintf("perplexity ≥ %g, rarest/commonest ≥ %g", e.MinPerplexity, e.MinRarest),
		fmt.Sprintf("%s, %s", checks.Number(perplexity), checks.Number(rarest)))
	v.Trouble = "some classes are much rarer than others: a network can score well without them"
	return v
}

// elsewhere reports that there are stages beside training.
func elsewhere(s *record.StepRun) bool {
	return finite(value(s, seenRows, "validation")) || finite(value(s, seenRows, "test"))
}
