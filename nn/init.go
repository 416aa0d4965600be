package nn

import (
	"math"
	"math/rand/v2"

	"github.com/actually-robust-training/art/train"
)

// Init fills a fresh parameter. Weights of dense layers are [units, features],
// of convolutions [filters, channels, height, width]: the first axis counts
// outputs, the rest make up what one output reads (its fan-in).
type Init func(rng *rand.Rand, shape []int, w []float32)

// fans returns the number of inputs that an output reads, and the number of
// outputs that read an input.
func fans(shape []int) (in, out float64) {
	if len(shape) < 2 {
		return float64(train.Size(shape)), float64(train.Size(shape))
	}
	window := train.Size(shape[2:])
	return float64(shape[1] * window), float64(shape[0] * window)
}

// Zeros sets every element to 0.
func Zeros(_ *rand.Rand, _ []int, w []float32) { clear(w) }

// Constant sets every element to v.
func Constant(v float64) Init {
	return func(_ *rand.Rand, _ []int, w []float32) {
		for i := range w {
			w[i] = float32(v)
		}
	}
}

// Uniform draws from [lo, hi).
func Uniform(lo, hi float64) Init {
	return func(rng *rand.Rand, _ []int, w []float32) {
		for i := range w {
			w[i] = float32(lo + (hi-lo)*rng.Float64())
		}
	}
}

// Normal draws from a normal distribution.
func Normal(mean, deviation float64) Init {
	return func(rng *rand.Rand, _ []int, w []float32) {
		for i := range w {
			w[i] = float32(mean + deviation*rng.NormFloat64())
		}
	}
}

// HeUniform draws from ±√(6/fan-in), which keeps the variance through ReLU (He
// et al. 2015, eq. 10). It is the default of dense layers and convolutions.
func HeUniform(rng *rand.Rand, shape []int, w []float32) {
	in, _ := fans(shape)
	symmetric(math.Sqrt(6/in))(rng, shape, w)
}

// HeNormal draws from a normal distribution of variance 2/fan-in (He et al. 2015).
func HeNormal(rng *rand.Rand, shape []int, w []float32) {
	in, _ := fans(shape)
	Normal(0, math.Sqrt(2/in))(rng, shape, w)
}

// GlorotUniform draws from ±√(6/(fan-in+fan-out)) (Glorot, Bengio 2010, eq. 16).
func GlorotUniform(rng *rand.Rand, shape []int, w []float32) {
	in, out := fans(shape)
	symmetric(math.Sqrt(6/(in+out)))(rng, shape, w)
}

// GlorotNormal draws from a normal distribution of variance 2/(fan-in+fan-out)
// (Glorot, Bengio 2010, eq. 12).
func GlorotNormal(rng *rand.Rand, shape []int, w []float32) {
	in, out := fans(shape)
	Normal(0, math.Sqrt(2/(in+out)))(rng, shape, w)
}

// LeCunUniform draws from ±√(3/fan-in) (LeCun et al. 1998, section 4.6).
func LeCunUniform(rng *rand.Rand, shape []int, w []float32) {
	in, _ := fans(shape)
	symmetric(math.Sqrt(3/in))(rng, shape, w)
}

// LeCunNormal draws from a normal distribution of variance 1/fan-in (LeCun et
// al. 1998, section 4.6).
func LeCunNormal(rng *rand.Rand, shape []int, w []float32) {
	in, _ := fans(shape)
	Normal(0, math.Sqrt(1/in))(rng, shape, w)
}

// Scaled multiplies what init draws by gain.
func Scaled(gain float64, init Init) Init {
	return func(rng *rand.Rand, shape []int, w []float32) {
		init(rng, shape, w)
		for i := range w {
			w[i] *= float32(gain)
		}
	}
}

func symmetric(bound float64) Init { return Uniform(-bound, bound) }

func orInit(init, fallback Init) Init {
	if init != nil {
		return init
	}
	return fallback
}
