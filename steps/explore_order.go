package steps

import (
	"context"
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

const (
	batchesCompared = 2    // of two equal passes
	rowsInOrder     = 2000 // of a shuffled pass that are looked at
	maxUnmixed      = 0.2  // share of neighbours of one class beyond chance
)

// measureOrder finds out whether equal passes are equal, and whether a shuffled
// pass mixes the classes.
func (x exploration) measureOrder(ctx context.Context) error {
	differs := 0
	for _, f := range x.stages {
		src, err := x.data.Stage(f.name)
		if err != nil {
			return err
		}
		p := train.Pass{Epoch: 1, Seed: x.seed, BatchSize: x.data.BatchSize}
		p.Shuffle, p.Augment = f.name == train.Training, f.name == train.Training
		where, err := x.compare(ctx, src, p)
		if err != nil {
			return fmt.Errorf("data %q: reading %s data again: %w", x.data.Name, f.name, err)
		}
		if where == "" {
			continue
		}
		differs++
		x.find("passes-repeat", record.Verdict{Evidence: []string{f.name + ": " + where},
			Likely: []string{"order or augmentation come from a random source of their own, not from train.Pass.Seed and Epoch", "the source can be read only once"},
			Try:    []string{"make everything random in a pass with train.DeriveN(p.Seed, \"…\", p.Epoch)"}})
	}
	x.measure(seenRepeat, float64(differs), x.allRows())
	if len(x.data.Classes) < 2 || len(x.targetShape) > 0 && train.Size(x.targetShape) != 1 || x.tokenTargets() {
		return nil
	}
	return x.measureMixing(ctx)
}

// compare reads the beginning of a pass twice and says where it differs.
func (x exploration) compare(ctx context.Context, src train.Source, p train.Pass) (string, error) {
	read := func() ([][32]byte, error) {
		var sums [][32]byte
		for b, err := range train.Limit(src, batchesCompared)(p) {
			if err == nil {
				err = context.Cause(ctx)
			}
			if err != nil {
				return nil, err
			}
			sums = append(sums, x.hash.sum(b.Inputs.Data), x.hash.sum(b.Targets.Data))
		}
		return sums, nil
	}
	first, err := read()
	if err != nil {
		return "", err
	}
	second, err := read()
	if err != nil {
		return "", err
	}
	if len(first) != len(second) {
		return fmt.Sprintf("%d batches in one pass and %d in another", len(first)/2, len(second)/2), nil
	}
	for i := range first {
		if first[i] != second[i] {
			return fmt.Sprintf("the %s of batch %d differ between two equal passes", []string{"inputs", "targets"}[i%2], i/2), nil
		}
	}
	return "", nil
}

// measureMixing counts neighbours of one class in a shuffled pass, beyond what
// chance makes likely and six standard errors.
func (x exploration) measureMixing(ctx context.Context) error {
	same, pairs, last := 0., 0., float32(math.NaN())
	p := train.Pass{Seed: x.seed, BatchSize: x.data.BatchSize, Shuffle: true}
	var first []float32
	for b, err := range x.data.Training(p) {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("data %q: reading shuffled training data: %w", x.data.Name, err)
		}
		for _, y := range b.Targets.Data {
			if pairs++; y == last {
				same++
			}
			last = y
		}
		if first == nil {
			first = append(first, b.Targets.Data[:min(len(b.Targets.Data), 16)]...)
		}
		if pairs >= rowsInOrder {
			break
		}
	}
	pairs--
	chance := 0.
	for _, share := range shares(x.counts(x.training())) {
		chance += share * share
	}
	if pairs < 1 || !finite(chance) {
		return nil
	}
	x.measure(seenSorted, same/pairs-chance-6*math.Sqrt(chance*(1-chance)/pairs), int(pairs))
	x.find("order-is-mixed", record.Verdict{
		Evidence: []string{
			fmt.Sprintf("%s of neighbours have one class, by chance it were %s", percent(same/pairs), percent(chance)),
			fmt.Sprintf("the first targets are %v", first)},
		Likely: []string{"the rows are sorted by class and the source does not heed train.Pass.Shuffle"},
		Try:    []string{"make the source with datasets.Batches, which shuffles, or put the rows in a random order beforehand"}})
	return nil
}

func passesRepeat(s *record.StepRun) record.Verdict {
	differs := value(s, seenRepeat, "")
	v := checks.Hold(differs == 0, "equal, bit for bit", "equal")
	if differs > 0 {
		v.Got = "they differ"
	}
	v.Trouble = "the same pass over the data yields other batches each time: no result can be repeated"
	return v
}

func orderMixed(s *record.StepRun) record.Verdict {
	unmixed := value(s, seenSorted, "")
	if !finite(unmixed) {
		return without("there are no classes to mix")
	}
	v := checks.Hold(unmixed <= maxUnmixed, "neighbours as by chance", "mixed")
	if v.Mark == record.Fail {
		v.Got = "sorted by class"
	}
	v.Trouble = "shuffled training batches are still sorted by class: each update unlearns the last"
	return v
}
