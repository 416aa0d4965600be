package steps

import (
	"math"
	"slices"
)

// discrete reports that equal rows come about by chance: token ids, and
// features that each have few values and together few combinations of them.
func (v *survey) discrete() bool { return v.data.Tokens > 0 || v.levels.few(v.training().rows) }

// levels counts the different values of every feature, while none has more than
// mostLevels.
type levels struct {
	open   bool
	values [][]float32
	counts [][]int
}

const mostLevels = 32

// few leaves out data of so few rows that a continuous feature has few values too, and
// data whose features have so many bits that no two rows meet: n rows of as many
// equally likely combinations meet when n² of them are more than there are. Features
// that depend on each other have fewer bits than their sum, so twice as many are
// allowed, and ten.
func (l *levels) few(rows int) bool {
	most, bits := 0, 0.
	for i, v := range l.values {
		most = max(most, len(v))
		for _, n := range l.counts[i] {
			p := float64(n) / float64(rows)
			bits -= p * math.Log2(p)
		}
	}
	return l.open && 4*most <= rows && bits <= 4*math.Log2(float64(rows))+10
}

func (l *levels) add(row []float32) {
	if !l.open {
		return
	}
	if l.values == nil {
		l.values, l.counts = make([][]float32, len(row)), make([][]int, len(row))
	}
	for i, x := range row {
		if x-x != 0 {
			continue
		}
		if at := slices.Index(l.values[i], x); at >= 0 {
			l.counts[i][at]++
			continue
		}
		l.values[i], l.counts[i] = append(l.values[i], x), append(l.counts[i], 1)
		if len(l.values[i]) > mostLevels {
			l.open, l.values, l.counts = false, nil, nil
			return
		}
	}
}
