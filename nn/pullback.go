package nn

import (
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// Pullback implements train.Differentiator. The gradient with respect to a
// layer that has an activation function is the one after that function.
func (l *Learner) Pullback(b train.Batch, cotangent train.Tensor, name string) (train.Tensor, error) {
	if err := l.net.check(b); err != nil {
		return train.Tensor{}, err
	}
	i, err := l.find(name)
	if err != nil {
		return train.Tensor{}, err
	}
	if want := rowsOf(nil, b.Len(), l.net.output); !slices.Equal(cotangent.Shape, want) || cotangent.Check() != nil {
		return train.Tensor{}, fmt.Errorf("cotangent: got shape %v with %d elements, want %v, that of the outputs", cotangent.Shape, len(cotangent.Data), want)
	}
	pr := l.net.program
	target := pr.gradients[i]
	if target == nil {
		return train.Tensor{}, fmt.Errorf("tensor %q has no gradient: it holds ids, or is read as ids", name)
	}
	err = l.net.guard(func() error {
		l.net.predict(b, true)
		copy(pr.seed.resize(b.Len()), cotangent.Data)
		pr.runBack(pr.need(map[*value[float32]]bool{target: true}))
		return nil
	})
	return train.Tensor{Shape: rowsOf(nil, b.Len(), l.net.layers[i].shape), Data: target.data}, err
}
