package train_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// ten has 10 rows, so that batches of 4 come as 4, 4, 2.
var ten = traintest.Blobs(1, 10, 2)

// loop is a loop over ten with a fresh learner of m.
func loop(t *testing.T, m train.Model) *train.Loop {
	t.Helper()
	l, err := m.Build(ten, ten.Training, 1)
	require.NoError(t, err)
	return &train.Loop{
		Learner: l, Source: ten.Training, Optimizer: m.Optimizer,
		Pass: train.Pass{Seed: 3, BatchSize: 4, Shuffle: true},
	}
}

func TestLoopBounds(t *testing.T) {
	for _, c := range []struct {
		epochs, iterations, start int
		want                      train.Result
		afterEpoch                string // epoch:iterations done
	}{
		{epochs: 1, want: train.Result{Iterations: 3, Epochs: 1, Rows: 10}, afterEpoch: "0:3"},
		{epochs: 2, want: train.Result{Iterations: 6, Epochs: 2, Rows: 20}, afterEpoch: "0:3 1:6"},
		{iterations: 1, want: train.Result{Iterations: 1, Epochs: 1, Rows: 4}, afterEpoch: "0:1"},
		{iterations: 3, want: train.Result{Iterations: 3, Epochs: 1, Rows: 10}, afterEpoch: "0:3"},
		{iterations: 5, want: train.Result{Iterations: 5, Epochs: 2, Rows: 18}, afterEpoch: "0:3 1:5"},
		{epochs: 1, iterations: 5, want: train.Result{Iterations: 3, Epochs: 1, Rows: 10}, afterEpoch: "0:3"},
		{epochs: 5, iterations: 4, want: train.Result{Iterations: 4, Epochs: 2, Rows: 14}, afterEpoch: "0:3 1:4"},
		{epochs: 2, start: 3, want: train.Result{Iterations: 6, Epochs: 2, Rows: 20}, afterEpoch: "1:6"},
		{epochs: 2, start: 4, want: train.Result{Iterations: 6, Epochs: 2, Rows: 20}, afterEpoch: "1:6"},
		{epochs: 1, start: 9, want: train.Result{Iterations: 3, Epochs: 1, Rows: 10}},
	} {
		t.Run(fmt.Sprintf("epochs=%d,iterations=%d,start=%d", c.epochs, c.iterations, c.start), func(t *testing.T) {
			l := loop(t, traintest.MLP(3))
			l.Epochs, l.Iterations, l.Start = c.epochs, c.iterations, c.start
			var after []string
			l.AfterEpoch = func(_ context.Context, s *train.State) error {
				after = append(after, fmt.Sprintf("%d:%d", s.Epoch, s.Iteration))
				return nil
			}
			var ran []int
			l.Progress = func(s *train.State) { ran = append(ran, s.Iteration) }
			got, err := l.Run(context.Background())
			require.NoError(t, err)
			got.Loss = 0
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.afterEpoch, strings.Join(after, " "))
			var want []int
			for i := c.start; i < c.want.Iterations; i++ {
				want = append(want, i)
			}
			assert.Equal(t, want, ran)
		})
	}
}

func TestLoopMisuse(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*train.Loop)
		want   string
	}{
		"no learner":    {func(l *train.Loop) { l.Learner = nil }, "no learner"},
		"no source":     {func(l *train.Loop) { l.Source = nil }, "no source"},
		"no end":        {func(l *train.Loop) { l.Epochs = 0 }, "set Epochs or Iterations"},
		"negative":      {func(l *train.Loop) { l.Start = -1 }, "start -1"},
		"optimizer":     {func(l *train.Loop) { l.Optimizer.Momentum = 2 }, "momentum is 2"},
		"empty source":  {func(l *train.Loop) { l.Source = train.Limit(ten.Training, 0) }, "epoch 0: the source yields no batch"},
		"broken batch":  {func(l *train.Loop) { l.Source = train.Repeat(train.Batch{}) }, "iteration 0 (epoch 0): data: the batch has no rows"},
		"counting data": {func(l *train.Loop) { l.Source = failing(1); l.Progress = func(*train.State) {} }, "counting batches: disk on fire"},
	} {
		t.Run(name, func(t *testing.T) {
			l := loop(t, traintest.MLP(3))
			l.Epochs = 1
			c.change(l)
			_, err := l.Run(context.Background())
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// failing is a source whose batch number n is an error.
func failing(n int) train.Source {
	return func(p train.Pass) iter.Seq2[train.Batch, error] {
		return func(yield func(train.Batch, error) bool) {
			i := 0
			for b, err := range ten.Training(p) {
				if i == n {
					yield(train.Batch{}, errors.New("disk on fire"))
					return
				}
				if i++; !yield(b, err) {
					return
				}
			}
		}
	}
}

// TestResume: a loop that starts in the middle goes on with the bits it would
// have had, schedule and order of rows included.
func TestResume(t *testing.T) {
	optimizer := train.SGD(0.1, 0.9)
	optimizer.Schedule = train.Cosine(0.1)
	run := func(start, stop int, params [][]float32, state []train.Named) (losses []float64, after [][]float32, s []train.Named) {
		m := traintest.MLP(4)
		m.Optimizer = optimizer
		l := loop(t, m)
		for i, p := range params {
			copy(l.Learner.Params()[i].Value, p)
		}
		if state != nil {
			require.NoError(t, l.Learner.(train.Stater).SetState(state))
		}
		l.Start, l.Epochs = start, 4
		l.Log = func(_ *train.State, name string, value float64) { losses = append(losses, value) }
		l.Progress = func(s *train.State) {
			if s.Iteration+1 == stop {
				s.Stop("enough")
			}
		}
		_, err := l.Run(context.Background())
		require.NoError(t, err)
		for _, p := range l.Learner.Params() {
			after = append(after, slices.Clone(p.Value))
		}
		return losses, after, l.Learner.(train.Stater).State()
	}
	want, end, _ := run(0, 0, nil, nil)
	for _, at := range []int{1, 3, 5, 11} {
		head, params, state := run(0, at, nil, nil)
		tail, got, _ := run(at, 0, params, state)
		assert.Equal(t, want, append(head, tail...), "interrupted after %d", at)
		assert.Equal(t, end, got, "interrupted after %d", at)
	}
}

func TestStop(t *testing.T) {
	t.Run("by a decorator", func(t *testing.T) {
		l := loop(t, traintest.MLP(3))
		l.Epochs = 9
		l.Decorators = []train.Decorator{func(next train.UpdateFunc) train.UpdateFunc {
			return func(ctx context.Context, s *train.State) error {
				if s.Iteration == 4 {
					s.Stop("first reason")
					s.Stop("second reason")
				}
				return next(ctx, s)
			}
		}}
		got, err := l.Run(context.Background())
		require.NoError(t, err)
		assert.Equal(t, "first reason", got.Stopped)
		assert.Equal(t, 5, got.Iterations, "the iteration is completed")
	})
	t.Run("after an epoch", func(t *testing.T) {
		l := loop(t, traintest.MLP(3))
		l.Epochs = 9
		l.AfterEpoch = func(_ context.Context, s *train.State) error {
			if s.Epoch == 1 {
				s.Stop("no better")
			}
			return nil
		}
		got, err := l.Run(context.Background())
		require.NoError(t, err)
		assert.Equal(t, "no better", got.Stopped)
		assert.Equal(t, 6, got.Iterations)
		assert.Equal(t, 2, got.Epochs)
	})
}

func TestNonFiniteLossEndsTheLoop(t *testing.T) {
	l := loop(t, traintest.NaNAt(traintest.MLP(3), 2))
	l.Epochs = 3
	var updates, ended int
	l.Decorators = []train.Decorator{func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			updates++
			if updates == 1 {
				s.OnEnd(func() error { ended++; return nil })
			}
			return next(ctx, s)
		}
	}}
	var logged []string
	l.Log = func(s *train.State, name string, value float64) {
		logged = append(logged, fmt.Sprint(s.Iteration, " ", name, " ", math.IsNaN(value)))
	}
	got, err := l.Run(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "the loss is NaN at iteration 2", got.Stopped)
	assert.True(t, math.IsNaN(got.Loss))
	assert.Equal(t, 2, updates, "no update from a loss of NaN")
	assert.Equal(t, 1, ended)
	assert.Equal(t, []string{"0 loss false", "0 learning-rate false", "1 loss false", "1 learning-rate false", "2 loss true"}, logged)
}

func TestDecoratorsWrapInOrder(t *testing.T) {
	var calls []string
	named := func(name string) train.Decorator {
		return func(next train.UpdateFunc) train.UpdateFunc {
			calls = append(calls, "make "+name)
			return func(ctx context.Context, s *train.State) error {
				before := s.Learner.Params()[0].Value[0]
				calls = append(calls, "before "+name)
				err := next(ctx, s)
				calls = append(calls, fmt.Sprint("after ", name, " ", s.Learner.Params()[0].Value[0] != before))
				return err
			}
		}
	}
	skip := func(train.UpdateFunc) train.UpdateFunc {
		return func(context.Context, *train.State) error { return nil }
	}
	l := loop(t, traintest.Parabola(1))
	l.Iterations = 1
	l.Decorators = []train.Decorator{named("outer"), named("inner")}
	_, err := l.Run(context.Background())
	require.NoError(t, err)
	want := []string{"make inner", "make outer", "before outer", "before inner", "after inner true", "after outer true"}
	assert.Empty(t, cmp.Diff(want, calls))

	calls = nil
	l.Decorators = []train.Decorator{named("outer"), skip, named("never called")}
	_, err = l.Run(context.Background())
	require.NoError(t, err)
	assert.Equal(t, []string{"make never called", "make outer", "before outer", "after outer false"}, calls)
}

func TestScheduleOutOfRange(t *testing.T) {
	for _, factor := range []float64{-1, math.NaN(), math.Inf(1)} {
		learner := traintest.Parabola(1)
		l := loop(t, learner)
		l.Iterations = 3
		l.Optimizer.Schedule = train.Schedule{Name: "mine", Factor: func(i, total int) float64 {
			if i == 1 {
				return factor
			}
			return 1
		}}
		_, err := l.Run(context.Background())
		require.ErrorContains(t, err, fmt.Sprintf("the schedule mine multiplies the learning rate by %v at iteration 1 of 3", factor))
	}
}

func TestDecoratorChangesRateAndGradient(t *testing.T) {
	l := loop(t, traintest.Parabola(1))
	l.Iterations = 1
	l.Optimizer.Schedule = train.Schedule{Factor: func(i, total int) float64 { return 5 }}
	l.Decorators = []train.Decorator{func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			assert.InDelta(t, 0.5, s.LearningRate, 1e-15)
			assert.Equal(t, 0.5, s.Loss)
			s.LearningRate = 0.25
			s.Learner.Params()[0].Grad[0] *= 2
			return next(ctx, s)
		}
	}}
	_, err := l.Run(context.Background())
	require.NoError(t, err)
	assert.Equal(t, float32(0.5), l.Learner.Params()[0].Value[0]) // 0 − 0.25·2·(0−1)
}

// trap is a decorator that does f at iteration 2, before or after the update.
func trap(f func()) train.Decorator {
	return func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			if s.Iteration == 2 {
				f()
			}
			return next(ctx, s)
		}
	}
}

type panickyUpdate struct{ train.Learner }

func (panickyUpdate) Update(float64) error { panic("boom in update") }

// TestPanics: wherever it happens, a panic is an error with a stack that names the
// place, and OnEnd is called.
func TestPanics(t *testing.T) {
	cause := errors.New("boom as an error")
	for name, c := range map[string]struct {
		change func(*train.Loop)
		want   string
	}{
		"forward":   {func(l *train.Loop) { l.Learner = loop(t, traintest.PanicAt(traintest.MLP(2), 2)).Learner }, "iteration 2 (epoch 0): panic: planted"},
		"update":    {func(l *train.Loop) { l.Learner = panickyUpdate{l.Learner} }, "iteration 0 (epoch 0): panic: boom"},
		"decorator": {func(l *train.Loop) { l.Decorators = append(l.Decorators, trap(func() { panic(cause) })) }, "iteration 2 (epoch 0): panic: boom as an error"},
		"making a decorator": {func(l *train.Loop) {
			l.Decorators = append(l.Decorators, func(train.UpdateFunc) train.UpdateFunc { panic("boom at birth") })
		}, "decorators: panic: boom at birth"},
		"after epoch": {func(l *train.Loop) {
			l.AfterEpoch = func(context.Context, *train.State) error { panic("boom after") }
		}, "after epoch 0: panic: boom after"},
		"progress": {func(l *train.Loop) { l.Progress = func(*train.State) { panic("boom progress") } }, "iteration 0 (epoch 0): panic: boom progress"},
		"log": {func(l *train.Loop) {
			l.Log = func(*train.State, string, float64) { panic("boom log") }
		}, "iteration 0 (epoch 0): panic: boom log"},
		"schedule": {func(l *train.Loop) {
			l.Optimizer.Schedule.Factor = func(int, int) float64 { panic("boom schedule") }
		}, "iteration 0 (epoch 0): panic: boom schedule"},
		"data": {func(l *train.Loop) {
			l.Source = func(train.Pass) iter.Seq2[train.Batch, error] {
				return func(yield func(train.Batch, error) bool) { panic("boom data") }
			}
		}, "iteration 0 (epoch 0): panic: boom data"},
		"making data": {func(l *train.Loop) {
			l.Source = func(train.Pass) iter.Seq2[train.Batch, error] { panic("boom source") }
		}, "iteration 0 (epoch 0): panic: boom source"},
		"counting data": {func(l *train.Loop) {
			l.Progress = func(*train.State) {}
			l.Source = func(train.Pass) iter.Seq2[train.Batch, error] { panic("boom count") }
		}, "counting batches: panic: boom count"},
		"on end": {func(l *train.Loop) {
			l.Decorators = append(l.Decorators, func(next train.UpdateFunc) train.UpdateFunc {
				return func(ctx context.Context, s *train.State) error {
					s.OnEnd(func() error { panic("boom at the end") })
					return next(ctx, s)
				}
			})
		}, "panic: boom at the end"},
	} {
		t.Run(name, func(t *testing.T) {
			l := loop(t, traintest.MLP(2))
			l.Epochs = 1
			ended, begun := 0, false
			l.Decorators = []train.Decorator{func(next train.UpdateFunc) train.UpdateFunc {
				return func(ctx context.Context, s *train.State) error {
					if !begun {
						begun = true
						s.OnEnd(func() error { ended++; return nil })
					}
					return next(ctx, s)
				}
			}}
			c.change(l)
			_, err := l.Run(context.Background())
			assert.ErrorContains(t, err, c.want)
			var panicked *train.PanicError
			require.ErrorAs(t, err, &panicked)
			assert.Regexp(t, `/(loop_test|bugs)\.go:`, culprit(string(panicked.Stack)))
			assert.Equal(t, begun, ended == 1, "OnEnd")
			if name == "decorator" {
				assert.ErrorIs(t, err, cause)
			}
		})
	}
}

// culprit is the line of a stack with the file that called panic.
func culprit(stack string) string {
	_, below, _ := strings.Cut(stack, "\npanic(")
	lines := strings.SplitN(below, "\n", 5)
	return lines[min(3, len(lines)-1)]
}

func TestErrorsNameTheIteration(t *testing.T) {
	cause := errors.New("the cause")
	fail := func(train.UpdateFunc) train.UpdateFunc {
		return func(_ context.Context, s *train.State) error {
			if s.Iteration == 4 {
				return cause
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		change func(*train.Loop)
		want   string
	}{
		"forward": {func(l *train.Loop) {
			l.Learner = loop(t, traintest.ErrorAt(traintest.MLP(2), 4, cause)).Learner
		}, "iteration 4 (epoch 1): forward: the cause"},
		"update": {func(l *train.Loop) { l.Decorators = []train.Decorator{fail} }, "iteration 4 (epoch 1): update: the cause"},
		"data":   {func(l *train.Loop) { l.Source = failing(2) }, "iteration 2 (epoch 0): data: disk on fire"},
		"after epoch": {func(l *train.Loop) {
			l.AfterEpoch = func(_ context.Context, s *train.State) error {
				if s.Epoch == 1 {
					return cause
				}
				return nil
			}
		}, "after epoch 1: the cause"},
	} {
		t.Run(name, func(t *testing.T) {
			l := loop(t, traintest.MLP(2))
			l.Epochs = 3
			c.change(l)
			_, err := l.Run(context.Background())
			assert.EqualError(t, err, c.want)
			if name != "data" {
				assert.ErrorIs(t, err, cause)
			}
		})
	}
}

func TestCancelledLoopNamesTheIteration(t *testing.T) {
	timeout := errors.New("the deadline of the test is near")
	ctx, cancel := context.WithCancelCause(context.Background())
	l := loop(t, traintest.MLP(2))
	l.Iterations = 100
	l.Decorators = []train.Decorator{trap(func() { cancel(timeout) })}
	got, err := l.Run(ctx)
	assert.EqualError(t, err, "iteration 3 (epoch 1): the deadline of the test is near")
	assert.ErrorIs(t, err, timeout)
	assert.Equal(t, 3, got.Iterations, "the iteration in progress is completed")
}

func TestOnEnd(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	var order []string
	register := func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			if s.Iteration == 0 {
				s.OnEnd(func() error { order = append(order, "a"); return first })
				s.OnEnd(func() error { order = append(order, "b"); panic("in b") })
				s.OnEnd(func() error { order = append(order, "c"); return second })
			}
			return next(ctx, s)
		}
	}
	for _, m := range []train.Model{traintest.MLP(2), traintest.PanicAt(traintest.MLP(2), 1), traintest.ErrorAt(traintest.MLP(2), 1, errors.New("x"))} {
		t.Run(m.Name, func(t *testing.T) {
			order = nil
			l := loop(t, m)
			l.Epochs, l.Decorators = 1, []train.Decorator{register}
			_, err := l.Run(context.Background())
			assert.Equal(t, []string{"a", "b", "c"}, order)
			assert.ErrorIs(t, err, first)
			assert.ErrorIs(t, err, second)
			assert.ErrorContains(t, err, "in b")
		})
	}
	t.Run("after the goroutine ends", func(t *testing.T) { // as t.FailNow in a decorator does
		order = nil
		l := loop(t, traintest.MLP(2))
		l.Epochs, l.Decorators = 1, []train.Decorator{register, trap(runtime.Goexit)}
		var done sync.WaitGroup
		done.Go(func() { _, _ = l.Run(context.Background()) })
		done.Wait()
		assert.Equal(t, []string{"a", "b", "c"}, order)
	})
}

func TestSameSeedSameBits(t *testing.T) {
	run := func(seed uint64) (losses []float64) {
		l := loop(t, traintest.MLP(4))
		l.Pass.Seed, l.Epochs = seed, 3
		l.Log = func(_ *train.State, _ string, v float64) { losses = append(losses, v) }
		_, err := l.Run(context.Background())
		require.NoError(t, err)
		return losses
	}
	assert.Equal(t, run(1), run(1))
	assert.NotEqual(t, run(1), run(2), "the seed reaches the order of rows")
}

// TestPasses: the source is told epoch, seed, size, order and augmentation; to
// count its batches, no augmentation is asked for.
func TestPasses(t *testing.T) {
	l := loop(t, traintest.MLP(2))
	var got []train.Pass
	l.Source = func(p train.Pass) iter.Seq2[train.Batch, error] {
		got = append(got, p)
		return ten.Training(p)
	}
	l.Pass.Augment, l.Epochs, l.Progress = true, 2, func(*train.State) {}
	_, err := l.Run(context.Background())
	require.NoError(t, err)
	assert.Equal(t, []train.Pass{
		{Seed: 3, BatchSize: 4, Shuffle: true},
		{Seed: 3, BatchSize: 4, Shuffle: true, Augment: true},
		{Seed: 3, BatchSize: 4, Shuffle: true, Augment: true, Epoch: 1},
	}, got)
}

type infinite struct{ train.Learner }

func (infinite) Forward(train.Batch, int) (float64, error) { return math.Inf(1), nil }

func TestInfiniteLossEndsTheLoop(t *testing.T) {
	l := loop(t, traintest.MLP(2))
	l.Learner, l.Epochs = infinite{l.Learner}, 1
	got, err := l.Run(context.Background())
	require.NoError(t, err)
	assert.Equal(t, "the loss is +Inf at iteration 0", got.Stopped)
	assert.Equal(t, 1, got.Iterations)
}

func TestTotal(t *testing.T) {
	for _, c := range []struct {
		epochs, iterations, want int
		progress                 bool
	}{
		{epochs: 4, want: 12, progress: true}, {epochs: 4, iterations: 5, want: 5, progress: true},
		{epochs: 4, iterations: 50, want: 12, progress: true}, {iterations: 7, want: 7}, {epochs: 4, want: 0},
	} {
		l := loop(t, traintest.MLP(2))
		l.Epochs, l.Iterations = c.epochs, c.iterations
		if c.progress {
			l.Progress = func(*train.State) {}
		}
		total := -1
		l.Log = func(s *train.State, _ string, _ float64) { total = s.Total }
		_, err := l.Run(context.Background())
		require.NoError(t, err)
		assert.Equal(t, c.want, total, "%+v", c)
	}
}

// Between comes before every iteration that is run, when the one before is done, and
// sees what Keep asked for.
func TestBetween(t *testing.T) {
	for _, start := range []int{0, 2, 3} {
		l := loop(t, traintest.MLP(3))
		l.Start, l.Epochs = start, 2
		var order []string
		l.Decorators = []train.Decorator{func(next train.UpdateFunc) train.UpdateFunc {
			return func(ctx context.Context, s *train.State) error {
				if s.Iteration == 3 {
					s.Keep()
				}
				order = append(order, fmt.Sprint("update ", s.Iteration))
				return next(ctx, s)
			}
		}}
		l.AfterEpoch = func(_ context.Context, s *train.State) error {
			order = append(order, fmt.Sprint("epoch ", s.Epoch))
			return nil
		}
		l.Between = func(_ context.Context, s *train.State) error {
			order = append(order, fmt.Sprint("between ", s.Iteration, " ", s.Asked()))
			assert.False(t, s.Asked(), "the question was answered")
			return nil
		}
		_, err := l.Run(t.Context())
		require.NoError(t, err)
		all := []string{
			"between 0 false", "update 0", "between 1 false", "update 1", "between 2 false", "update 2", "epoch 0",
			"between 3 false", "update 3", "between 4 true", "update 4", "between 5 false", "update 5", "epoch 1",
		}
		first := slices.Index(all, fmt.Sprint("between ", start, " false"))
		assert.Equal(t, all[first:], order)
	}
	l := loop(t, traintest.MLP(3))
	l.Epochs = 1
	l.Between = func(context.Context, *train.State) error { return errors.New("no room") }
	_, err := l.Run(t.Context())
	assert.EqualError(t, err, "iteration 0 (epoch 0): no room")
}
