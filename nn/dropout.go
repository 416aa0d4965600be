package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

// Dropout sets elements to 0 in training with a probability, and multiplies the
// others by 1/(1-rate) (Srivastava et al. 2014); in inference it does nothing.
// Which elements is a function of seed, iteration and name.
type Dropout struct {
	// Rate is the probability, in [0, 1). train.Model.Dropout, if set, replaces it.
	Rate float64
}

// Dropout appends a dropout.
func (x Node) Dropout(name string, rate float64) Node { return x.Apply(name, Dropout{Rate: rate}) }

// Build implements Layer.
func (l Dropout) Build(x Node) Node {
	if x.inert() {
		return x
	}
	rate := orDefault(x.plan.init.Dropout, l.Rate)
	if !(rate >= 0 && rate < 1) {
		return x.wrong("dropout", "a rate in [0, 1)", fmt.Sprint(rate), "set Rate, or Dropout of the model")
	}
	return x.add(&layer{
		kind: "dropout", shape: x.Shape(),
		ops: opPair{&dropout[float32]{rate: rate}, &dropout[float64]{rate: rate}},
	})
}

type dropout[F kernel.Float] struct {
	rate float64
	mask []F // 1 for elements that stay
	seed uint64
}

func (l *dropout[F]) active(p *pass[F]) bool { return p.train && l.rate > 0 }

func (l *dropout[F]) forward(p *pass[F], a *args[F]) {
	if !l.active(p) {
		a.out.data = a.in[0].data
		return
	}
	if l.mask == nil {
		l.seed = train.Derive(p.seed, "dropout", a.layer)
	}
	x := a.in[0].data
	l.mask = grow(l.mask, len(x))
	fillMask(l.mask, train.DeriveN(l.seed, "iteration", p.iteration), l.rate)
	kernel.MulScaled(a.out.resize(p.rows), F(1/(1-l.rate)), x, l.mask)
}

func (l *dropout[F]) backward(p *pass[F], a *args[F]) {
	if !l.active(p) {
		a.din[0].data = a.dout.data
		return
	}
	kernel.MulScaled(a.din[0].resize(p.rows), F(1/(1-l.rate)), a.dout.data, l.mask)
}

// fillMask sets elements to 0 with probability rate, else to 1. Each pair of
// elements is a function of seed and position, so that threads can share the
// work.
func fillMask[F kernel.Float](mask []F, seed uint64, rate float64) {
	bound := uint64(rate * (1 << 32))
	kernel.Parallel(len(mask), 1<<14, func(lo, hi int) {
		for i := lo; i < hi; i += 2 {
			r := train.Mix(seed + uint64(i/2)*0x9e3779b97f4a7c15)
			mask[i] = keep[F](r&(1<<32-1), bound)
			if i+1 < hi {
				mask[i+1] = keep[F](r>>32, bound)
			}
		}
	})
}

// keep is 0 if r < bound, else 1, without a branch that no processor can foresee.
func keep[F kernel.Float](r, bound uint64) F {
	return F(int64(1 - (r-bound)>>63))
}
