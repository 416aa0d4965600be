package steps

import (
	"fmt"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

const (
	rowsAClass = 10 // of training, at the least
	rowsToTest = 20 // of another stage: fewer move a share in steps of 5 percent and more
)

// measureSizes records what is remarkable about the numbers of rows.
func (x exploration) measureSizes() {
	training := x.training()
	var odd, wrong []string
	groups := 1
	if !x.tokenTargets() {
		groups = max(len(x.data.Classes), 1)
	}
	if training.rows < rowsAClass*groups {
		odd = append(odd, fmt.Sprintf("training has %d rows for %d classes: fewer than %d each", training.rows, groups, rowsAClass))
		if groups == 1 {
			odd[0] = fmt.Sprintf("training has %d rows: fewer than %d", training.rows, rowsAClass)
		}
	}
	for _, f := range x.stages {
		if f.name != train.Training && f.rows > training.rows {
			odd = append(odd, fmt.Sprintf("%s has %d rows, training only %d", f.name, f.rows, training.rows))
		}
		if f.name != train.Training && f.rows < rowsToTest {
			odd = append(odd, fmt.Sprintf("%s has %d rows: a share moves in steps of %s", f.name, f.rows, percent(1/float64(f.rows))))
		}
		if said, ok := x.data.Sizes[f.name]; ok && said != f.rows {
			wrong = append(wrong, fmt.Sprintf("%s has %d rows by train.Data.Sizes, and one pass yields %d", f.name, said, f.rows))
		}
	}
	x.measure(seenOddSizes, float64(len(odd)), x.allRows())
	x.measure(seenBadSizes, float64(len(wrong)), x.allRows())
	if len(odd)+len(wrong) == 0 {
		return
	}
	v := record.Verdict{Evidence: append(wrong, odd...)}
	if len(wrong) > 0 {
		v.Likely = []string{"the source drops the last batch when it is not full, or skips rows that it cannot read", "the source was replaced, and Sizes was not"}
		v.Try = []string{"yield every row in every pass: a score must be about the whole set"}
	} else {
		v.Try = []string{"find more data, or read scores with their resolution in mind"}
	}
	x.find("sizes", v)
}

func sizesFit(s *record.StepRun) record.Verdict {
	v := record.Verdict{Mark: record.Pass, Want: fmt.Sprintf("≥ %d a class, ≥ %d to judge by", rowsAClass, rowsToTest)}
	for _, stage := range []string{train.Training, train.Validation, train.Test} {
		if n := value(s, seenRows, stage); finite(n) {
			if v.Got != "" {
				v.Got += ", "
			}
			v.Got += fmt.Sprintf("%s %.0f", stage, n)
		}
	}
	if value(s, seenOddSizes, "") > 0 {
		v.Mark, v.Trouble = record.Fail, "a stage has few rows"
	}
	if value(s, seenBadSizes, "") > 0 {
		v.Mark, v.Trouble = record.Fail, "a pass does not yield the rows that the data says it has"
	}
	if !elsewhere(s) {
		v.Note = "nothing held back for validation"
	}
	return v
}
