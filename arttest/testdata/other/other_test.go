// Package other holds a recipe that has the name of one in package recipes, to be
// run at the same time.
package other

import (
	"context"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/train/traintest"
)

func TestSame(t *testing.T) {
	r := arttest.New(t, arttest.Recipe{Name: "same", Data: traintest.Blobs(1, 8, 2)})
	arttest.Step(r, arttest.StepFunc{Name: "only", Func: func(_ context.Context, s *arttest.Scope) error {
		s.Score("training", "loss", 0.5)
		return nil
	}})
}
