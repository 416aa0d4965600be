package loggers

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

// Console writes a line for every score, verdict, finding, artifact and text, and
// for the begin and end of steps and runs; never for scalars, of which there is one an
// iteration. A line break inside a text becomes a space.
type Console struct {
	// W is written to; nil is standard output.
	W io.Writer

	out output
	buf []byte
}

// Emit writes the line of the event, if it has one.
func (c *Console) Emit(e record.Event) error {
	var fallback io.Writer = os.Stdout
	if c.W != nil {
		fallback = c.W
	}
	if _, err := c.out.open(fallback, ""); err != nil {
		return lost("console", &e, err)
	}
	line := describe(&e)
	if line == "" {
		return nil
	}
	c.buf = append(append(c.buf[:0], oneLine.Replace(line)...), '\n')
	if err := c.out.write(c.buf); err != nil {
		return lost("console", &e, err)
	}
	return nil
}

// Close ends the output; W stays open.
func (c *Console) Close() error { return c.out.close() }

var oneLine = strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ", "\x1b", "", "\x00", "")

// describe is the event in a line for people; empty for what they should not
// read one by one.
func describe(e *record.Event) string {
	switch e.Kind {
	case record.RunStart:
		return nameRun(e.Text, e.Name)
	case record.RunEnd:
		return fmt.Sprintf("run ended: %s after %s", e.Outcome, e.Duration.Round(time.Millisecond))
	case record.StepStart:
		return join(e.Step, e.Model)
	case record.StepEnd:
		return join(e.Step, join(string(e.Outcome), e.Text))
	case record.Score:
		line := fmt.Sprintf("%s = %.6g", join(e.Step, e.Trial, e.Stage, e.Name), e.Value)
		if e.Iteration > 0 {
			line += fmt.Sprintf("  (epoch %d, iteration %d)", e.Epoch, e.Iteration)
		}
		return line
	case record.Text:
		return join(e.Step, e.Name, e.Text)
	case record.ArtifactSaved:
		if e.Artifact != nil {
			return join(e.Step, "saved "+e.Artifact.Path)
		}
	case record.Found:
		if e.Verdict != nil {
			return describeFinding(e)
		}
	case record.Judged:
		if e.Verdict != nil {
			return join(e.Step, verdict(e.Verdict))
		}
	}
	return ""
}

// describeFinding is evidence in a line.
// nameRun names a run, which may be of no recipe.
func nameRun(run, recipe string) string {
	if recipe == "" {
		return "run " + run
	}
	return "run " + run + " of " + recipe
}

func describeFinding(e *record.Event) string {
	return join(e.Step, e.Trial, "found "+e.Name, strings.Join(e.Verdict.Evidence, "; "))
}

func verdict(v *record.Verdict) string {
	claim := v.Claim
	if v.Mark != record.Pass && v.Trouble != "" {
		claim = v.Trouble
	}
	if claim == "" {
		claim = v.Check
	}
	line := strings.ToUpper(string(v.Mark)) + " " + claim
	if v.Want != "" {
		line += "  want " + v.Want
	}
	if v.Got != "" {
		line += "  got " + v.Got
	}
	if v.Note != "" {
		line += "  " + v.Note
	}
	return line
}

func join(parts ...string) string {
	var filled []string
	for _, p := range parts {
		if p != "" {
			filled = append(filled, p)
		}
	}
	return strings.Join(filled, ": ")
}
