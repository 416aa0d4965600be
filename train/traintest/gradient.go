package traintest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// steps of difference quotients, relative to the size of what is differentiated.
// Small ones drown in rounding, large ones in curvature: the best one counts.
var quotientSteps = []float64{3e-2, 1e-2, 3e-3, 1e-3, 3e-4}

// slopes compares a gradient with difference quotients of f along three
// directions: that of the gradient, and two at random, which see what the gradient lacks.
// x is where f looks for its argument; it is put back.
func slopes(x, gradient []float32, tolerance float64, r *rand.Rand, f func() (float64, error)) error {
	length := norm(gradient)
	if math.IsNaN(length) || math.IsInf(length, 0) {
		return errors.New("the gradient is not finite")
	}
	directions := [][]float64{make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))}
	for i := range x {
		directions[0][i] = float64(gradient[i])
		directions[1][i] = r.NormFloat64()
		directions[2][i] = r.NormFloat64()
	}
	if length == 0 {
		directions = directions[1:]
	}
	for _, d := range directions {
		normalise(d)
		want := 0.
		for i, v := range d {
			want += v * float64(gradient[i])
		}
		best := math.Inf(1)
		var closest float64
		for _, step := range quotientSteps {
			got, err := quotient(x, d, step*max(1, norm(x)), f)
			if err != nil {
				return err
			}
			if e := math.Abs(got - want); e < best {
				best, closest = e, got
			}
		}
		if best > tolerance*max(length, 0.01) {
			return fmt.Errorf("slope %.6g by the gradient (of norm %.3g), %.6g by differences", want, length, closest)
		}
	}
	return nil
}

func quotient(x []float32, d []float64, step float64, f func() (float64, error)) (float64, error) {
	original := slices.Clone(x)
	defer copy(x, original)
	var values [2]float64
	for side := range values {
		for i, v := range d {
			x[i] = float32(float64(original[i]) + (1-2*float64(side))*step*v)
		}
		v, err := f()
		if err != nil {
			return 0, err
		}
		values[side] = v
	}
	return (values[0] - values[1]) / (2 * step), nil
}

func norm(x []float32) float64 {
	sum := 0.
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

func normalise(d []float64) {
	sum := 0.
	for _, v := range d {
		sum += v * v
	}
	for i := range d {
		d[i] /= max(math.Sqrt(sum), 1e-30)
	}
}

// gradientsFitTheLoss compares the gradient of every parameter with the loss of
// Forward, which an equal iteration repeats.
func gradientsFitTheLoss(s *subject) error {
	if s.ClosedForm {
		return notApplicable("the learner has no gradients")
	}
	l, err := s.build()
	if err != nil {
		return err
	}
	var tr trace
	if err := s.iterate(l, &tr, 0, 2, nil); err != nil {
		return err
	}
	forward := func() (float64, error) { return l.Forward(s.batch(0), 2) }
	if _, err := forward(); err != nil {
		return err
	}
	r := train.Rand(s.Seed, "slopes")
	largest := 0.
	for i, g := range copyGradientsAligned(l) {
		if g == nil {
			continue
		}
		largest = max(largest, norm(g))
		p := l.Params()[i]
		if err := slopes(p.Value, g, s.Slope, r, forward); err != nil {
			return fmt.Errorf("parameter %q: %w", p.Name, err)
		}
	}
	if largest == 0 {
		return errors.New("all gradients are 0")
	}
	return nil
}

// copyGradientsAligned has an entry for each parameter, nil for those without gradient.
func copyGradientsAligned(l train.Learner) [][]float32 {
	var c [][]float32
	for _, p := range l.Params() {
		c = append(c, slices.Clone(p.Grad))
	}
	return c
}

// updateGoesDownhill: a small enough step lowers the loss of its own batch.
func updateGoesDownhill(s *subject) error {
	if s.ClosedForm {
		return notApplicable("the learner has no gradients")
	}
	var before, after float64
	for _, scale := range []float64{1, 0.1, 0.01} {
		l, err := s.build()
		if err != nil {
			return err
		}
		if before, err = l.Forward(s.all, 0); err != nil {
			return err
		}
		if err := l.Update(s.rate() * scale); err != nil {
			return err
		}
		if after, err = l.Forward(s.all, 0); err != nil {
			return err
		}
		if after < before {
			return nil
		}
	}
	return fmt.Errorf("the loss goes from %v to %v by an update at 1/100 of the learning rate %v", before, after, s.rate())
}
