package datasets

import (
	"iter"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/actually-robust-training/art/train"
)

// Batches makes a source of a set. Every row comes once in a pass; the last
// batch holds what is left. Without [train.Pass].Shuffle rows come in stored
// order, with it in an order that depends on seed and epoch alone. A batch is
// valid until the next one of the same pass is asked for: its memory is then
// written again. Passes share no memory, so several may be walked at once.
func Batches(s Set) train.Source {
	return func(p train.Pass) iter.Seq2[train.Batch, error] {
		return func(yield func(train.Batch, error) bool) {
			if err := s.Check(); err != nil {
				yield(train.Batch{}, err)
				return
			}
			order := Order(s.Rows, p)
			size := p.BatchSize
			if size <= 0 {
				size = DefaultBatchSize
			}
			b := newBatch(s, min(size, s.Rows))
			for lo := 0; lo < s.Rows; lo += size {
				rows := order[lo:min(lo+size, s.Rows)]
				part := b
				if len(rows) < b.Len() {
					part = b.Slice(0, len(rows))
				}
				copy(part.Rows, rows)
				if err := fill(&s, p, part); err != nil {
					yield(train.Batch{}, err)
					return
				}
				if !yield(part, nil) {
					return
				}
			}
		}
	}
}

// Order is the order in which a pass visits rows 0 to n−1: a permutation that
// is a function of seed and epoch when the pass shuffles, else 0, 1, 2, ….
func Order(n int, p train.Pass) []int {
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if p.Shuffle {
		shuffle(order, train.DeriveN(p.Seed, "order", p.Epoch))
	}
	return order
}

// shuffle permutes rows by a seed alone (Fisher, Yates).
func shuffle(rows []int, seed uint64) {
	r := rand.New(rand.NewPCG(seed, train.Mix(seed)))
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
}

func newBatch(s Set, rows int) train.Batch {
	shape := func(row []int) []int { return append([]int{rows}, row...) }
	return train.Batch{
		Inputs:  train.NewTensor(shape(s.Shape)...),
		Targets: train.NewTensor(shape(s.TargetShape)...),
		Rows:    make([]int, rows),
	}
}

// fill reads the rows that b.Rows names into b.
func fill(s *Set, p train.Pass, b train.Batch) error {
	if s.Parallel {
		return fillParallel(s, p, b)
	}
	for i, row := range b.Rows {
		if err := s.read(p, row, b.Inputs.Row(i), b.Targets.Row(i)); err != nil {
			return err
		}
	}
	return nil
}

func fillParallel(s *Set, p train.Pass, b train.Batch) error {
	return inParallel(b.Len(), func(i int) error { return s.read(p, b.Rows[i], b.Inputs.Row(i), b.Targets.Row(i)) })
}

// inParallel calls do for 0 to n−1 on all processors and returns the error of
// the lowest number that failed, so that the error does not depend on timing.
func inParallel(n int, do func(i int) error) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	errs := make([]error, n)
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = do(i)
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
