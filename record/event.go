package record

import "time"

// Schema is the version of the event format that this package writes. Readers
// read every version up to it.
const Schema = 1

// Kind says what an event is about.
type Kind string

// The kinds of events, with the fields that carry them beside Seq, Time and Kind.
const (
	// RunStart opens a run: Name (recipe), Text (run id), Settings (the
	// environment; "directory" is the absolute path that artifacts' paths begin at).
	RunStart Kind = "run-start"
	// RunEnd closes it: Outcome, Duration.
	RunEnd Kind = "run-end"
	// StepStart opens a step: Step, Model, Settings (of the step),
	// Text (the run that its result is taken from, if it does not run).
	StepStart Kind = "step-start"
	// StepEnd closes it: Step, Outcome, Duration, Text (the reason when it did not pass).
	StepEnd Kind = "step-end"
	// Scalar is one number of an iteration: Step, Trial, Stage, Name, Iteration, Epoch, Value.
	Scalar Kind = "scalar"
	// Score is a number about a whole set of data: as Scalar; Rows is the size of the set.
	Score Kind = "score"
	// Vector is several numbers at once: as Scalar, with Values, and Shape if it
	// has more than one axis.
	Vector Kind = "vector"
	// Text is a line of output: Step, Name, Text.
	Text Kind = "text"
	// ArtifactSaved names a file: Step, Artifact.
	ArtifactSaved Kind = "artifact"
	// Judged is what a check said: Step, Verdict.
	Judged Kind = "verdict"
	// Found is evidence that a step measured for its checks to quote: Step, Trial,
	// Name (what kind of trouble), Verdict with Evidence, Likely and Try.
	Found Kind = "finding"
)

// Outcome is how a step or a run ended.
type Outcome string

// The outcomes. The empty outcome means that it has not ended, or was killed.
const (
	Passed  Outcome = "pass"
	Failed  Outcome = "fail"
	Skipped Outcome = "skip"
	// Broken means that an error or a panic ended it before it could be judged.
	Broken Outcome = "broken"
)

// Event is one thing that happened. It is flat: Kind says which fields count.
// All text is UTF-8; bytes that are not are U+FFFD in an event file.
type Event struct {
	// Seq counts the events of a run from 1, without gaps.
	Seq  int64
	Time time.Time
	Kind Kind
	// Step is the name of the step, empty for what concerns the run.
	Step string
	// Trial tells apart what one step does more than once: a variant of
	// Regularize, a phase of TransferLearning, a baseline. Empty if it does not.
	Trial string
	// Model is the name of the model.
	Model string
	// Stage is "training", "validation" or "test"; empty if none.
	Stage string
	// Name of the metric, text or recipe.
	Name string
	// Iteration and Epoch count from 0, over the whole trial.
	Iteration, Epoch int
	// Value may be NaN or infinite; it is read back bit for bit, but for the
	// payload of a NaN.
	Value float64
	// Values is row-major of the given Shape; a nil shape is one axis.
	Values []float64
	Shape  []int
	// Rows is the number of rows that a score covers.
	Rows int
	Text string
	// Settings are written in the order of their names.
	Settings map[string]string
	Verdict  *Verdict
	Artifact *Artifact
	Outcome  Outcome
	Duration time.Duration
}

// Artifact is a file that a run left for people and tools.
type Artifact struct {
	// Name within the step, like "batch.png".
	Name string `json:"name"`
	// Path is relative to the directory of the run, with slashes.
	Path string `json:"path"`
	// Kind is "tensor", "picture", "plot", "weights", "data" or "text".
	Kind   string `json:"kind"`
	Shape  []int  `json:"shape,omitempty"`
	DType  string `json:"dtype,omitempty"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Mark is what a check concludes.
type Mark string

// The marks. A warning is a check that did not hold but was asked not to fail.
const (
	Pass Mark = "pass"
	Warn Mark = "warn"
	Fail Mark = "fail"
)

// Verdict is what a check says about a step: what was promised, what was
// found, and what to do about it.
type Verdict struct {
	// Check is the name of the check: lower case letters, digits, dots, dashes.
	Check string `json:"check"`
	Mark  Mark   `json:"mark"`
	// Claim is what is promised, in words: "loss starts at ln K".
	Claim string `json:"claim,omitempty"`
	// Want and Got are short: "1.099 ± 0.110" and "1.083".
	Want string `json:"want,omitempty"`
	Got  string `json:"got,omitempty"`
	// Note is a remark: where, or after how many iterations.
	Note string `json:"note,omitempty"`
	// Trouble is the claim's opposite, in one sentence, for a failure.
	Trouble string `json:"trouble,omitempty"`
	// Evidence is what was measured; Likely are causes, the likeliest first; Try
	// is what to do about them.
	Evidence []string `json:"evidence,omitempty"`
	Likely   []string `json:"likely,omitempty"`
	Try      []string `json:"try,omitempty"`
	// Files names artifacts that show the trouble.
	Files []string `json:"files,omitempty"`
}
