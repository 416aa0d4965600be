package recipes

import (
	"context"
	"fmt"
	"io"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// broken is what the function named in a stack must be: it is the user's.
func broken() { panic(errPlanted) }

func mlp() train.Model { return traintest.MLP(4) }

type brokenPlan struct{}

func (brokenPlan) Plan() arttest.Plan                        { broken(); return arttest.Plan{} }
func (brokenPlan) Run(context.Context, *arttest.Scope) error { return nil }

func TestPanicPlan(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), brokenPlan{}) // here
}

func TestPanicRun(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("it", func(context.Context, *arttest.Scope) error { broken(); return nil })) // here
	arttest.Step(r, passes("next"))
}

func TestPanicNilMap(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("it", func(context.Context, *arttest.Scope) error { // here
		var m map[string]int
		m["x"]++
		return nil
	}))
}

func TestPanicDecorator(t *testing.T) {
	recipe := plain()
	recipe.Decorators = []train.Decorator{func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			if s.Iteration == 3 {
				broken()
			}
			return next(ctx, s)
		}
	}}
	arttest.Step(arttest.New(t, recipe), training{Model: mlp(), Iterations: 9}) // here
}

func TestPanicLearner(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), training{Model: traintest.PanicAt(mlp(), 3), Iterations: 9}) // here
}

type brokenMetric struct{ accuracy }

func (*brokenMetric) Score() train.Score { broken(); return train.Score{} }

func TestPanicMetric(t *testing.T) {
	recipe := plain()
	recipe.Metrics = []train.Metric{{Name: "bad", New: func([]string) (train.Accumulator, error) { return &brokenMetric{}, nil }}}
	arttest.Step(arttest.New(t, recipe), training{Model: mlp(), Iterations: 1}) // here
}

func TestPanicMetricInNew(t *testing.T) {
	recipe := plain()
	recipe.Metrics = []train.Metric{{Name: "bad", New: func([]string) (train.Accumulator, error) { broken(); return nil, nil }}}
	arttest.New(t, recipe) // here
}

func TestPanicJudge(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), passes("it"), // here
		checks.Check{Name: "bad", Judge: func(*record.StepRun) record.Verdict { broken(); return record.Verdict{} }}, holds("good"))
}

// brokenError is an error that cannot even be printed.
type brokenError struct{}

func (brokenError) Error() string { broken(); return "" }

func TestPanicError(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), does("it", func(context.Context, *arttest.Scope) error { return brokenError{} })) // here
}

// TestPanicKind emits what is not a step's to emit.
func TestPanicKind(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), does("it", func(_ context.Context, s *arttest.Scope) error { // here
		s.Emit(record.Event{Kind: record.RunEnd})
		return nil
	}))
}

func TestPanicSave(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), does("it", func(_ context.Context, s *arttest.Scope) error { // here
		return s.Save("x.txt", func(io.Writer) error { broken(); return nil })
	}))
}

func TestPanicData(t *testing.T) {
	recipe := plain()
	recipe.Data.Training = func(p train.Pass) iter.Seq2[train.Batch, error] {
		return func(func(train.Batch, error) bool) { broken() }
	}
	arttest.Step(arttest.New(t, recipe), training{Model: mlp(), Iterations: 1}) // here
}

// brokenLogger panics at the first event of a kind.
type brokenLogger struct {
	at     record.Kind
	closes bool
}

func (l *brokenLogger) Emit(e record.Event) error {
	if e.Kind == l.at {
		fmt.Println("LOGGER BREAKS")
		broken()
	}
	return nil
}

func (l *brokenLogger) Close() error {
	if l.closes {
		broken()
	}
	return nil
}

func logged(t *testing.T, l record.Sink) {
	t.Helper()
	recipe := plain()
	recipe.Loggers = []record.Sink{l}
	r := arttest.New(t, recipe)
	arttest.Step(r, training{Model: mlp(), Iterations: 5}, holds("good"))
	arttest.Step(r, passes("next"))
}

func TestPanicLoggerRunStart(t *testing.T)  { logged(t, &brokenLogger{at: record.RunStart}) }  // here
func TestPanicLoggerStepStart(t *testing.T) { logged(t, &brokenLogger{at: record.StepStart}) } // here
func TestPanicLoggerScalar(t *testing.T)    { logged(t, &brokenLogger{at: record.Scalar}) }    // here
func TestPanicLoggerVerdict(t *testing.T)   { logged(t, &brokenLogger{at: record.Judged}) }    // here
func TestPanicLoggerStepEnd(t *testing.T)   { logged(t, &brokenLogger{at: record.StepEnd}) }   // here
func TestPanicLoggerRunEnd(t *testing.T)    { logged(t, &brokenLogger{at: record.RunEnd}) }    // here
func TestPanicLoggerClose(t *testing.T)     { logged(t, &brokenLogger{closes: true}) }         // here

// A logger that fails does not fail the test.
func TestLoggerError(t *testing.T) {
	logged(t, record.SinkFunc(func(record.Event) error { return errPlanted }))
	t.Cleanup(func() { t.Log("so that the output is seen with -v") })
}

func TestGoexit(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("it", func(context.Context, *arttest.Scope) error { runtime.Goexit(); return nil })) // here
	arttest.Step(r, passes("next"))
}

func TestFailNow(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("it", func(context.Context, *arttest.Scope) error { t.Fatal("on the test's own t"); return nil })) // here
	arttest.Step(r, passes("next"))
}

func TestSkipNow(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("it", func(context.Context, *arttest.Scope) error { t.SkipNow(); return nil })) // here
}

func TestGoexitJudge(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), passes("it"), // here
		checks.Check{Name: "bad", Judge: func(*record.StepRun) record.Verdict { t.FailNow(); return record.Verdict{} }}, holds("good"))
}

func TestGoexitPlan(t *testing.T) {
	arttest.Step(arttest.New(t, plain()), goexitPlan{}) // here
}

type goexitPlan struct{ brokenPlan }

func (goexitPlan) Plan() arttest.Plan { runtime.Goexit(); return arttest.Plan{} }

func TestGoexitLogger(t *testing.T) {
	logged(t, record.SinkFunc(func(e record.Event) error { // here
		if e.Kind == record.StepStart {
			runtime.Goexit()
		}
		return nil
	}))
}

// A goroutine that outlives its step reports into the void.
func TestLeak(t *testing.T) {
	r := arttest.New(t, plain())
	over, done := make(chan bool), make(chan bool)
	arttest.Step(r, does("leaks", func(_ context.Context, s *arttest.Scope) error {
		s.Score("training", "early", 1)
		go func() {
			defer close(done)
			<-over
			for range 100 {
				s.Score("training", "late", 1)
				s.Logf("late line")
				s.Progress(1, 2, "late")
			}
			if err := s.Save("late.txt", write("late")); err != nil {
				panic(err)
			}
		}()
		return nil
	}))
	close(over)
	arttest.Step(r, does("next", func(context.Context, *arttest.Scope) error {
		<-done
		time.Sleep(time.Millisecond)
		return nil
	}))
}
