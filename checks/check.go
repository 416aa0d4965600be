package checks

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

// Check judges a step by what was recorded of it.
type Check struct {
	// Name is the name of the subtest: lower case letters, digits, dots and
	// dashes, so that -run takes it as it is. Unique within a step.
	Name string
	// Claim is what is promised, in words. Default: the name, dashes as spaces.
	Claim string
	// Reads lists the whole-set scores the check needs. That the step measures
	// them is verified before it runs.
	Reads []Ref
	// History asks for record.Run.Earlier, which is read from the disk.
	History bool
	// Seeds is the number of seeds that the step is run with, 0 for one. It is set by
	// the function Seeds.
	Seeds int
	// Judge returns the verdict. Fields Check and Claim are filled in from above
	// when empty; an empty Mark fails.
	Judge func(*record.StepRun) record.Verdict
	// Warning reports without failing.
	Warning bool

	one *Check // of each seed, where there are several
	err error  // why it cannot be used
}

// Ref names a whole-set score: a metric on a stage.
type Ref struct{ Metric, Stage string }

var valid = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

// Err reports a check that cannot be used.
func (c Check) Err() error {
	switch {
	case c.err != nil:
		return c.err
	case c.Name == "":
		return fmt.Errorf("a check has no name: set checks.Check.Name")
	case !valid.MatchString(c.Name):
		return fmt.Errorf("check %q: a name has only a-z, 0-9, dots and dashes, as %q", c.Name, Slug(c.Name))
	case c.Judge == nil:
		return fmt.Errorf("check %q has no function: set checks.Check.Judge", c.Name)
	}
	return nil
}

// Run judges the step and fills in what the check knows.
func (c Check) Run(s *record.StepRun) record.Verdict {
	v := c.Judge(s)
	if v.Check = c.Name; v.Claim == "" {
		v.Claim = c.claim()
	}
	if v.Mark == record.Pass { // what would be said of a failure is not true
		v.Trouble, v.Evidence, v.Likely, v.Try, v.Files = "", nil, nil, nil, nil
	}
	if v.Mark == "" || c.Warning && v.Mark == record.Fail {
		v.Mark = record.Fail
		if c.Warning {
			v.Mark = record.Warn
		}
	}
	return v
}

func (c Check) claim() string {
	if c.Claim != "" {
		return c.Claim
	}
	return strings.ReplaceAll(c.Name, "-", " ")
}

// Warn makes a check that reports without failing.
func Warn(c Check) Check {
	c.Warning = true
	return c
}

// Hold is the verdict of a condition: pass when ok, fail when not.
func Hold(ok bool, want, got string) record.Verdict {
	v := record.Verdict{Mark: record.Fail, Want: want, Got: got}
	if ok {
		v.Mark = record.Pass
	}
	return v
}

// Slug makes a name of any words: lower case, everything but the letters a-z,
// digits and dots a dash, none of them at the beginning. Words without letters
// and digits give "".
func Slug(words string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(words) {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' && b.Len() > 0 {
			if dash && b.Len() > 0 {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			dash = false
		} else {
			dash = true
		}
	}
	return b.String()
}

// Number writes a value as people read it: whole numbers as they are, others with
// about four significant digits.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case v == math.Trunc(v) && a < 1e6:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a < 1e-4 || a >= 1e6:
		return strconv.FormatFloat(v, 'e', 2, 64)
	case a >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.1:
		return strconv.FormatFloat(v, 'f', 3, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// Duration writes a time as people read it, with its unit; none is a dash.
func Duration(d time.Duration) string {
	switch {
	case d <= 0:
		return "-"
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}
