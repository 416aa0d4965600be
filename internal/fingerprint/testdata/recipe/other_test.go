package recipe

import (
	"testing"

	"github.com/actually-robust-training/art/recipe/unrelated"
)

func TestOther(t *testing.T) {
	if unrelated.Answer() != 42 {
		t.Error("wrong")
	}
}
