package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// measureTwins records rows with equal inputs: within training, and between
// training and the other stages.
func (x exploration) measureTwins() {
	t := findTwins(x.keys, len(x.stages))
	rows := x.training().rows
	repeated, conflicting := float64(t.repeated)/float64(rows), float64(t.conflicting)/float64(rows)
	byChance := x.discrete() && !t.copied()
	x.measure(seenDiscrete, number(byChance), rows)
	x.measure(seenDuplicates, repeated, rows)
	x.measure(seenConflicts, conflicting, rows)
	if t.repeated > 0 {
		x.find("no-duplicates", record.Verdict{
			Evidence: someRows(t.repeats, func(g []rowKey) string { return fmt.Sprintf("training rows %s are equal", rowNumbers(g)) }),
			Likely:   []string{"files were put together twice, or rows were repeated to balance classes"},
			Try:      []string{"drop repeated rows before splitting; to balance classes, weigh them (train.Loss.ClassWeights)"}})
	}
	if t.conflicting > 0 {
		x.find("no-conflicting-targets", record.Verdict{
			Evidence: append(someRows(t.conflicts, func(g []rowKey) string {
				return fmt.Sprintf("training rows %s have equal inputs and different targets", rowNumbers(g))
			}), fmt.Sprintf("no network can fit more than %s of the training rows", percent(1-conflicting))),
			Likely: []string{"rows were labelled more than once, by people who disagree", "a feature that tells the rows apart is missing"},
			Try:    []string{"look at the rows named above and settle their targets, or drop them"}})
	}
	if len(x.stages) > 1 {
		x.measureLeakage(t, byChance)
	}
}

// measureLeakage records the stage of which most is in training. Where rows
// repeat by chance, the share of training rows that have a twin in training is
// what chance explains for rows drawn alike (Good and Turing: a new row is unseen with
// the probability of a row that occurs once).
func (x exploration) measureLeakage(t twins, byChance bool) {
	chance := 0.
	if byChance {
		chance = 1 - float64(t.single)/float64(x.training().rows)
	}
	worst, share, limit := 0, math.Inf(-1), 0.
	for i, f := range x.stages {
		if i == 0 {
			continue
		}
		n := float64(f.rows)
		l := chance + x.MaxLeakage + 4*math.Sqrt(chance*(1-chance)/n)
		if s := float64(t.leaked[i]) / n; s-l > share-limit {
			worst, share, limit = i, s, l
		}
	}
	f := x.stages[worst]
	x.measure(seenLeaked, share, f.rows)
	x.measure(seenLeakedRows, float64(t.leaked[worst]), f.rows)
	x.measure(seenLeakLimit, limit, f.rows)
	x.measure(seenChance, chance, f.rows)
	if len(t.leaks) == 0 {
		return
	}
	v := record.Verdict{Evidence: someRows(t.leaks, func(g []rowKey) string {
		return fmt.Sprintf("%s row %d is training row %d", x.stages[g[1].stage].name, g[1].row, g[0].row)
	})}
	repeated := float64(t.repeated) / float64(x.training().rows)
	switch {
	case share >= 0.99 && f.rows == x.training().rows:
		v.Likely = []string{fmt.Sprintf("%s is the training data: the same source, or the same files", f.name)}
		v.Try = []string{fmt.Sprintf("give %s rows of its own (datasets.Split)", f.name)}
	case share <= x.MaxLeakage:
		v.Likely = []string{"the data holds equal rows, and the split put them on both sides", "rows were copied into training after the split"}
		v.Try = []string{"drop repeated rows before splitting, or keep them together (datasets.SplitBy)"}
	case repeated > x.MaxDuplicates && chance == 0:
		v.Likely = []string{fmt.Sprintf("the data was split with duplicates in it: %s of the training rows repeat another too", percent(repeated))}
		v.Try = []string{"drop repeated rows before splitting, or keep them together (datasets.SplitBy)"}
	default:
		v.Likely = []string{"rows were copied into training after the split, or the stages were read from files that overlap"}
		v.Try = []string{"split first, and do everything else to each part by itself"}
	}
	x.find("no-leakage", v)
}

// chanceNote is the remark on rows that repeat by nature.
const chanceNote = "rows of so few values repeat by chance"

func (e ExploreData) noDuplicates(s *record.StepRun) record.Verdict {
	share := value(s, seenDuplicates, "")
	v := checks.Hold(share <= e.MaxDuplicates, "≤ "+percent(e.MaxDuplicates), percent(share)+" repeat another")
	v.Trouble = percent(share) + " of the training rows repeat another"
	if value(s, seenDiscrete, "") == 1 {
		v.Mark, v.Want, v.Note = record.Pass, "", chanceNote
	}
	return v
}

func (e ExploreData) noConflicts(s *record.StepRun) record.Verdict {
	share := value(s, seenConflicts, "")
	v := checks.Hold(share == 0, "0", percent(share)+" of the training rows")
	v.Trouble = percent(share) + " of the training rows contradict rows with the same inputs"
	switch {
	case share == 0:
	case value(s, seenDiscrete, "") == 1:
		v.Mark, v.Want, v.Note = record.Pass, "", chanceNote
	case share <= e.MaxConflicts || value(s, seenClasses, "") == 0:
		v.Mark = record.Warn
	}
	return v
}

// fewLeaks is the number of rows that two stages may share whatever their share:
// real data has duplicates.
const fewLeaks = 2

func noLeakage(s *record.StepRun) record.Verdict {
	leaked, ok := s.Score(seenLeakedRows, "")
	if !ok {
		return without("there is only training data")
	}
	share, limit, chance := value(s, seenLeaked, ""), value(s, seenLeakLimit, ""), value(s, seenChance, "")
	v := checks.Hold(leaked.Value == 0, "0", fmt.Sprintf("%.0f of %d rows", leaked.Value, leaked.Rows))
	v.Trouble = "rows that are to judge the network are also in training: their score is too good"
	switch {
	case leaked.Value == 0:
	case leaked.Value > fewLeaks && share > limit:
		v.Want = "≤ " + percent(limit)
		v.Got += ", " + percent(share)
	case chance > 0:
		v.Mark, v.Want, v.Note = record.Pass, "", chanceNote
	default:
		v.Mark = record.Warn
	}
	return v
}
