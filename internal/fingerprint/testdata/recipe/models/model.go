package models

import (
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/train"
)

// Width of the hidden layer.
const Width = 16

const (
	low = iota + 1
	high
)

var stack = []adder{Block{Width}, Block{Width / high}}

// Build is the network of the recipe.
func Build(x nn.Node) nn.Node {
	for _, b := range stack {
		x = b.Add(x)
	}
	return head(x)
}

func head(x nn.Node) nn.Node {
	return x.Dense(x.Classes()).Func(func(v float64) float64 { return v * slope })
}

var slope = 0.25

// Wide makes a model that captures its arguments.
func Wide(width int, gain float64) train.Model {
	bend := gain / 2
	return nn.Classifier("wide", func(x nn.Node) nn.Node {
		return x.Dense(width).Func(func(v float64) float64 { return v * bend })
	})
}

// Other is used by no step.
func Other(x nn.Node) nn.Node { return x.Dense(7) }
