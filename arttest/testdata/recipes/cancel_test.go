package recipes

import (
	"context"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// slow is a decorator that makes an iteration last.
func slow(d time.Duration) train.Decorator {
	return func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			if s.Iteration == 5 {
				fmt.Println("READY") // the test that waits for us to be busy
			}
			time.Sleep(d)
			return next(ctx, s)
		}
	}
}

func endless() arttest.Recipe {
	recipe := plain()
	recipe.Decorators = []train.Decorator{slow(time.Millisecond)}
	return recipe
}

func TestHeeds(t *testing.T) {
	r := arttest.New(t, endless())
	arttest.Step(r, training{Model: mlp(), Iterations: math.MaxInt32}, holds("never-judged")) // here
	arttest.Step(r, after("free"))
}

// TestReturnsNil stops when it is told to, and does not say that it did.
func TestReturnsNil(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), does("it", func(ctx context.Context, s *arttest.Scope) error { // here
		s.Progress(7, 9, "")
		fmt.Println("READY")
		<-ctx.Done()
		return nil
	}), holds("never-judged"))
}

func TestIgnores(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("it", func(_ context.Context, s *arttest.Scope) error { // here
		for i := 1; ; i++ {
			s.Progress(i, 0, "")
			s.Score("training", "loss", float64(i))
			if i == 5 {
				fmt.Println("READY")
			}
			time.Sleep(time.Millisecond)
		}
	}))
	arttest.Step(r, passes("next"))
}

// hangs does not return from the nth event of a kind, or from Close.
type hangs struct {
	at  record.Kind
	nth int
}

func (h *hangs) Emit(e record.Event) error {
	if e.Kind == h.at {
		if h.nth--; h.nth < 0 {
			select {}
		}
	}
	return nil
}

func (h *hangs) Close() error {
	if h.at == "" {
		select {}
	}
	return nil
}

func hung(t *testing.T, l *hangs) {
	t.Helper()
	recipe := plain()
	recipe.Loggers = []record.Sink{l}
	r := arttest.New(t, recipe)
	arttest.Step(r, training{Model: mlp(), Iterations: 50})
	arttest.Step(r, passes("next"))
}

func TestHungIteration(t *testing.T) { hung(t, &hangs{record.Scalar, 20}) }   // here
func TestHungRunStart(t *testing.T)  { hung(t, &hangs{at: record.RunStart}) } // here
func TestHungStepEnd(t *testing.T)   { hung(t, &hangs{at: record.StepEnd}) }  // here
func TestHungClose(t *testing.T)     { hung(t, &hangs{}) }                    // here

func TestExit(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), does("it", func(_ context.Context, s *arttest.Scope) error {
		s.Score("training", "loss", 0.25)
		os.Exit(3)
		return nil
	}))
}

// TestBusy emits as fast as it can, to be killed.
func TestBusy(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), does("it", func(ctx context.Context, s *arttest.Scope) error {
		for i := 1; ctx.Err() == nil; i++ {
			s.Score("training", "loss", float64(i))
			if i == 5 {
				fmt.Println("READY")
			}
		}
		return nil
	}))
}

// TestProgress is long enough for a line of progress on a terminal.
func TestProgress(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), does("long", func(_ context.Context, s *arttest.Scope) error {
		for i := range 140 {
			s.Progress(i+1, 140, "loss 0.5")
			time.Sleep(10 * time.Millisecond)
		}
		return nil
	}))
}
