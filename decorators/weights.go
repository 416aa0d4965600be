package decorators

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/actually-robust-training/art/internal/plot"
	"github.com/actually-robust-training/art/train"
)

// WeightStats watches the parameters. It logs the Euclidean norm of each as
// "weight-norm/fc1/weight", and as "update-ratio/fc1/weight" the decimal
// logarithm of what the update changed over what there was, log10(‖Δw‖/‖w‖):
// about −3 is usual, −1 too fast, −5 too slow, −Inf for a parameter that does not
// move. It saves a plot of each. Frozen parameters, and the ratio of those that
// are all zero, are left out; statistics are not trained and are left out too,
// unless the learner shows no gradients at all.
type WeightStats struct {
	// Every is the number of iterations from one look to the next. Default 10.
	Every int
	// Name begins the names of the plots, "weights-norm" and "weights-update". Default "weights".
	Name string
}

// Decorate is a [train.Decorator].
func (o WeightStats) Decorate(next train.UpdateFunc) train.UpdateFunc {
	if o.Name == "" {
		o.Name = "weights"
	}
	o.Every = every(o.Every)
	var norms, ratios *curves
	before := map[string][]float32{}
	return func(ctx context.Context, s *train.State) error {
		if !due(s, o.Every) {
			return next(ctx, s)
		}
		if norms == nil {
			norms, ratios = &curves{}, &curves{}
			save := s.Save
			s.OnEnd(func() error {
				return errors.Join(
					norms.save(save, o.Name+"-norm", plot.Line{Title: "weight norms", YLabel: "norm", LogY: true}),
					ratios.save(save, o.Name+"-update", plot.Line{Title: "update to weight", YLabel: "log10 of the ratio"}))
			})
		}
		for _, p := range watched(s.Learner) {
			before[p.Name] = append(before[p.Name][:0], p.Value...)
		}
		if err := next(ctx, s); err != nil {
			return err
		}
		for _, p := range watched(s.Learner) {
			old, known := before[p.Name]
			if !known || len(old) != len(p.Value) {
				continue // it was frozen before the update
			}
			was := norm(old)
			s.Log("weight-norm/"+p.Name, was)
			norms.add(p.Name, s, was)
			if was == 0 {
				continue
			}
			ratio := math.Log10(distance(p.Value, old) / was)
			s.Log("update-ratio/"+p.Name, ratio)
			ratios.add(p.Name, s, ratio)
		}
		return nil
	}
}

// watched are the parameters that are being trained.
func watched(l train.Learner) []train.Param {
	params := l.Params()
	gradients := slices.ContainsFunc(params, func(p train.Param) bool { return p.Grad != nil })
	var trained []train.Param
	for _, p := range params {
		if !p.Frozen && (p.Grad != nil || !gradients) {
			trained = append(trained, p)
		}
	}
	return trained
}
