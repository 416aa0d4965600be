package traintest

import (
	"fmt"
	"math"
	"runtime"

	"github.com/actually-robust-training/art/train"
)

func sameSeedSameBits(s *subject) error {
	want, err := s.fresh()
	if err != nil {
		return err
	}
	got, err := s.fresh()
	if err != nil {
		return err
	}
	return differs(want, got)
}

// interleavedSameBits catches state shared by learners: global random sources,
// caches, scratch memory.
func interleavedSameBits(s *subject) error {
	want, err := s.fresh()
	if err != nil {
		return err
	}
	l, err := s.build()
	if err != nil {
		return err
	}
	other, err := s.buildSeeded(s.Seed + 1)
	if err != nil {
		return err
	}
	got, err := s.train(l, func(i int) error {
		b := s.batch(i + 1)
		if _, err := other.Forward(b, i); err != nil {
			return fmt.Errorf("other learner: %w", err)
		}
		return other.Update(s.rate())
	})
	if err != nil {
		return err
	}
	return differs(want, got)
}

func processorsSameBits(s *subject) error {
	var first trace
	for _, n := range []int{1, 2, 3} {
		got, err := func() (trace, error) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(n))
			return s.fresh()
		}()
		if err != nil {
			return fmt.Errorf("GOMAXPROCS %d: %w", n, err)
		}
		if n == 1 {
			first = got
		} else if err := differs(first, got); err != nil {
			return fmt.Errorf("GOMAXPROCS %d against 1: %w", n, err)
		}
	}
	return nil
}

func predictChangesNothing(s *subject) error {
	want, err := s.fresh()
	if err != nil {
		return err
	}
	l, err := s.build()
	if err != nil {
		return err
	}
	got, err := s.train(l, func(i int) error {
		before, gradients := copyParams(l), copyGradients(l)
		for _, b := range []train.Batch{s.batch(i + 2), s.all} {
			if _, err := l.Predict(b); err != nil {
				return fmt.Errorf("iteration %d: Predict: %w", i, err)
			}
		}
		if err := differParams("parameter", before, copyParams(l)); err != nil {
			return fmt.Errorf("iteration %d: after Predict: %w", i, err)
		}
		if err := differParams("gradient", gradients, copyGradients(l)); err != nil {
			return fmt.Errorf("iteration %d: after Predict: %w", i, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := differs(want, got); err != nil {
		return fmt.Errorf("with Predict between the iterations: %w", err)
	}
	return nil
}

// forwardRepeats: the iteration is the only source of change in what is random.
func forwardRepeats(s *subject) error {
	l, err := s.build()
	if err != nil {
		return err
	}
	var tr trace
	if err := s.iterate(l, &tr, 0, 2, nil); err != nil {
		return err
	}
	var losses [2]float64
	var gradients [2][]valueCopy
	for i := range losses {
		if losses[i], err = l.Forward(s.batch(2), 7); err != nil {
			return err
		}
		gradients[i] = copyGradients(l)
	}
	if math.Float64bits(losses[0]) != math.Float64bits(losses[1]) {
		return fmt.Errorf("Forward of one batch at one iteration gives %v, then %v", losses[0], losses[1])
	}
	return differParams("gradient", gradients[0], gradients[1])
}

// forwardsReplace: gradients do not pile up over calls of Forward.
func forwardsReplace(s *subject) error {
	var learners [2]train.Learner
	for i := range learners {
		l, err := s.build()
		if err != nil {
			return err
		}
		if i == 1 {
			if _, err := l.Forward(s.batch(1), 0); err != nil {
				return err
			}
		}
		if _, err := l.Forward(s.batch(0), 3); err != nil {
			return err
		}
		learners[i] = l
	}
	if err := differParams("gradient", copyGradients(learners[0]), copyGradients(learners[1])); err != nil {
		return fmt.Errorf("after an earlier Forward: %w", err)
	}
	for _, l := range learners {
		if err := l.Update(s.rate()); err != nil {
			return err
		}
	}
	if err := differParams("parameter", trained(learners[0], s), trained(learners[1], s)); err != nil {
		return fmt.Errorf("after an earlier Forward and an Update: %w", err)
	}
	return nil
}

// trained copies the parameters without statistics, which Forward may change.
func trained(l train.Learner, s *subject) []valueCopy {
	var c []valueCopy
	for i, p := range l.Params() {
		if p.Grad != nil || s.ClosedForm {
			c = append(c, copyParams(l)[i])
		}
	}
	return c
}

// batchesStay: a learner neither writes to a batch nor reads it after the
// update, as loaders use its memory again.
func batchesStay(s *subject) error {
	want, err := s.fresh()
	if err != nil {
		return err
	}
	l, err := s.build()
	if err != nil {
		return err
	}
	var got trace
	for i := range s.Iterations {
		b := s.batch(i).Clone()
		loss, err := l.Forward(b, i)
		if err != nil {
			return err
		}
		got.losses = append(got.losses, loss)
		if err := l.Update(s.rate()); err != nil {
			return err
		}
		if _, err := l.Predict(b); err != nil {
			return err
		}
		original := s.batch(i)
		if err := differ32("inputs", original.Inputs.Data, b.Inputs.Data); err != nil {
			return fmt.Errorf("the learner has changed the batch: %w", err)
		}
		if err := differ32("targets", original.Targets.Data, b.Targets.Data); err != nil {
			return fmt.Errorf("the learner has changed the batch: %w", err)
		}
		for j := range b.Inputs.Data {
			b.Inputs.Data[j] = float32(math.NaN())
		}
		for j := range b.Targets.Data {
			b.Targets.Data[j] = 0
		}
		for j := range b.Rows {
			b.Rows[j] = -1
		}
	}
	if err := s.finish(l, &got); err != nil {
		return err
	}
	if err := differs(want, got); err != nil {
		return fmt.Errorf("with batches overwritten after use: %w", err)
	}
	return nil
}
