package decorators

import (
	"context"
	"fmt"

	"github.com/actually-robust-training/art/train"
)

// InputStats describes the tensors that enter the network: shape, mean, standard
// deviation, least and greatest value, number of values that are NaN or infinite,
// share of zeros. It logs "input-mean", "input-std", "input-min", "input-max",
// "input-not-finite" and "input-zeros", the same for "target-…", and saves a
// table.
type InputStats struct {
	// Every is the number of iterations from one look to the next. Default 10.
	Every int
	// Name of the table. Default "input-stats.txt".
	Name string
}

// mostLines of a table are kept, the first ones.
const mostLines = 2000

// Decorate is a [train.Decorator].
func (o InputStats) Decorate(next train.UpdateFunc) train.UpdateFunc {
	if o.Name == "" {
		o.Name = "input-stats.txt"
	}
	o.Every = every(o.Every)
	var t table
	return func(ctx context.Context, s *train.State) error {
		if !due(s, o.Every) {
			return next(ctx, s)
		}
		if len(t.lines) == 0 {
			t.add("iteration", "tensor", "shape", "mean", "std", "min", "max", "not finite", "zeros")
			save := s.Save
			s.OnEnd(func() error { return save(o.Name, t.write) })
		}
		o.look(s, &t, "input", s.Batch.Inputs)
		o.look(s, &t, "target", s.Batch.Targets)
		return next(ctx, s)
	}
}

func (o InputStats) look(s *train.State, t *table, name string, tensor train.Tensor) {
	d := describe(tensor.Data)
	s.Log(name+"-mean", d.mean)
	s.Log(name+"-std", d.std)
	s.Log(name+"-min", d.min)
	s.Log(name+"-max", d.max)
	s.Log(name+"-not-finite", float64(d.notFinite))
	s.Log(name+"-zeros", d.zeroShare())
	if len(t.lines) < mostLines {
		t.add(s.Iteration, name, fmt.Sprint(tensor.Shape), d.mean, d.std, d.min, d.max, d.notFinite, fmt.Sprintf("%.1f %%", 100*d.zeroShare()))
	}
}
