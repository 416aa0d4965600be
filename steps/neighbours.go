package steps

import (
	"fmt"
	"math"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/train"
)

// suspectLabels asks, without any network, whether rows that look alike have
// related targets, and adds the answer to the causes.
func (t *trial) suspectLabels(c *causes) error {
	const most = 400
	p := t.pass()
	p.BatchSize = most
	b, err := train.First(t.data.Training, p)
	if err != nil {
		return err
	}
	b = b.Slice(0, min(b.Len(), most))
	if b.Targets.RowSize() != 1 || b.Len() < 8 {
		return nil
	}
	alike := likeness{}
	same := 0
	for i := range b.Len() {
		j := nearest(b.Inputs, i)
		y, z := b.Targets.Data[i], b.Targets.Data[j]
		if y == z {
			same++
		}
		if k := len(t.data.Classes); k == 0 {
			alike.addValues([]float32{z}, []float32{y})
		} else if y >= 0 && z >= 0 {
			vote := make([]float32, k)
			vote[int(z)] = 1
			alike.addClass(vote, int(y))
		}
	}
	z := alike.z()
	evidence := fmt.Sprintf("of %d training rows, %d have the class of the row most like them", b.Len(), same)
	if len(t.data.Classes) == 0 {
		evidence = fmt.Sprintf("targets of training rows correlate by %s with those of the rows most like them", checks.Number(alike.correlation()))
	}
	if z >= significant {
		c.add(false, evidence, "", "")
		return nil
	}
	c.add(false, evidence+": as many as chance gives",
		"the labels do not belong to the inputs: shuffled, or off by some rows", "look at inputs with their labels, as steps.ExploreData draws them")
	return nil
}

// nearest is the row that is most like row i.
func nearest(x train.Tensor, i int) int {
	best, at := math.Inf(1), 0
	for j := range x.Rows() {
		if j == i {
			continue
		}
		d := 0.
		for k, v := range x.Row(j) {
			e := float64(v - x.Row(i)[k])
			if d += e * e; d >= best {
				break
			}
		}
		if d < best {
			best, at = d, j
		}
	}
	return at
}
