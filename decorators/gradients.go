package decorators

import (
	"context"
	"math"

	"github.com/actually-robust-training/art/internal/plot"
	"github.com/actually-robust-training/art/train"
)

// GradientStats watches the gradients: it logs the Euclidean norm of all
// together as "gradient-norm" and that of each parameter as
// "gradient-norm/fc1/weight", before the update, and saves a plot of the norms.
// Parameters without gradients (statistics) and frozen ones are left out; of a
// learner that has no gradients it logs nothing.
type GradientStats struct {
	// Every is the number of iterations from one look to the next. Default 10.
	Every int
	// Name of the plot, without extension. Default "gradients".
	Name string
}

// Decorate is a [train.Decorator].
func (o GradientStats) Decorate(next train.UpdateFunc) train.UpdateFunc {
	if o.Name == "" {
		o.Name = "gradients"
	}
	o.Every = every(o.Every)
	var norms *curves
	return func(ctx context.Context, s *train.State) error {
		if !due(s, o.Every) {
			return next(ctx, s)
		}
		if norms == nil {
			norms = &curves{}
			save := s.Save
			s.OnEnd(func() error {
				return norms.save(save, o.Name, plot.Line{Title: "gradient norms", YLabel: "norm", LogY: true})
			})
		}
		sum, any := 0., false
		for _, p := range s.Learner.Params() {
			if p.Grad == nil || p.Frozen {
				continue
			}
			n := norm(p.Grad)
			sum, any = sum+n*n, true
			s.Log("gradient-norm/"+p.Name, n)
			norms.add(p.Name, s, n)
		}
		if any {
			s.Log("gradient-norm", math.Sqrt(sum))
		}
		return next(ctx, s)
	}
}
