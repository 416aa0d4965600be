package recordtest

import (
	"math"
	"time"

	"github.com/actually-robust-training/art/record"
)

// start is the time of the first event of [Example].
var start = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// Example returns what a whole recipe leaves: every kind of event with every
// field in use, checks that pass, warn and fail, two trials of one step, a step
// that broke, one that was skipped, and a loss that becomes NaN. It is the same
// at every call, on every machine, and the caller's to change.
func Example() []record.Event {
	x := &example{}
	x.add(record.Event{Kind: record.RunStart, Name: "iris", Text: "7Q2K", Settings: map[string]string{
		"seed": "1", "go": "go1.26", "rows": "150", "command": `go test -run 'TestIris' -v`,
	}})
	x.explore()
	x.baseline()
	x.lossOnInit()
	x.overfit()
	x.regularize()
	x.transfer()
	x.add(record.Event{Kind: record.StepStart, Step: "squeeze", Model: "mlp"})
	x.end("squeeze", record.Skipped, "needs transfer-learning, which broke")
	x.add(record.Event{Kind: record.RunEnd, Outcome: record.Failed, Duration: 310 * time.Millisecond})
	return x.events
}

type example struct{ events []record.Event }

// add numbers the event; one comes every millisecond and a bit.
func (x *example) add(e record.Event) {
	e.Seq = int64(len(x.events) + 1)
	e.Time = start.Add(time.Duration(e.Seq-1) * 1_000_001)
	x.events = append(x.events, e)
}

func (x *example) end(step string, outcome record.Outcome, reason string) {
	x.add(record.Event{Kind: record.StepEnd, Step: step, Outcome: outcome, Text: reason, Duration: 21 * time.Millisecond})
}

func (x *example) judge(step string, v record.Verdict) {
	x.add(record.Event{Kind: record.Judged, Step: step, Verdict: &v})
}

func (x *example) score(step, trial, model, stage, name string, value float64, rows int) {
	x.add(record.Event{Kind: record.Score, Step: step, Trial: trial, Model: model, Stage: stage, Name: name, Value: value, Rows: rows})
}

func (x *example) explore() {
	const step = "explore-data"
	x.add(record.Event{Kind: record.StepStart, Step: step})
	x.add(record.Event{Kind: record.Vector, Step: step, Stage: "training", Name: "class share", Values: []float64{1. / 3, 1. / 3, 1. / 3}})
	x.add(record.Event{Kind: record.Vector, Step: step, Stage: "training", Name: "feature range", Values: []float64{4.3, 7.9, 2, 4.4, 1, 6.9, 0.1, 2.5}, Shape: []int{4, 2}})
	x.add(record.Event{Kind: record.ArtifactSaved, Step: step, Artifact: &record.Artifact{
		Name: "features.npy", Path: "explore-data/features.npy", Kind: "tensor", Shape: []int{150, 4}, DType: "float32", Bytes: 2528,
		SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	}})
	x.judge(step, record.Verdict{Check: "no-nan", Mark: record.Pass, Claim: "no NaN or Inf", Got: "0 of 600 values"})
	x.judge(step, record.Verdict{Check: "duplicates", Mark: record.Warn, Claim: "no duplicates across the split", Want: "0", Got: "1 of 30",
		Note: "validation rows also in training"})
	x.end(step, record.Passed, "")
}

func (x *example) baseline() {
	const step = "evaluate-baseline"
	x.add(record.Event{Kind: record.StepStart, Step: step, Model: "majority"})
	x.score(step, "majority", "majority", "training", "accuracy", 0.341666, 120)
	x.score(step, "majority", "majority", "validation", "accuracy", 0.3, 30)
	x.score(step, "logistic", "logistic", "validation", "accuracy", 29./30, 30)
	x.end(step, record.Passed, "")
}

func (x *example) lossOnInit() {
	const step = "check-loss-on-init"
	x.add(record.Event{Kind: record.StepStart, Step: step, Model: "mlp"})
	x.score(step, "", "mlp", "training", "cross entropy", 1.083, 120)
	x.add(record.Event{Kind: record.Text, Step: step, Name: "stdout", Text: "built \"mlp\":\n\t4 → 16 → 3, 131 weights"})
	x.judge(step, record.Verdict{Check: "loss-on-init", Mark: record.Pass, Claim: "loss starts at ln K", Want: "1.099 ± 0.110", Got: "1.083"})
	x.end(step, record.Passed, "")
}

func (x *example) overfit() {
	const step = "overfit"
	x.add(record.Event{Kind: record.StepStart, Step: step, Model: "mlp", Settings: map[string]string{"epochs": "3", "learning rate": "0.003"}})
	for epoch := range 3 {
		for batch := range 4 {
			i := epoch*4 + batch
			x.add(record.Event{Kind: record.Scalar, Step: step, Model: "mlp", Stage: "training", Name: "loss", Iteration: i, Epoch: epoch, Value: 1.083 / float64(i+1)})
			x.add(record.Event{Kind: record.Scalar, Step: step, Model: "mlp", Name: "gradient norm", Iteration: i, Epoch: epoch, Value: 2 / float64(i+2)})
		}
		last := record.Event{Kind: record.Score, Step: step, Model: "mlp", Name: "accuracy", Iteration: epoch*4 + 3, Epoch: epoch}
		last.Stage, last.Value, last.Rows = "training", float64(epoch+1)/3, 120
		x.add(last)
		last.Stage, last.Value, last.Rows = "validation", float64(epoch)/3, 30
		x.add(last)
	}
	x.judge(step, record.Verdict{Check: "accuracy-at-least", Mark: record.Pass, Claim: "accuracy on training reaches 0.97", Want: "≥ 0.97", Got: "1.000"})
	x.end(step, record.Passed, "")
}

func (x *example) regularize() {
	const step = "regularize"
	x.add(record.Event{Kind: record.StepStart, Step: step, Model: "mlp", Settings: map[string]string{"weight decay": "0, 0.001"}})
	for i, trial := range []string{"weight decay 0", "weight decay 0.001"} {
		x.score(step, trial, "mlp", "validation", "accuracy", []float64{0.9, 28. / 30}[i], 30)
	}
	x.add(record.Event{Kind: record.Found, Step: step, Trial: "weight decay 0", Name: "overfits", Verdict: &record.Verdict{
		Check: "overfits", Mark: record.Warn, Evidence: []string{"the gap is 0.1"}, Likely: []string{"too little data"}, Try: []string{"more weight decay"},
	}})
	x.judge(step, record.Verdict{
		Check: "accuracy-at-least", Mark: record.Fail, Claim: "accuracy on validation reaches 0.95", Want: "≥ 0.95", Got: "0.933",
		Trouble:  "the network does not generalise well enough",
		Evidence: []string{"training accuracy is 1.000"}, Likely: []string{"too much capacity for 120 rows", "too little data"},
		Try: []string{"more weight decay", "a smaller network"}, Files: []string{"regularize/curves.svg"},
	})
	x.end(step, record.Failed, "accuracy-at-least failed")
}

func (x *example) transfer() {
	const step = "transfer-learning"
	x.add(record.Event{Kind: record.StepStart, Step: step, Model: "mlp"})
	for i, v := range []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN()} {
		x.add(record.Event{Kind: record.Scalar, Step: step, Trial: "freeze", Model: "mlp", Name: "loss", Iteration: i, Value: v})
	}
	x.end(step, record.Broken, "iteration 4: the loss is NaN")
}
