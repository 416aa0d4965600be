package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// measureValues records rows, values that are no numbers, and targets out of range.
func (x exploration) measureValues() {
	var evidence []string
	var bad, values, wrong, leftOut int
	for _, f := range x.stages {
		x.emit(record.Event{Kind: record.Score, Stage: f.name, Name: seenRows, Value: float64(f.rows), Rows: f.rows})
		values += f.values
		bad += f.notFinite.count
		wrong += f.wrong.count
		leftOut += f.leftOut
		evidence = append(evidence, f.notFinite.places...)
		if more := f.notFinite.count - len(f.notFinite.places); more > 0 {
			evidence = append(evidence, fmt.Sprintf("%s: %d more", f.name, more))
		}
	}
	rows := x.allRows()
	x.measure(seenValues, float64(values), rows)
	x.measure(seenNotFinite, float64(bad), rows)
	x.measure(seenClasses, float64(len(x.data.Classes)), rows)
	x.measure(seenWrong, float64(wrong), rows)
	x.measure(seenLeftOut, float64(leftOut), rows)
	x.measure(seenCounted, float64(x.training().positions-x.training().leftOut), rows)
	x.measure(seenFlat, number(x.flatTargets()), rows)
	if bad > 0 {
		x.find("no-nan-or-inf", record.Verdict{Evidence: append(evidence, x.holes()...),
			Likely: []string{"cells of the source are empty, or a value was divided by a deviation of zero"},
			Try:    []string{"look at the rows named above; drop them, or put a number in their place before normalising"}})
	}
	x.findWrongTargets(wrong)
}

// holes names the features that are worst struck by values that are no numbers.
func (x exploration) holes() []string {
	if x.groups < 2 {
		return nil
	}
	struck, worst, most := 0, 0, 0
	f := x.training()
	for g, p := range f.features {
		if n := f.rows*x.span - p.n; n > 0 {
			if struck++; n > most {
				worst, most = g, n
			}
		}
	}
	if struck == 0 {
		return nil
	}
	return []string{fmt.Sprintf("in training %d of %d are struck, most of all %s, in %d of %d values",
		struck, x.groups, x.group(worst), most, f.rows*x.span)}
}

// flatTargets reports a regression whose training targets are all equal.
func (x exploration) flatTargets() bool {
	f := x.training()
	if len(x.data.Classes) > 0 || f.rows < 2 || len(f.targets) == 0 {
		return false
	}
	for _, p := range f.targets {
		if p.n == 0 || p.min != p.max {
			return false
		}
	}
	return true
}

func (x exploration) findWrongTargets(wrong int) {
	if wrong == 0 {
		if f := x.training(); f.positions > 0 && f.leftOut == f.positions {
			x.find("targets-in-range", record.Verdict{
				Evidence: []string{fmt.Sprintf("all %d training targets are negative", f.positions)},
				Likely:   []string{"rows without a label were read with -1 as their class"}, Try: []string{"look at sample-targets.npy"}})
		}
		if x.flatTargets() {
			x.find("targets-in-range", record.Verdict{
				Evidence: []string{fmt.Sprintf("every training target is %v", x.training().targets[0].first)},
				Likely:   []string{"the target is read from a wrong column"}, Try: []string{"look at sample-targets.npy"}})
		}
		return
	}
	v := record.Verdict{Try: []string{"look at sample-targets.npy; class ids are whole numbers that count from 0, negative ones are left out of the loss"}}
	values := []powers{}
	for _, f := range x.stages {
		v.Evidence = append(v.Evidence, f.wrong.places...)
		values = append(values, f.wrongValues)
	}
	all := pool(values)
	v.Evidence = append(v.Evidence, fmt.Sprintf("they lie in %v … %v", all.min, all.max))
	k := float64(len(x.data.Classes))
	switch {
	case all.min == k && all.max == k && x.training().classes[0] == 0:
		v.Likely = []string{"ids count from 1: class 0 never occurs, and the ids out of range are all equal to the number of classes"}
	case all.min != math.Trunc(all.min) || all.max != math.Trunc(all.max):
		v.Likely = []string{"the targets are values of a regression: data for one has no Classes", "the targets were normalised with the inputs"}
	default:
		v.Likely = []string{fmt.Sprintf("Classes names %d classes, and the targets have more", len(x.data.Classes))}
	}
	x.find("targets-in-range", v)
}

func allFinite(s *record.StepRun) record.Verdict {
	bad, values := value(s, seenNotFinite, ""), value(s, seenValues, "")
	v := checks.Hold(bad == 0, "0", fmt.Sprintf("%.0f of %.0f values", bad, values))
	v.Trouble = "the data has values that are NaN or infinite"
	return v
}

func targetsInRange(s *record.StepRun) record.Verdict {
	classes, wrong, leftOut := value(s, seenClasses, ""), value(s, seenWrong, ""), value(s, seenLeftOut, "")
	if classes == 0 {
		v := checks.Hold(value(s, seenFlat, "") == 0, "values that vary", "values that vary")
		if v.Mark == record.Fail {
			v.Got, v.Trouble = "one value", "all targets are equal: there is nothing to learn"
		}
		return v
	}
	want := fmt.Sprintf("ids 0 to %.0f", classes-1)
	v := checks.Hold(wrong == 0, want, "all in range")
	if wrong > 0 {
		v.Got, v.Trouble = fmt.Sprintf("out of range: %.0f", wrong), fmt.Sprintf("some targets are no id of the %.0f classes", classes)
	}
	if counted := value(s, seenCounted, ""); counted == 0 {
		v = checks.Hold(false, want, "negative ids only")
		v.Trouble = "all training targets are negative, which leaves them out of the loss: there is nothing to learn"
	}
	if leftOut > 0 {
		v.Note = fmt.Sprintf("%.0f are left out", leftOut)
	}
	return v
}
