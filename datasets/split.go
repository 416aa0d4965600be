package datasets

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// Split divides a set into a training and a validation part, of which the
// second gets the given fraction, in (0, 1), of the rows. The parts depend on
// the set and the seed alone, and their rows come in a random order, so that the
// first batch of a sorted file holds more than one class.
//
// Where every row has one class, the shares of the classes are kept: the number
// of validation rows of a class is within one of its share. Where the set has
// Groups, whole groups are moved instead, and the number of validation rows is
// as near to the fraction as the sizes of the groups allow. Duplicates of a row
// count as rows of their own: give them one group to keep them together.
func Split(s Set, fraction float64, seed uint64) (training, validation Set, err error) {
	if !(fraction > 0 && fraction < 1) {
		return Set{}, Set{}, fmt.Errorf("%s: split: fraction %v for validation is outside (0, 1): 0.2 is usual", s.name(), fraction)
	}
	if err := s.Check(); err != nil {
		return Set{}, Set{}, err
	}
	var out []bool // rows of the validation part
	seed = train.Derive(seed, "split")
	switch {
	case s.Groups != nil:
		out, err = grouped(s, fraction, seed)
	case s.classified():
		out, err = stratified(s, fraction, seed)
	default:
		out = pick([][]int{counting(s.Rows)}, s.Rows, fraction, seed)
	}
	if err != nil {
		return Set{}, Set{}, err
	}
	order := counting(s.Rows)
	shuffle(order, train.Derive(seed, "order"))
	var keep, hold []int
	for _, row := range order {
		if out[row] {
			hold = append(hold, row)
		} else {
			keep = append(keep, row)
		}
	}
	if len(keep) == 0 || len(hold) == 0 {
		return Set{}, Set{}, fmt.Errorf("%s: split: a fraction of %v leaves one side of %d rows empty: use more rows or another fraction",
			s.name(), fraction, s.Rows)
	}
	return Subset(s, keep), Subset(s, hold), nil
}

// SplitBy is [Split] with groups[row] naming what each row belongs to: no group
// is on both sides.
func SplitBy(s Set, groups []string, fraction float64, seed uint64) (training, validation Set, err error) {
	s.Groups = groups
	if groups == nil {
		return Set{}, Set{}, fmt.Errorf("%s: split: groups is nil: it must name the group of every row", s.name())
	}
	return Split(s, fraction, seed)
}

func counting(n int) []int { return Order(n, train.Pass{}) }

// stratified picks the same fraction of every class.
func stratified(s Set, fraction float64, seed uint64) ([]bool, error) {
	classes := make([][]int, len(s.Classes))
	put := func(row int, id float32) error {
		if !(id >= 0 && int(id) < len(classes)) {
			return fmt.Errorf("%s: row %d: class id %v is out of range: there are %d classes", s.name(), row, id, len(classes))
		}
		classes[int(id)] = append(classes[int(id)], row)
		return nil
	}
	if s.class != nil {
		for row := range s.Rows {
			if err := put(row, float32(s.class(row))); err != nil {
				return nil, err
			}
		}
	} else if err := s.walk(func(row int, _, targets []float32) error { return put(row, targets[0]) }); err != nil {
		return nil, err
	}
	return pick(classes, s.Rows, fraction, seed), nil
}

// pick marks a fraction of the rows of each list. Shares are rounded down and
// the rows that are missing from the whole go to the largest remainders
// (Hamilton's method), the first list before the second where they are equal.
func pick(lists [][]int, rows int, fraction float64, seed uint64) []bool {
	marked := make([]bool, rows)
	counts, remainders := make([]int, len(lists)), make([]float64, len(lists))
	missing := int(math.Round(fraction * float64(rows)))
	for i, list := range lists {
		whole, part := math.Modf(fraction * float64(len(list)))
		counts[i], remainders[i] = int(whole), part
		missing -= counts[i]
	}
	order := counting(len(lists))
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case remainders[a] > remainders[b]:
			return -1
		case remainders[a] < remainders[b]:
			return 1
		}
		return 0
	})
	for _, i := range order[:min(max(missing, 0), len(order))] {
		counts[i] = min(counts[i]+1, len(lists[i]))
	}
	for i, list := range lists {
		list = slices.Clone(list)
		shuffle(list, train.DeriveN(seed, "class", i))
		for _, row := range list[:counts[i]] {
			marked[row] = true
		}
	}
	return marked
}

// grouped marks whole groups in a random order for as long as that brings the
// number of marked rows nearer to the fraction.
func grouped(s Set, fraction float64, seed uint64) ([]bool, error) {
	var groups [][]int // rows of each group, in order of first appearance
	index := map[string]int{}
	for row, name := range s.Groups {
		i, known := index[name]
		if !known {
			i = len(groups)
			index[name] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], row)
	}
	if len(groups) < 2 {
		return nil, fmt.Errorf("%s: split: all %d rows belong to the group %q: two groups are needed", s.name(), s.Rows, s.Groups[0])
	}
	order := counting(len(groups))
	shuffle(order, train.Derive(seed, "groups"))
	want, got := fraction*float64(s.Rows), 0
	marked := make([]bool, s.Rows)
	taken := 0
	for _, i := range order {
		size := len(groups[i])
		nearer := math.Abs(want-float64(got+size)) < math.Abs(want-float64(got))
		if !nearer || taken == len(groups)-1 {
			continue
		}
		for _, row := range groups[i] {
			marked[row] = true
		}
		got += size
		taken++
	}
	if got == 0 { // every group is too large: the smallest one is the least wrong
		smallest := slices.MinFunc(order, func(a, b int) int { return len(groups[a]) - len(groups[b]) })
		for _, row := range groups[smallest] {
			marked[row] = true
		}
	}
	return marked, nil
}
