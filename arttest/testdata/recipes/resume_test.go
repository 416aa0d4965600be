package recipes

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/decorators"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// slowly makes an iteration long enough to be interrupted in.
func slowly(next train.UpdateFunc) train.UpdateFunc {
	return func(ctx context.Context, s *train.State) error {
		time.Sleep(time.Millisecond)
		return next(ctx, s)
	}
}

// dropping has all that an iteration may depend on: dropout, running statistics,
// moments, a schedule.
func dropping() train.Model {
	m := nn.Classifier("net", func(x nn.Node) nn.Node {
		return x.Dense("fc1", 8).BatchNorm("norm").ReLU().Dropout("drop", 0.2).Dense("logits", x.Classes())
	})
	m.Optimizer = train.Adam(3e-3)
	m.Optimizer.Schedule = train.Cosine(0.1)
	return m
}

// weights trains and keeps every bit of the network.
type weights struct{ Model train.Model }

func (weights) Plan() arttest.Plan { return arttest.Plan{Name: "weights", Model: "net"} }

func (w weights) Run(ctx context.Context, s *arttest.Scope) error {
	data := s.Data()
	learner, err := w.Model.Build(data, data.Training, s.Seed())
	if err != nil {
		return err
	}
	sum := 0.
	fmt.Println("READY")
	loop := train.Loop{
		Learner: learner, Source: data.Training, Optimizer: w.Model.Optimizer, Epochs: int(number(os.Getenv("RECIPES_EPOCHS"), 60)), Decorators: s.Decorators(),
		Pass: train.Pass{Seed: s.Seed(), BatchSize: data.BatchSize, Shuffle: true},
		Log: func(st *train.State, name string, value float64) {
			s.Emit(record.Event{Kind: record.Scalar, Name: name, Iteration: st.Iteration, Epoch: st.Epoch, Value: value})
		},
		AfterEpoch: func(_ context.Context, st *train.State) error { sum += st.Loss; return nil },
	}
	result, err := s.Train(ctx, "", &loop, &sum)
	if err != nil {
		return err
	}
	return s.Save("weights.txt", func(to io.Writer) error {
		_, _ = fmt.Fprintf(to, "%+v %x\n", result, sum)
		for _, p := range learner.Params() {
			_, _ = fmt.Fprintf(to, "%s %x\n", p.Name, p.Value)
		}
		for _, n := range learner.(train.Stater).State() {
			_, _ = fmt.Fprintf(to, "%s %x\n", n.Name, n.Data)
		}
		return nil
	})
}

func TestResume(t *testing.T) {
	recipe := sized()
	recipe.Decorators = []train.Decorator{decorators.Checkpoint{Every: int(number(os.Getenv("RECIPES_EVERY"), 5))}.Decorate, slowly}
	r := arttest.New(t, recipe)
	arttest.Step(r, weights{Model: dropping()})
	never := checks.Check{Name: "tries-all", Judge: func(s *record.StepRun) record.Verdict {
		return checks.Hold(len(s.Scores("loss", train.Training).Points) > 0 && s.Scores("loss", train.Training).Trial == "dropout 0.3, patience 3", "", "")
	}}
	off := []string{"loss-falls", "gap-is-small", "beats-baselines", "beats-guessing", "still-fits", "not-worse-than-overfit", "schedule-lasts"}
	arttest.Step(r, steps.OverfitOneBatch{Model: dropping(), Iterations: 60, Options: arttest.Options{WithoutChecks: []string{"loss-reaches-zero", "rows-are-learned"}}})
	arttest.Step(r, steps.Overfit{Model: dropping(), Epochs: 40}, checks.Seeds(3, checks.AtMost("loss", train.Training, 2)))
	arttest.Step(r, steps.Regularize{Model: dropping(), Epochs: 20, Patience: 3,
		Variants: []steps.Variant{{WeightDecay: 0.01}, {Dropout: 0.3}}, Options: arttest.Options{WithoutChecks: off}}, never)
}
