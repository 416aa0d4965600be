// Package traintest holds what tests of training need: [TestLearner], the
// conformance suite of every [train.Learner]; small learners with known answers
// and data to feed them, so that steps and loops are tested without an engine;
// and ways to plant bugs in a learner.
//
// It imports train and nothing else of ours. Engines (nn) and baselines run the
// suite in their tests.
package traintest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/actually-robust-training/art/train"
)

// Case is a learner to test: a model built for some data.
type Case struct {
	Model train.Model
	// Data needs a Training source of more than BatchSize rows; validation is not
	// used. Not more than 64 rows are read, so a large set costs nothing.
	Data train.Data
	// Seed of the learner and of the order of rows.
	Seed uint64
	// BatchSize of training. Default 8.
	BatchSize int
	// Iterations of each training. Default 5.
	Iterations int
	// ClosedForm says that the learner has no gradients: Params have no Grad and
	// the learning rate means nothing.
	ClosedForm bool
	// Discrete says that inputs are ids, which cannot be differentiated. It follows
	// from Data.Tokens.
	Discrete bool
	// Tolerance is the relative difference allowed between values that different
	// orders of summation may change. Default 1e-4.
	Tolerance float64
	// Slope is the relative difference allowed between a gradient and the
	// difference quotient. Default 0.02.
	Slope float64
}

// TestLearner checks that the learner of c keeps the contract of train.Learner,
// and that of Freezer, Stater, Inspector and Differentiator where it implements
// them. Each promise is a subtest. The test must not run in parallel with others
// of its process, as it changes GOMAXPROCS for a moment.
func TestLearner(t *testing.T, c Case) {
	t.Helper()
	s, err := c.prepare()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) {
			err := p.check(s)
			if errors.Is(err, errNotApplicable) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// promise is one clause of the contract.
type promise struct {
	name  string
	check func(*subject) error
}

var promises = []promise{
	{"params-are-well-formed", paramsAreWellFormed},
	{"same-seed-same-bits", sameSeedSameBits},
	{"interleaved-same-bits", interleavedSameBits},
	{"processors-same-bits", processorsSameBits},
	{"predict-changes-nothing", predictChangesNothing},
	{"forward-repeats", forwardRepeats},
	{"forwards-replace", forwardsReplace},
	{"batches-stay-as-they-are", batchesStay},
	{"gradients-fit-the-loss", gradientsFitTheLoss},
	{"update-goes-downhill", updateGoesDownhill},
	{"learning-rate-0-changes-nothing", zeroRateChangesNothing},
	{"any-number-of-rows", anyNumberOfRows},
	{"whole-set-in-any-batches", wholeSetInAnyBatches},
	{"params-are-the-network", paramsAreTheNetwork},
	{"predictions-are-well-formed", predictionsAreWellFormed},
	{"wrong-batches-are-errors", wrongBatchesAreErrors},
	{"frozen-params-stay", frozenParamsStay},
	{"state-round-trip", stateRoundTrip},
	{"tensors-inside", tensorsInside},
	{"pullback", pullback},
}

var errNotApplicable = errors.New("does not apply")

func notApplicable(why string) error { return fmt.Errorf("%w: %s", errNotApplicable, why) }

// subject is a case with its rows in memory.
type subject struct {
	Case
	all     train.Batch   // all rows, in one batch
	batches []train.Batch // of BatchSize; the second and the last are smaller
}

const mostRows = 64

func (c Case) prepare() (*subject, error) {
	c.BatchSize = cmp.Or(c.BatchSize, 8)
	c.Iterations = cmp.Or(c.Iterations, 5)
	c.Tolerance = cmp.Or(c.Tolerance, 1e-4)
	c.Slope = cmp.Or(c.Slope, 0.02)
	c.Discrete = c.Discrete || c.Data.Tokens > 0
	src, err := c.Data.Stage(train.Training)
	if err != nil {
		return nil, err
	}
	all, err := gather(src, train.Pass{Seed: c.Seed, BatchSize: c.BatchSize, Shuffle: true}, mostRows)
	if err != nil {
		return nil, err
	}
	if all.Len() <= c.BatchSize {
		return nil, fmt.Errorf("the case has %d rows of training data: it needs more than its batch size, %d", all.Len(), c.BatchSize)
	}
	if all.Len()%c.BatchSize == 0 {
		all = all.Slice(0, all.Len()-1)
	}
	s := &subject{Case: c, all: all}
	for batch := range slices.Chunk(indices(all.Len()), c.BatchSize) {
		s.batches = append(s.batches, all.Slice(batch[0], batch[len(batch)-1]+1))
	}
	s.batches = slices.Insert(s.batches, 1, s.batches[len(s.batches)-1])
	return s, nil
}

func indices(n int) []int {
	x := make([]int, n)
	for i := range x {
		x[i] = i
	}
	return x
}

// gather joins the batches of a pass into one of at most limit rows.
func gather(src train.Source, p train.Pass, limit int) (train.Batch, error) {
	var all train.Batch
	for b, err := range src(p) {
		if err != nil {
			return all, err
		}
		if err := b.Check(); err != nil {
			return all, err
		}
		if all.Inputs.Shape == nil {
			all.Inputs.Shape, all.Targets.Shape = slices.Clone(b.Inputs.Shape), slices.Clone(b.Targets.Shape)
			all.Inputs.Shape[0], all.Targets.Shape[0] = 0, 0
		}
		all.Inputs.Data = append(all.Inputs.Data, b.Inputs.Data...)
		all.Targets.Data = append(all.Targets.Data, b.Targets.Data...)
		all.Inputs.Shape[0] += b.Len()
		all.Targets.Shape[0] += b.Len()
		all.Rows = append(all.Rows, b.Rows...)
		if all.Len() >= limit {
			break
		}
	}
	if len(all.Rows) != all.Len() {
		all.Rows = nil
	}
	if all.Len() > limit {
		all = all.Slice(0, limit)
	}
	return all, all.Check()
}

func (s *subject) build() (train.Learner, error) { return s.buildSeeded(s.Seed) }

func (s *subject) buildSeeded(seed uint64) (train.Learner, error) {
	return s.Model.Build(s.Data, train.Repeat(s.batches[0]), seed)
}

func (s *subject) rate() float64 { return s.Model.Optimizer.WithDefaults().LearningRate }

func (s *subject) batch(i int) train.Batch { return s.batches[i%len(s.batches)] }

// resliced is a source of all rows in batches of size.
func (s *subject) resliced(size int) train.Source {
	return train.Seq(func(yield func(train.Batch, error) bool) {
		for lo := 0; lo < s.all.Len(); lo += size {
			if !yield(s.all.Slice(lo, min(lo+size, s.all.Len())), nil) {
				return
			}
		}
	})
}

func (s *subject) loss(l train.Learner, src train.Source) (float64, error) {
	scores, err := train.Evaluate(context.Background(), l, src, train.Pass{}, s.Data.Classes)
	if err != nil {
		return 0, err
	}
	return scores[0].Value, nil
}
