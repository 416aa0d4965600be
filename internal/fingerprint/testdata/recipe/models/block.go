package models

import (
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/recipe/layers"
	"github.com/actually-robust-training/art/recipe/registry"
)

// Block is a type whose method is called through an interface.
type Block struct {
	Width int
}

// Add is called by Build, which knows only the interface.
func (b Block) Add(x nn.Node) nn.Node {
	return x.Dense(b.Width).Func(b.activate)
}

func (b Block) activate(x float64) float64 {
	return layers.Swish(x) * registry.Scale("double")
}

type adder interface {
	Add(nn.Node) nn.Node
}
