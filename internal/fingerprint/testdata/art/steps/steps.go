// Package steps stands for the real one.
package steps

import (
	"strconv"

	"github.com/actually-robust-training/art/train"
)

type Explore struct{}

func (Explore) Name() string                { return "explore" }
func (Explore) Settings() map[string]string { return nil }
func (Explore) Network() *train.Model       { return nil }

type Overfit struct {
	Model  train.Model
	Epochs int
}

func (o Overfit) Name() string { return "overfit" }
func (o Overfit) Settings() map[string]string {
	return map[string]string{"epochs": strconv.Itoa(o.Epochs), "model": o.Model.Name}
}
func (o Overfit) Network() *train.Model { return &o.Model }

type Regularize struct {
	Model  train.Model
	Change func(train.Model) train.Model
}

func (r Regularize) Name() string { return "regularize" }
func (r Regularize) Settings() map[string]string {
	return map[string]string{"model": r.Model.Name, "a": "1", "b": "2"}
}
func (r Regularize) Network() *train.Model { return &r.Model }
