// Package nn stands for the real one: a network is a list of numbers.
package nn

import (
	"fmt"

	"github.com/actually-robust-training/art/train"
)

type Node struct {
	classes int
	layers  *[]float32
}

func (n Node) Classes() int { return n.classes }

func (n Node) Dense(width int) Node {
	*n.layers = append(*n.layers, float32(width))
	return n
}

// Func has no effect on the parameters: only its source tells.
func (n Node) Func(f func(float64) float64) Node { return n }

func Classifier(name string, build func(Node) Node) train.Model {
	return train.Model{Name: name, New: func(init train.Init) (train.Learner, error) {
		var layers []float32
		build(Node{classes: init.Classes, layers: &layers})
		return learner(layers), nil
	}}
}

type learner []float32

func (l learner) Params() []train.Param {
	var all []train.Param
	for i := range l {
		all = append(all, train.Param{Name: fmt.Sprintf("layer%d", i), Shape: []int{1}, Value: l[i : i+1], Grad: make([]float32, 1)})
	}
	return all
}

func (learner) Forward(train.Batch, int) (float64, error)     { return 0, nil }
func (learner) Update(float64) error                          { return nil }
func (learner) Predict(train.Batch) (train.Prediction, error) { return train.Prediction{}, nil }
