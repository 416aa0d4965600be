package steps_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

// memory makes a problem of data: whole stages are read.
func memory(d train.Data) problem {
	return problem{
		training: whole(d.Training), validation: whole(d.Validation),
		classes: d.Classes, tokens: d.Tokens, batchSize: max(d.BatchSize, 8),
	}
}

func batches(p problem, size int) problem {
	p.batchSize = size
	return p
}

// whole is all rows of a source, in stored order.
func whole(src train.Source) train.Batch {
	b, err := train.First(src, train.Pass{BatchSize: 1 << 20})
	if err != nil {
		panic(err)
	}
	return b
}

// made makes a problem of rows that a function draws: it fills in the inputs and
// returns the target, a class id unless classes is 0.
func made(seed uint64, rows, validation, inputs, classes int, draw func(r *rand.Rand, x []float32) float64) problem {
	stage := func(name string, n int) train.Batch {
		r := train.Rand(seed, "made", name)
		b := train.Batch{Inputs: train.NewTensor(n, inputs), Targets: train.NewTensor(n)}
		if classes == 0 {
			b.Targets = train.NewTensor(n, 1)
		}
		for i := range n {
			b.Targets.Data[i] = float32(draw(r, b.Inputs.Row(i)))
		}
		return b
	}
	p := problem{training: stage(train.Training, rows), validation: stage(train.Validation, validation), batchSize: 32}
	for c := range classes {
		p.classes = append(p.classes, fmt.Sprint("class", c))
	}
	return p
}

// rings are three classes by distance from the middle.
func rings(seed uint64) problem {
	return made(seed, 360, 150, 2, 3, func(r *rand.Rand, x []float32) float64 {
		class := r.IntN(3)
		radius, angle := 0.4+0.8*float64(class)+0.12*r.NormFloat64(), 2*math.Pi*r.Float64()
		x[0], x[1] = float32(radius*math.Cos(angle)), float32(radius*math.Sin(angle))
		return float64(class)
	})
}

// quadrants are two classes by the sign of the product of two inputs.
func quadrants(seed uint64) problem {
	return made(seed, 400, 150, 2, 2, func(r *rand.Rand, x []float32) float64 {
		x[0], x[1] = float32(r.NormFloat64()), float32(r.NormFloat64())
		if x[0]*x[1] > 0 {
			return 1
		}
		return 0
	})
}

// rare has nine rows of one class for each of the other.
func rare(seed uint64) problem {
	return made(seed, 600, 300, 4, 2, func(r *rand.Rand, x []float32) float64 {
		class := 0.
		if r.IntN(10) == 0 {
			class = 1
		}
		for i := range x {
			x[i] = float32(r.NormFloat64() + 1.3*class)
		}
		return class
	})
}

// rarest has three rows of one class in a hundred, which are told by odds, not by
// place: no row is certain.
func rarest(seed uint64) problem {
	return made(seed, 1600, 800, 6, 2, func(r *rand.Rand, x []float32) float64 {
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		odds := -6 + 2*float64(x[0]) + 1.2*float64(x[1]) + math.Max(0, float64(x[2]*x[3]))
		if r.Float64() < 1/(1+math.Exp(-odds)) {
			return 1
		}
		return 0
	})
}

// coin has two classes of which no prediction is right more than three times in four.
func coin(seed uint64) problem {
	return made(seed, 1200, 500, 4, 2, func(r *rand.Rand, x []float32) float64 {
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		class := 0
		if float64(x[0])+0.8*float64(x[1]*x[2]) > 0 {
			class = 1
		}
		if r.IntN(4) == 0 {
			class = 1 - class
		}
		return float64(class)
	})
}

// friedman is a problem of Friedman (1991), targets near mean 0 and deviation 1.
func friedman(seed uint64) problem {
	return made(seed, 500, 200, 10, 0, func(r *rand.Rand, x []float32) float64 {
		var u [10]float64
		for i := range x {
			u[i] = r.Float64()
			x[i] = float32((u[i] - 0.5) * math.Sqrt(12))
		}
		y := 10*math.Sin(math.Pi*u[0]*u[1]) + 20*(u[2]-0.5)*(u[2]-0.5) + 10*u[3] + 5*u[4] + r.NormFloat64()
		return (y - 14.4) / 5
	})
}

// moons are two half circles.
func moons(seed uint64) problem {
	return made(seed, 300, 120, 2, 2, func(r *rand.Rand, x []float32) float64 {
		c := r.IntN(2)
		a := math.Pi * r.Float64()
		px, py := math.Cos(a), math.Sin(a)-0.25
		if c == 1 {
			px, py = 1-math.Cos(a), 0.25-math.Sin(a)
		}
		x[0], x[1] = float32(px-0.5+0.12*r.NormFloat64()), float32(py+0.12*r.NormFloat64())
		return float64(c)
	})
}

// waves are a sine and a product, with noise.
func waves(seed uint64) problem {
	return made(seed, 400, 150, 3, 0, func(r *rand.Rand, x []float32) float64 {
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return math.Sin(1.5*float64(x[0])) + 0.5*float64(x[1]*x[2]) + 0.1*r.NormFloat64()
	})
}

// lastMark has six tokens: which of the tokens 1, 2 and 3 comes last?
func lastMark(seed uint64) problem {
	p := made(seed, 500, 200, 6, 3, func(r *rand.Rand, x []float32) float64 {
		last := 0.
		for last == 0 {
			for i := range x {
				x[i] = float32(r.IntN(8))
				if x[i] >= 1 && x[i] <= 3 {
					last = float64(x[i])
				}
			}
		}
		return last - 1
	})
	p.tokens = 8
	return p
}

// glyphs are letters of 14 by 14 pixels, drawn once for each seed.
func glyphs(rows, validation int, letters string) func(uint64) problem {
	var mu sync.Mutex
	drawn := map[uint64]problem{}
	return func(seed uint64) problem {
		mu.Lock()
		defer mu.Unlock()
		if _, ok := drawn[seed]; !ok {
			drawn[seed] = memory(datasets.Glyphs(datasets.GlyphOptions{
				Characters: letters, Rows: rows, Validation: validation, Size: 14, Seed: seed, Distortion: 0.6,
			}))
		}
		p := drawn[seed]
		p.training, p.validation = p.training.Clone(), p.validation.Clone()
		return p
	}
}
