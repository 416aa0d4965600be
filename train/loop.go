package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
)

// Loop repeats iterations: a batch through the learner, then an update.
type Loop struct {
	Learner Learner
	// Source of the batches. Pass gives seed, batch size, shuffling and
	// augmentation; the loop counts Pass.Epoch up.
	Source Source
	Pass   Pass
	// Optimizer gives learning rate and schedule.
	Optimizer Optimizer
	// Epochs and Iterations bound the loop, the first that is reached; 0 is no
	// bound, but one of them must be set.
	Epochs, Iterations int
	// Start is the first iteration to run; the batches before it are skipped, so
	// that the loop goes on as if it had run them.
	Start int
	// Decorators wrap the update, the first outermost.
	Decorators []Decorator
	// Between, if set, is called before every iteration that is run, when all of
	// the one before is done, AfterEpoch too, and before the context is looked at:
	// the moment to keep a checkpoint from which a loop with Start at
	// State.Iteration goes on. The fields of the batch are those of the iteration before.
	Between func(ctx context.Context, s *State) error
	// AfterEpoch, if set, is called after every epoch, also one that a bound cuts
	// short, with the state of its last iteration, but State.Iteration is the
	// number of iterations done. It may call State.Stop.
	AfterEpoch func(ctx context.Context, s *State) error
	// Progress, if set, is called after every iteration. It must be quick.
	Progress func(s *State)
	// Log, if set, receives what is measured in each iteration: "loss",
	// "learning-rate", and what decorators log.
	Log func(s *State, name string, value float64)
	// Save, if set, keeps files of decorators.
	Save SaveFunc
}

// Result says how a loop ended.
type Result struct {
	// Iterations, Epochs and Rows that were done, those before Start included.
	Iterations, Epochs, Rows int
	// Loss is the loss of the last iteration.
	Loss float64
	// Stopped is the reason when the loop ended before its bounds.
	Stopped string
}

// PanicError is a panic that was caught.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap gives the value of the panic if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Caught turns the value of recover into an error, nil into nil. It must be
// called in the deferred function, so that the stack is that of the panic.
func Caught(value any) error {
	if value == nil {
		return nil
	}
	return &PanicError{Value: value, Stack: debug.Stack()}
}

// Guard turns a panic of f into an error, as Caught does.
func Guard(f func() error) (err error) {
	defer func() {
		if caught := Caught(recover()); caught != nil {
			err = caught
		}
	}()
	return f()
}

// Run runs the loop until a bound is reached, a decorator stops it, or the loss
// is not finite: a loss of NaN or infinity is a result, not an error, and ends
// the loop without an update. Errors name iteration and epoch; a panic in any part of the
// iteration becomes an error that holds its stack.
func (l *Loop) Run(ctx context.Context) (Result, error) {
	if err := l.check(); err != nil {
		return Result{}, err
	}
	var total int
	err := Guard(func() (err error) {
		total, err = l.total(ctx)
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("counting batches: %w", err)
	}
	s := &State{Learner: l.Learner, Total: total, save: l.Save}
	if l.Log != nil {
		s.log = func(name string, value float64) { l.Log(s, name, value) }
	}
	var result Result
	err = l.run(ctx, s, &result)
	result.Stopped = s.stopped
	return result, err
}

func (l *Loop) run(ctx context.Context, s *State, result *Result) (err error) {
	defer func() { // deferred: a decorator that calls t.FailNow ends the goroutine
		for _, f := range s.onEnd {
			err = errors.Join(err, Guard(f))
		}
	}()
	return l.epochs(ctx, s, result)
}

func (l *Loop) check() error {
	switch {
	case l.Learner == nil:
		return errors.New("the loop has no learner")
	case l.Source == nil:
		return errors.New("the loop has no source of batches")
	case l.Epochs < 0 || l.Iterations < 0 || l.Start < 0:
		return fmt.Errorf("negative bounds: epochs %d, iterations %d, start %d", l.Epochs, l.Iterations, l.Start)
	case l.Epochs == 0 && l.Iterations == 0:
		return errors.New("the loop has no end: set Epochs or Iterations")
	}
	return l.Optimizer.Check()
}

// total is the number of iterations ahead. Epochs are counted by walking one,
// which is only done when a schedule or a progress line needs to know.
func (l *Loop) total(ctx context.Context) (int, error) {
	if l.Epochs == 0 || l.Optimizer.Schedule.Factor == nil && l.Progress == nil {
		return l.Iterations, nil
	}
	p := l.Pass
	p.Augment = false
	batches, _, err := Count(ctx, l.Source, p)
	if err != nil {
		return 0, err
	}
	if total := batches * l.Epochs; l.Iterations == 0 || total < l.Iterations {
		return total, nil
	}
	return l.Iterations, nil
}

func (l *Loop) epochs(ctx context.Context, s *State, result *Result) error {
	var update UpdateFunc
	err := Guard(func() error {
		update = Chain(func(_ context.Context, s *State) error { return s.Learner.Update(s.LearningRate) }, l.Decorators...)
		return nil
	})
	if err != nil {
		return fmt.Errorf("decorators: %w", err)
	}
	optimizer := l.Optimizer.WithDefaults()
	for l.Epochs == 0 || s.Epoch < l.Epochs {
		p := l.Pass
		p.Epoch = s.Epoch
		first := s.Iteration
		err := l.epoch(ctx, s, result, p, optimizer, update)
		if err != nil {
			return fmt.Errorf("iteration %d (epoch %d): %w", s.Iteration, s.Epoch, err)
		}
		if s.Iteration == first {
			return fmt.Errorf("epoch %d: the source yields no batch", s.Epoch)
		}
		result.Epochs++
		if l.AfterEpoch != nil && s.Iteration > l.Start {
			if err := Guard(func() error { return l.AfterEpoch(ctx, s) }); err != nil {
				return fmt.Errorf("after epoch %d: %w", s.Epoch, err)
			}
		}
		if s.stopped != "" || l.Iterations > 0 && s.Iteration >= l.Iterations {
			return nil
		}
		s.Epoch++
	}
	return nil
}

func (l *Loop) epoch(ctx context.Context, s *State, result *Result, p Pass, optimizer Optimizer, update UpdateFunc) (err error) {
	defer func() {
		if caught := Caught(recover()); caught != nil {
			err = caught
		}
	}()
	for b, err := range l.Source(p) {
		if l.Between != nil && err == nil && s.Iteration >= l.Start {
			if err := l.Between(ctx, s); err != nil {
				return err
			}
		}
		switch {
		case err != nil:
			return fmt.Errorf("data: %w", err)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		result.Rows += b.Len()
		if s.Iteration >= l.Start {
			s.Batch = b
			if s.LearningRate, err = optimizer.rate(s.Iteration, s.Total); err != nil {
				return err
			}
			if err := l.iterate(ctx, s, update); err != nil {
				return err
			}
			result.Loss = s.Loss
			if l.Progress != nil {
				l.Progress(s)
			}
		}
		s.Iteration++
		result.Iterations = s.Iteration
		if s.stopped != "" || l.Iterations > 0 && s.Iteration >= l.Iterations {
			return nil
		}
	}
	return nil
}

func (l *Loop) iterate(ctx context.Context, s *State, update UpdateFunc) error {
	if err := s.Batch.Check(); err != nil {
		return fmt.Errorf("data: %w", err)
	}
	loss, err := s.Learner.Forward(s.Batch, s.Iteration)
	if err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	s.Loss = loss
	s.Log(LossName, loss)
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		s.Stop(fmt.Sprintf("the loss is %v at iteration %d", loss, s.Iteration))
		return nil
	}
	s.Log("learning-rate", s.LearningRate)
	if err := update(ctx, s); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}
