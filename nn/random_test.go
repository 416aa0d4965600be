package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// randomNetwork draws a network of branches, residuals, fused and unfused layers.
func randomNetwork(seed uint64) func(x Node) Node {
	return func(x Node) Node {
		rng := rand.New(rand.NewPCG(seed, 0))
		heads := []Node{x}
		for i := range 3 + rng.IntN(8) {
			at := len(heads) - 1
			if rng.IntN(4) == 0 {
				at = rng.IntN(len(heads))
			}
			heads = append(heads, randomLayer(rng, heads[at], heads, fmt.Sprint("l", i)))
		}
		// Every head leads to the output, so that no parameter is unused.
		var flat []Node
		for _, h := range heads[1:] {
			flat = append(flat, h.Flatten())
		}
		return Concat(0, flat...).Dense("out", 2)
	}
}

func randomLayer(rng *rand.Rand, x Node, heads []Node, name string) Node {
	shape := x.Shape()
	same := func() Node { // another tensor of the same shape
		for _, i := range rng.Perm(len(heads)) {
			if fmt.Sprint(heads[i].Shape()) == fmt.Sprint(shape) {
				return heads[i]
			}
		}
		return x
	}
	switch k := rng.IntN(11); {
	case k == 0:
		return x.ReLU()
	case k == 1:
		return x.Tanh()
	case k == 2:
		return x.Dropout(name, 0.4)
	case k == 3:
		return x.Add(same())
	case k == 4:
		return Concat(0, x, same())
	case len(shape) == 1:
		return x.Dense(name, 1+rng.IntN(4)).ReLU()
	case k == 5:
		return x.BatchNorm(name).ReLU()
	case k == 6 && shape[1] > 1:
		return x.MaxPool(2)
	case k == 7 && shape[1] > 2:
		return x.Apply(name, Pool{Size: 2, Stride: 1, Average: true})
	case k == 8:
		return x.Flatten()
	case k == 9:
		return x.Conv(name, Conv{Filters: 1 + rng.IntN(3), Kernel: 3, Pad: 1})
	default:
		return x.Conv(name, Conv{Filters: 1 + rng.IntN(3), Kernel: 3, Pad: 1}).ReLU().MaxPool(min(2, shape[1]))
	}
}

func TestGradientsOfRandomNetworks(t *testing.T) {
	networks := uint64(60)
	if testing.Short() {
		networks = 20
	}
	for seed := range networks {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			checkGradients(t, randomNetwork(seed), []int{2, 4, 4}, 3, false, seed%3 != 0)
		})
	}
}
