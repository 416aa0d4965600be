package recipes

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// TestSeeds trains with five seeds, by a step of the project and by one of its own
// that tries until it passes.
func TestSeeds(t *testing.T) {
	r := arttest.New(t, sized())
	arttest.Step(r, training{Model: mlp(), Iterations: updates()},
		checks.AtLeast("accuracy", train.Training, 0.5), checks.Seeds(manySeeds(), checks.AtLeast("accuracy", train.Training, wanted(0.6))))
	arttest.Step(r, steps.Regularize{Model: dropping(), Epochs: 2, Variants: []steps.Variant{{WeightDecay: 0.01}, {Dropout: 0.3}},
		Options: arttest.Options{WithoutChecks: []string{"loss-falls", "gap-is-small", "beats-baselines", "beats-guessing", "still-fits", "not-worse-than-overfit", "schedule-lasts"}}},
		checks.Seeds(3, checks.AtMost("loss", train.Validation, 2)))
}

func manySeeds() int { return int(number(os.Getenv("RECIPES_SEEDS"), 5)) }

// drawn has a score that depends on the seed alone, and troubles with one.
type drawn struct {
	Seed    uint64
	Trouble func(context.Context) error
}

func (drawn) Plan() arttest.Plan {
	return arttest.Plan{Name: "drawn", Scores: []checks.Ref{{Metric: "height", Stage: train.Training}}}
}

func (d drawn) Run(ctx context.Context, s *arttest.Scope) error {
	fmt.Println("DRAWN WITH", s.Seed())
	if s.Seed() == d.Seed {
		return d.Trouble(ctx)
	}
	s.Logf("not to be seen of seed %d", s.Seed())
	s.Score(train.Training, "height", 10-float64(s.Seed()))
	if err := s.Save("height.txt", write(fmt.Sprint(s.Seed()))); err != nil {
		return err
	}
	return ctx.Err()
}

func highForAll() checks.Check {
	return checks.Seeds(4, checks.AtLeast("height", train.Training, wanted(7)))
}

func TestSeedsScore(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), drawn{}, checks.AtLeast("height", train.Training, 1), highForAll())
}

func TestSeedsError(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), drawn{3, func(context.Context) error { return errPlanted }}, highForAll())
}

func TestSeedsPanic(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), drawn{3, func(context.Context) error { panic("planted") }}, highForAll())
}

func TestSeedsGoexit(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), drawn{2, func(context.Context) error { runtime.Goexit(); return nil }}, highForAll())
}

func TestSeedsSilent(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), drawn{4, func(context.Context) error { return nil }}, highForAll())
}

func TestSeedsHang(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), drawn{3, func(ctx context.Context) error {
		fmt.Println("READY")
		<-ctx.Done()
		return ctx.Err()
	}}, highForAll())
}

func TestSeedsMisuse(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), drawn{}, checks.Seeds(2, checks.AtLeast("height", train.Training, 1)))
}
