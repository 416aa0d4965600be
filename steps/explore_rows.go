package steps

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// rowKey stands for a row of data: 32 bytes, whatever the size of the row. That
// two different rows among a million share 128 bits of SHA-256 has a probability
// below 1e-26.
type rowKey struct {
	input  [16]byte
	target uint64
	row    int32 // its number in the stage, as the source names it
	stage  uint8 // index into the survey's stages; 0 is training
}

// hasher makes keys of rows; its buffer is used again for every row.
type hasher struct{ buffer []byte }

func (h *hasher) sum(values []float32) [32]byte {
	h.buffer = h.buffer[:0]
	for _, v := range values {
		h.buffer = binary.LittleEndian.AppendUint32(h.buffer, math.Float32bits(v+0)) // minus zero is zero
	}
	return sha256.Sum256(h.buffer)
}

func (h *hasher) key(inputs, targets []float32, row int, stage uint8) rowKey {
	input, target := h.sum(inputs), h.sum(targets)
	k := rowKey{target: binary.LittleEndian.Uint64(target[:]), row: int32(row), stage: stage}
	copy(k.input[:], input[:])
	return k
}

// twins are the rows that have equal inputs.
type twins struct {
	repeated    int   // training rows that repeat another
	single      int   // training rows that occur once
	conflicting int   // training rows whose target is not that of most of their twins
	leaked      []int // by stage: rows that are also in training
	rows        int
	times       [mostCopies + 1]int // rows, of all stages, that occur so many times
	// For each kind, the groups of equal rows; those of a leak are the training
	// row and the other one.
	repeats, conflicts, leaks [][]rowKey
}

// findTwins sorts the keys and looks at neighbours.
func findTwins(keys []rowKey, stages int) twins {
	slices.SortFunc(keys, func(a, b rowKey) int {
		if c := bytes.Compare(a.input[:], b.input[:]); c != 0 {
			return c
		}
		if a.stage != b.stage {
			return int(a.stage) - int(b.stage)
		}
		return int(a.row) - int(b.row)
	})
	t := twins{leaked: make([]int, stages)}
	for len(keys) > 0 {
		end, n := 1, 0
		for end < len(keys) && keys[end].input == keys[0].input {
			end++
		}
		same := keys[:end]
		keys = keys[end:]
		for n < len(same) && same[n].stage == 0 {
			n++
		}
		t.add(same[:n], same[n:])
		if t.rows += len(same); len(same) <= mostCopies {
			t.times[len(same)] += len(same)
		}
	}
	for _, list := range [][][]rowKey{t.repeats, t.conflicts, t.leaks} { // the order of hashes says nothing to people
		slices.SortStableFunc(list, func(a, b []rowKey) int { return int(a[len(a)-1].row) - int(b[len(b)-1].row) })
	}
	return t
}

// mostCopies is the number of times up to which a file is taken to be repeated.
const mostCopies = 5

// copied reports that nearly all rows occur equally often, and more than once: the
// whole data was repeated. By chance, rows repeat in all numbers.
func (t *twins) copied() bool {
	for k := 2; k <= mostCopies; k++ {
		if n := t.times[k]; n >= 100*k && 10*n >= 9*t.rows {
			return true
		}
	}
	return false
}

// add takes in equal rows of training and of the other stages.
func (t *twins) add(training, others []rowKey) {
	n := len(training)
	switch {
	case n == 0:
		return
	case n == 1:
		t.single++
	default:
		t.repeated += n - 1
		t.repeats = append(t.repeats, training)
		if odd := n - commonest(training); odd > 0 {
			t.conflicting += odd
			t.conflicts = append(t.conflicts, training)
		}
	}
	for _, k := range others {
		t.leaked[k.stage]++
		t.leaks = append(t.leaks, []rowKey{training[0], k})
	}
}

// commonest is how many rows share the commonest target.
func commonest(rows []rowKey) int {
	count, most := map[uint64]int{}, 0
	for _, k := range rows {
		count[k.target]++
		most = max(most, count[k.target])
	}
	return most
}

// someRows describes the first groups of a list, and counts the rest.
func someRows(groups [][]rowKey, describe func([]rowKey) string) []string {
	const most = 5
	var texts []string
	for i, g := range groups {
		if i == most {
			return append(texts, fmt.Sprintf("… and %d more", len(groups)-i))
		}
		texts = append(texts, describe(g))
	}
	return texts
}

func rowNumbers(rows []rowKey) string {
	var names []string
	for _, k := range rows[:min(len(rows), 100)] {
		names = append(names, fmt.Sprint(k.row))
	}
	return list(names)
}
