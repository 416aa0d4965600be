package recipe

import (
	"iter"

	"github.com/actually-robust-training/art/train"
)

var rows = []float32{1, 2, 3, 4, 5, 6}

func data() train.Data {
	return train.Data{Name: "rows", Training: source, Classes: []string{"a", "b", "c"}, BatchSize: 2}
}

func source(p train.Pass) iter.Seq2[train.Batch, error] {
	return func(yield func(train.Batch, error) bool) {
		b := train.Batch{Inputs: train.NewTensor(3, 2), Targets: train.NewTensor(3)}
		copy(b.Inputs.Data, rows)
		if p.Augment {
			b.Inputs.Data[0] *= 1.5
		}
		yield(b, nil)
	}
}
