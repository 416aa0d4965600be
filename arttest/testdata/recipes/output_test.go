package recipes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// sizes of blobs, so that the headline tells them.
func sized() arttest.Recipe {
	d := blobs()
	d.Sizes = map[string]int{train.Training: 64, train.Validation: 64}
	return arttest.Recipe{Data: d, Metrics: []train.Metric{hits()}, Seed: 7}
}

func TestGoldenPass(t *testing.T) {
	r := arttest.New(t, sized())
	arttest.Step(r, arttest.StepFunc{Name: "explore-data", Func: func(_ context.Context, s *arttest.Scope) error {
		s.Logf("the clouds are centred at ±3")
		return s.Save("rows.txt", write("0 1"))
	}}, holds("nothing-missing"))
	arttest.Step(r, training{Model: mlp(), Iterations: 60},
		checks.AtLeast("accuracy", train.Training, 0.97),
		checks.AtMost("loss", train.Validation, 0.5),
		checks.Warn(checks.AtLeast("accuracy", train.Validation, 1.5)))
}

// unlearnt is a verdict with all its fields.
func unlearnt(*record.StepRun) record.Verdict {
	return record.Verdict{
		Mark: record.Fail, Want: "< 0.010", Got: "2.31 after 200 iterations", Note: "it was 2.30 at the start",
		Trouble:  "the network cannot learn 16 samples by heart",
		Evidence: []string{`gradient norm of layer "fc1" is exactly 0 in all 200 iterations`, `"fc2" moved normally`},
		Likely:   []string{`"fc1" does not learn: frozen, detached, or all its units are dead`},
		Try:      []string{`initialise the bias of "fc1" at 0 instead of −5`, "lower the learning rate"},
	}
}

func TestGoldenFail(t *testing.T) {
	r := arttest.New(t, sized())
	arttest.Step(r, passes("explore-data"), holds("nothing-missing"))
	arttest.Step(r, arttest.StepFunc{Name: "overfit-one-batch", Scores: []checks.Ref{{Metric: "loss", Stage: "training"}},
		Func: func(_ context.Context, s *arttest.Scope) error {
			s.Score("training", "loss", 2.31)
			return errors.Join(s.Save("batch.png", write("")), s.Save("gradients.svg", write("")))
		}},
		checks.Check{Name: "loss-reaches-zero", Claim: "loss reaches zero", Judge: unlearnt},
		checks.AtMost("loss", "training", 2.5),
		checks.Assert("below-start", func(t checks.T, s *record.StepRun) { t.Errorf("\n\tError:\tit is not\n\tTrace:\there\n") }))
	arttest.Step(r, passes("overfit"))
	arttest.Step(r, passes("regularize"))
}

func TestGoldenBroken(t *testing.T) {
	r := arttest.New(t, sized())
	arttest.Step(r, training{Model: mlp(), Iterations: 9, Options: arttest.Options{ContinueOnFailure: true,
		Decorators: []train.Decorator{func(next train.UpdateFunc) train.UpdateFunc {
			return func(ctx context.Context, s *train.State) error {
				if s.Iteration == 3 {
					return fmt.Errorf("clip: %w", errPlanted)
				}
				return next(ctx, s)
			}
		}}}})
	arttest.Step(r, does("panics", func(context.Context, *arttest.Scope) error { broken(); return nil }))
	arttest.Step(r, passes("never"))
}

// TestSeeded fails for one seed and no other.
func TestSeeded(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("draws", func(_ context.Context, s *arttest.Scope) error {
		s.Score("training", "seed", float64(s.Seed()))
		return nil
	}), checks.Check{Name: "seed-is-not-13", Judge: func(s *record.StepRun) record.Verdict {
		p, _ := s.Score("seed", "training")
		return checks.Hold(p.Value != 13, "not 13", checks.Number(p.Value))
	}})
	arttest.Step(r, passes("next"))
}

// TestTraining is compared with itself.
func TestTraining(t *testing.T) {
	iterations := 40
	if n, err := strconv.Atoi(os.Getenv("RECIPES_ITERATIONS")); err == nil {
		iterations = n
	}
	r := arttest.New(t, sized())
	arttest.Step(r, training{Model: mlp(), Iterations: iterations}, checks.AtLeast("accuracy", train.Training, 0.5))
}

// step calls Step on behalf of a user who has a function for that.
func step(t *testing.T, r *arttest.R, s arttest.Stepper, more ...checks.Check) {
	t.Helper()
	arttest.Step(r, s, more...)
}

func TestHelper(t *testing.T) {
	r := arttest.New(t, plain())
	step(t, r, passes("a"), fails("a-fails"))                                                           // a
	step(t, r, after("b", "a"))                                                                         // b
	step(t, r, does("c", func(context.Context, *arttest.Scope) error { return nil }), holds("c-holds")) // c
	d := after("d")
	step(t, r, d, fails("d-fails")) // d
	step(t, r, d)                   // twice
}
