package decorators

import (
	"context"
	"errors"
	"fmt"

	"github.com/actually-robust-training/art/internal/plot"
	"github.com/actually-robust-training/art/train"
)

// ActivationStats watches the tensors inside the network in training mode. For
// each it logs "activation-mean/fc1", "activation-std/fc1" and, as shares in [0,
// 1]: "activation-zeros/fc1" of values that are zero, "activation-dead/fc1" of
// units that are zero for all rows of the batch (channels are the units of
// pictures), and "activation-saturated/fc1" of values at a bound, where a tensor
// is bounded as by tanh or a sigmoid: all of it in [−1, 1], and beyond ±0.99, or
// all of it in (0, 1), and outside [0.01, 0.99]. It saves a table of the last
// look and plots of deviations and dead units.
//
// The learner must be a [train.Inspector].
type ActivationStats struct {
	// Every is the number of iterations from one look to the next. Default 10.
	Every int
	// Tensors are the names to look at. Default: all but the input.
	Tensors []string
	// Name begins the names of the files. Default "activations".
	Name string
}

// Decorate is a [train.Decorator].
func (o ActivationStats) Decorate(next train.UpdateFunc) train.UpdateFunc {
	if o.Name == "" {
		o.Name = "activations"
	}
	o.Every = every(o.Every)
	var seen *activations
	return func(ctx context.Context, s *train.State) error {
		if !due(s, o.Every) {
			return next(ctx, s)
		}
		if seen == nil {
			seen = &activations{}
			save := s.Save
			s.OnEnd(func() error { return seen.save(save, o.Name) })
		}
		if err := o.look(s, seen); err != nil {
			return fmt.Errorf("decorators.ActivationStats: %w", err)
		}
		return next(ctx, s)
	}
}

// activations is what one loop has seen.
type activations struct {
	last      table
	std, dead curves
}

func (a *activations) save(save train.SaveFunc, name string) error {
	if len(a.last.lines) == 0 {
		return nil
	}
	return errors.Join(save(name+".txt", a.last.write),
		a.std.save(save, name+"-std", plot.Line{Title: "deviation of activations", YLabel: "std"}),
		a.dead.save(save, name+"-dead", plot.Line{Title: "dead units", YLabel: "share"}))
}

func (o ActivationStats) look(s *train.State, seen *activations) error {
	inspector, ok := s.Learner.(train.Inspector)
	if !ok {
		return fmt.Errorf("the learner %T does not show its activations: take the decorator away from this model, or have the learner implement train.Inspector", s.Learner)
	}
	names := o.Tensors
	if names == nil {
		names = inspector.Tensors()
		if len(names) > 1 && names[0] == "input" {
			names = names[1:]
		}
	}
	seen.last = table{}
	seen.last.add("tensor", "shape", "mean", "std", "zeros", "dead units", "saturated", "not finite")
	for _, name := range names {
		t, err := inspector.Activation(name)
		if err != nil {
			return fmt.Errorf("%w; the tensors are %q", err, inspector.Tensors())
		}
		d, dead := describe(t.Data), deadUnits(t)
		saturated := d.saturated(t.Data)
		s.Log("activation-mean/"+name, d.mean)
		s.Log("activation-std/"+name, d.std)
		s.Log("activation-zeros/"+name, d.zeroShare())
		s.Log("activation-dead/"+name, dead)
		s.Log("activation-saturated/"+name, saturated)
		seen.std.add(name, s, d.std)
		seen.dead.add(name, s, dead)
		seen.last.add(name, fmt.Sprint(t.Shape), d.mean, d.std, d.zeroShare(), dead, saturated, d.notFinite)
	}
	return nil
}

// deadUnits is the share of units that are zero in all rows: elements of the last
// axis, channels of [rows, channels, height, width].
func deadUnits(t train.Tensor) float64 {
	if len(t.Shape) == 0 || len(t.Data) == 0 {
		return 0
	}
	units, span := t.Shape[len(t.Shape)-1], 1
	switch len(t.Shape) {
	case 1:
		units = 1
	case 4:
		units, span = t.Shape[1], t.Shape[2]*t.Shape[3]
	}
	dead := units
	for u := range units {
		if alive(t.Data, u*span, span, units*span) {
			dead--
		}
	}
	return float64(dead) / float64(units)
}

// alive reports a value that is not zero in any of the spans that begin at from,
// from+stride, …
func alive(values []float32, from, span, stride int) bool {
	for ; from < len(values); from += stride {
		for _, v := range values[from : from+span] {
			if v != 0 {
				return true
			}
		}
	}
	return false
}

// saturated is the share of values at the bound of a bounded tensor, 0 of any other.
func (s stats) saturated(values []float32) float64 {
	const bound, near = 0.99, 0.01
	count := 0
	switch {
	case s.count == 0 || !(s.min >= -1 && s.max <= 1):
		return 0
	case s.min > 0: // as of a sigmoid: softplus and others may be here by chance
		for _, v := range values {
			if v > bound || v < near {
				count++
			}
		}
	case s.min < 0:
		for _, v := range values {
			if v > bound || v < -bound {
				count++
			}
		}
	}
	return float64(count) / float64(s.count)
}
