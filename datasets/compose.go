package datasets

import (
	"fmt"
	"slices"
	"sync"

	"github.com/actually-robust-training/art/train"
)

// Subset is the given rows of a set, in the given order; a row may come more
// than once. Row i of the result is rows[i] of s. It panics on a row that s does
// not have.
func Subset(s Set, rows []int) Set {
	rows = slices.Clone(rows)
	inner := s
	for _, row := range rows {
		if row < 0 || row >= s.Rows {
			panic(fmt.Sprintf("datasets.Subset: %s has no row %d: rows are 0 to %d", s.name(), row, s.Rows-1))
		}
	}
	s.Rows = len(rows)
	s.Read = func(p train.Pass, row int, inputs, targets []float32) error {
		return inner.Read(p, rows[row], inputs, targets)
	}
	if inner.class != nil {
		s.class = func(row int) int { return inner.class(rows[row]) }
	}
	if inner.Groups != nil {
		s.Groups = make([]string, len(rows))
		for i, row := range rows {
			s.Groups[i] = inner.Groups[row]
		}
	}
	return s
}

// Concat is the rows of the first set, then those of the next, and so on. They
// must agree in shapes and classes; names are those of the first.
func Concat(first Set, more ...Set) (Set, error) {
	sets := append([]Set{first}, more...)
	ends := make([]int, len(sets)) // row at which the next set begins
	s, groups := first, first.Groups
	s.Rows, s.class = 0, nil
	for i, part := range sets {
		if err := fits(first, part); err != nil {
			return Set{}, fmt.Errorf("concat: %w", err)
		}
		if (part.Groups == nil) != (first.Groups == nil) {
			return Set{}, fmt.Errorf("concat: %s and %s: only one of them has Groups", first.name(), part.name())
		}
		if i > 0 && groups != nil {
			groups = slices.Concat(groups, part.Groups)
		}
		s.Rows += part.Rows
		ends[i] = s.Rows
		s.Parallel = s.Parallel || part.Parallel
		s.augmented = s.augmented || part.augmented
	}
	s.Groups = groups
	s.Read = func(p train.Pass, row int, inputs, targets []float32) error {
		i, _ := slices.BinarySearch(ends, row+1)
		return sets[i].Read(p, row-(ends[i]-sets[i].Rows), inputs, targets)
	}
	return s, nil
}

// fits reports sets whose examples cannot enter the same network.
func fits(a, b Set) error {
	for _, x := range []struct {
		what string
		a, b any
		same bool
	}{
		{"examples of shape", a.Shape, b.Shape, slices.Equal(a.Shape, b.Shape)},
		{"targets of shape", a.TargetShape, b.TargetShape, slices.Equal(a.TargetShape, b.TargetShape)},
		{"tokens", a.Tokens, b.Tokens, a.Tokens == b.Tokens},
		{"classes", a.Classes, b.Classes, slices.Equal(a.Classes, b.Classes)},
	} {
		if !x.same {
			return fmt.Errorf("%s has %s %v, %s has %v: they must be the same", a.name(), x.what, x.a, b.name(), x.b)
		}
	}
	return nil
}

// Map passes every example through change, which writes to inputs and targets
// in place and must depend on nothing else. The shapes stay.
func Map(s Set, change func(row int, inputs, targets []float32) error) Set {
	inner := s
	s.class = nil // change may write another
	s.Read = func(p train.Pass, row int, inputs, targets []float32) error {
		if err := inner.Read(p, row, inputs, targets); err != nil {
			return err
		}
		return change(row, inputs, targets)
	}
	return s
}

// Cache reads every row at most once and keeps it in memory: 4 bytes a value,
// taken as rows are read. Put it around what is slow (decoding, drawing) and
// inside [Augment]: a cache around an augmented set would keep one variant for
// ever, so it panics.
func Cache(s Set) Set {
	if s.augmented {
		panic("datasets.Cache: " + s.name() + " is augmented: write Augment(Cache(set), …), so that every epoch gets its own variants")
	}
	inner, width := s, train.Size(s.Shape)
	rows := make([]struct {
		once   sync.Once
		values []float32 // inputs, then targets
		err    error
	}, s.Rows)
	s.Read = func(_ train.Pass, row int, inputs, targets []float32) error {
		r := &rows[row]
		r.once.Do(func() {
			values := make([]float32, width+len(targets))
			r.err = inner.Read(train.Pass{}, row, values[:width:width], values[width:])
			r.values = values
		})
		if r.err != nil {
			return r.err
		}
		copy(inputs, r.values)
		copy(targets, r.values[width:])
		return nil
	}
	return s
}
