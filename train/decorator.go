package train

import (
	"context"
	"io"
)

// UpdateFunc is the second half of an iteration. When it is called, loss and
// gradients are those of State.Batch and the weights are old; when it returns,
// the weights are new.
type UpdateFunc func(ctx context.Context, s *State) error

// Decorator wraps the update: what it does before calling next sees gradients
// and old weights, what it does after sees new weights. It is called once for
// each loop, so what it keeps in its closure belongs to that loop. A decorator
// that does not call next skips the update.
type Decorator func(next UpdateFunc) UpdateFunc

// Chain wraps update so that the first decorator is the outermost.
func Chain(update UpdateFunc, decorators ...Decorator) UpdateFunc {
	for i := len(decorators) - 1; i >= 0; i-- {
		update = decorators[i](update)
	}
	return update
}

// State is the iteration in progress. It belongs to the loop: decorators may
// change LearningRate and the gradients, and must not keep it.
type State struct {
	// Iteration and Epoch count from 0.
	Iteration, Epoch int
	// Total is the number of iterations planned, 0 when it is not known.
	Total int
	// Batch is what entered the learner; read only.
	Batch Batch
	// Loss of the batch, in training mode, before the update.
	Loss float64
	// LearningRate of this update, after the schedule.
	LearningRate float64
	// Learner under training.
	Learner Learner

	log     func(name string, value float64)
	save    SaveFunc
	stopped string
	onEnd   []func() error
	keep    bool
}

// SaveFunc keeps a named file for people to look at. The extension of name says
// what it is: .npy, .npz, .png, .svg, .json, .txt, .safetensors.
type SaveFunc func(name string, write func(io.Writer) error) error

// Log reports a named number of this iteration.
func (s *State) Log(name string, value float64) {
	if s.log != nil {
		s.log(name, value)
	}
}

// Save keeps a file with the artifacts of the step. It does nothing when the
// loop has nowhere to save.
func (s *State) Save(name string, write func(io.Writer) error) error {
	if s.save == nil {
		return nil
	}
	return s.save(name, write)
}

// Stop ends the loop after this iteration. The reason is reported.
func (s *State) Stop(reason string) {
	if s.stopped == "" {
		s.stopped = reason
	}
}

// Keep asks whoever keeps checkpoints of the loop for one after this iteration.
func (s *State) Keep() { s.keep = true }

// Asked reports whether Keep was called since Asked was.
func (s *State) Asked() bool {
	asked := s.keep
	s.keep = false
	return asked
}

// OnEnd has f called once when the loop has ended, also after an error. Calls
// come in the order in which they were asked for.
func (s *State) OnEnd(f func() error) { s.onEnd = append(s.onEnd, f) }
