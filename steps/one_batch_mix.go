package steps

import "github.com/actually-robust-training/art/train"

// mostWalked is the number of batches in which rows of another class are looked for.
const mostWalked = 1000

// ofOneClass reports that all rows have the same class.
func ofOneClass(b train.Batch) bool {
	if b.Targets.RowSize() != 1 || b.Len() < 2 {
		return false
	}
	for _, id := range b.Targets.Data {
		if id != b.Targets.Data[0] {
			return false
		}
	}
	return true
}

// mixIn puts the first rows of other classes that a pass yields in place of the last
// quarter of a batch of one class, which a bias alone could learn by heart.
func mixIn(b train.Batch, src train.Source, p train.Pass) error {
	class, at, walked := b.Targets.Data[0], b.Len(), 0
	for other, err := range src(p) {
		if err != nil {
			return err
		}
		for i := range other.Len() {
			if other.Targets.Data[i] == class {
				continue
			}
			at--
			copy(b.Inputs.Row(at), other.Inputs.Row(i))
			copy(b.Targets.Row(at), other.Targets.Row(i))
			if len(b.Rows) > at && len(other.Rows) > i {
				b.Rows[at] = other.Rows[i]
			}
			if at <= b.Len()-max(b.Len()/4, 1) {
				return nil
			}
		}
		if walked++; walked == mostWalked {
			break
		}
	}
	return nil
}
