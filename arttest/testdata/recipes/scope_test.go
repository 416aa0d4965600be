package recipes

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// TestScope looks at what a step is given; a step that finds something else breaks.
func TestScope(t *testing.T) {
	recipe := sized()
	var order []string
	named := func(name string) train.Decorator {
		return func(next train.UpdateFunc) train.UpdateFunc {
			return func(ctx context.Context, s *train.State) error { order = append(order, name); return next(ctx, s) }
		}
	}
	recipe.Decorators = []train.Decorator{named("recipe")}
	other := hits()
	other.Name = "other"
	recipe.Metrics = append(recipe.Metrics, other)
	r := arttest.New(t, recipe)

	arttest.Step(r, does("defaults", func(_ context.Context, s *arttest.Scope) error {
		if got := s.Data().BatchSize; got != 32 {
			return fmt.Errorf("the batch size is %d", got)
		}
		if s.Seed() != 7 || s.Dry() || len(s.Metrics()) != 2 || len(s.Decorators()) != 1 {
			return fmt.Errorf("seed %d, dry %v, %d metrics, %d decorators", s.Seed(), s.Dry(), len(s.Metrics()), len(s.Decorators()))
		}
		return nil
	}))
	own := does("own", func(ctx context.Context, s *arttest.Scope) error {
		if got := s.Data().BatchSize; got != 5 {
			return fmt.Errorf("the batch size is %d", got)
		}
		if m := s.Metrics(); len(m) != 1 || m[0].Name != "other" {
			return fmt.Errorf("metrics %v", m)
		}
		update := train.Chain(func(context.Context, *train.State) error { return nil }, s.Decorators()...)
		if err := update(ctx, &train.State{}); err != nil {
			return err
		}
		if !slices.Equal(order, []string{"recipe", "step"}) {
			return fmt.Errorf("decorators in order %v", order)
		}
		var before []string
		for _, step := range s.Step().Run().Steps {
			before = append(before, step.Name)
		}
		if got := strings.Join(before, " "); got != "defaults own" {
			return fmt.Errorf("the run has steps %s", got)
		}
		return nil
	})
	own.Options = arttest.Options{BatchSize: 5, WithoutMetrics: []string{"accuracy"}, Decorators: []train.Decorator{named("step")}}
	arttest.Step(r, own)
}

// TestPasses tries until the checks hold.
func TestPasses(t *testing.T) {
	r := arttest.New(t, sized())
	arttest.Step(r, arttest.StepFunc{Name: "tries", Scores: []checks.Ref{{Metric: "accuracy", Stage: "validation"}},
		Func: func(_ context.Context, s *arttest.Scope) error {
			for i := 1; i < 9 && !s.Passes(); i++ {
				s.Emit(record.Event{Kind: record.Score, Trial: fmt.Sprint("trial-", i), Stage: "validation", Name: "accuracy", Value: float64(i) / 10})
			}
			return nil
		}}, checks.AtLeast("accuracy", "validation", 0.35), checks.Warn(checks.AtLeast("accuracy", "validation", 1)))
}

// TestGoroutines reports from many goroutines at once.
func TestGoroutines(t *testing.T) {
	r := arttest.New(t, sized())
	arttest.Step(r, does("many", func(_ context.Context, s *arttest.Scope) error {
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 100 {
					s.Emit(record.Event{Kind: record.Scalar, Name: fmt.Sprint("g", g), Iteration: i, Value: float64(i)})
					s.Progress(i, 100, "")
					s.Logf("goroutine %d, %d", g, i)
				}
				if err := s.Save(fmt.Sprintf("%d.txt", g), write("x")); err != nil {
					panic(err)
				}
			})
		}
		all.Wait()
		return nil
	}))
}

// TestUserPanics is no step's fault: it ends the process, as it would without us.
func TestUserPanics(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), passes("before"))
	broken()
}

func TestUserFails(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, passes("before"))
	t.Fatal("between steps")
}

func TestUserSkips(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, passes("before"))
	t.Skip("between steps")
}

// TestTwoRecipes has steps of the same names, which go test tells apart.
func TestTwoRecipes(t *testing.T) {
	for range 2 {
		r := arttest.New(t, plain())
		arttest.Step(r, passes("a"))
		arttest.Step(r, passes("b"), fails("b-fails"))
	}
}
