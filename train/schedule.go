package train

import (
	"fmt"
	"math"
)

// Schedule changes the learning rate over the iterations of a step. It counts
// iterations, never epochs, so that a step whose epoch is one batch is not at
// the end of its schedule after a moment. The zero value is constant.
type Schedule struct {
	// Name as reports write it, with the settings, like "cosine(0)".
	Name string
	// Factor multiplies the learning rate at an iteration, counted from 0, of
	// total. Nil is 1 everywhere.
	Factor func(iteration, total int) float64
}

// At is the factor at an iteration.
func (s Schedule) At(iteration, total int) float64 {
	if s.Factor == nil {
		return 1
	}
	return s.Factor(iteration, total)
}

// String is the name, "constant" for the zero value.
func (s Schedule) String() string {
	if s.Factor == nil {
		return "constant"
	}
	return s.Name
}

// Decay multiplies the rate by gamma after every so many iterations (StepLR).
func Decay(every int, gamma float64) Schedule {
	return Schedule{
		Name:   fmt.Sprintf("decay(every %d, %g)", every, gamma),
		Factor: func(i, _ int) float64 { return math.Pow(gamma, float64(i/max(every, 1))) },
	}
}

// Cosine lowers the rate from 1 to floor along half a cosine
// (Loshchilov, Hutter 2017, without restarts).
func Cosine(floor float64) Schedule {
	return Schedule{
		Name: fmt.Sprintf("cosine(%g)", floor),
		Factor: func(i, total int) float64 {
			return floor + (1-floor)*(1+math.Cos(math.Pi*share(i, total)))/2
		},
	}
}

// WarmUp raises the rate in a line from 1/n to 1 over the first n iterations,
// then follows the schedule for the rest.
func WarmUp(n int, then Schedule) Schedule {
	return Schedule{
		Name: fmt.Sprintf("warm-up(%d, %s)", n, then),
		Factor: func(i, total int) float64 {
			if i < n {
				return float64(i+1) / float64(n)
			}
			return then.At(i-n, max(total-n, 1))
		},
	}
}

// OneCycle raises the rate along a half cosine from 1/25 to 1 in the first 30
// percent of the iterations and lowers it to 1/250000 in the rest (Smith, Topin
// 2018, in PyTorch's form with its defaults).
func OneCycle() Schedule {
	const start, end, peak = 1. / 25, 1. / 25e4, 0.3
	anneal := func(from, to, share float64) float64 { return to + (from-to)*(1+math.Cos(math.Pi*share))/2 }
	return Schedule{
		Name: "one-cycle",
		Factor: func(i, total int) float64 {
			up := peak*float64(total) - 1
			down := float64(total-1) - up
			if x := float64(i); x <= up && up > 0 {
				return anneal(start, 1, x/up)
			} else if down > 0 {
				return anneal(1, end, min((x-up)/down, 1))
			}
			return 1
		},
	}
}

func share(i, total int) float64 { return min(float64(i)/float64(max(total, 1)), 1) }
