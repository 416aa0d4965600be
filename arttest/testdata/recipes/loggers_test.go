package recipes

import (
	"fmt"
	"os"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/record"
)

// stepNames prints the names of steps that end, with a word of its own.
type stepNames struct{ word string }

func (n *stepNames) Emit(e record.Event) error {
	if e.Kind == record.StepEnd {
		_, err := fmt.Printf("%s %s\n", n.word, e.Step)
		return err
	}
	return nil
}

func init() {
	record.Register("names", func() record.Sink { return &stepNames{"default"} })
	record.Register("breaks", func() record.Sink { panic("no such server") })
}

// TestLogged has a logger of its own when RECIPES_OWN is set.
func TestLogged(t *testing.T) {
	recipe := plain()
	if os.Getenv("RECIPES_OWN") != "" {
		recipe.Loggers = []record.Sink{&stepNames{"own"}}
	}
	arttest.Step(arttest.New(t, recipe), passes("a"))
}
