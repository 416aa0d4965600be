package fingerprint

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// Structured is a learner that describes its network: layers in order, with
// kinds, names, shapes and settings. Equal texts mean equal networks.
type Structured interface{ Structure() string }

// Structure is what was built: the learner's own description if it has one, the
// names of its tensors, and names, shapes, roles and initial values of its
// parameters. Initial values tell apart what code alone cannot: a width or a
// scale that came from a flag, a loop variable or a file. The learner must be
// fresh.
func Structure(model string, l train.Learner) Ingredient {
	h := sha256.New()
	if s, ok := l.(Structured); ok {
		writeString(h, s.Structure())
	}
	if i, ok := l.(train.Inspector); ok {
		writeString(h, strings.Join(i.Tensors(), "\x00"))
	}
	count := 0
	buf := make([]byte, 0, 1<<16)
	for _, p := range l.Params() {
		writeString(h, p.Name)
		writeString(h, fmt.Sprint(p.Shape, p.Frozen, p.Decays, p.Grad == nil))
		buf = hashFloats(h, buf, p.Value)
		if p.Grad != nil {
			count += len(p.Value)
		}
	}
	return Ingredient{Name: "structure of model " + model, Digest: sum(h), Shown: fmt.Sprintf("%d parameters", count)}
}
