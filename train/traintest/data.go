package traintest

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// Rows makes a source of rows in memory: all of them in one batch, which a pass
// cuts and shuffles as it asks. The batch size defaults to 32.
func Rows(all train.Batch) train.Source {
	return func(p train.Pass) iter.Seq2[train.Batch, error] {
		return func(yield func(train.Batch, error) bool) {
			if err := all.Check(); err != nil {
				yield(train.Batch{}, err)
				return
			}
			size := p.BatchSize
			if size == 0 {
				size = 32
			}
			order := indices(all.Len())
			if p.Shuffle {
				seed := train.DeriveN(p.Seed, "order", p.Epoch)
				order = rand.New(rand.NewPCG(seed, train.Mix(seed))).Perm(all.Len())
			}
			for chunk := range slices.Chunk(order, size) {
				if !yield(pick(all, chunk), nil) {
					return
				}
			}
		}
	}
}

func pick(all train.Batch, order []int) train.Batch {
	shape := func(t train.Tensor) []int { return append([]int{len(order)}, t.Shape[1:]...) }
	b := train.Batch{Inputs: train.NewTensor(shape(all.Inputs)...), Targets: train.NewTensor(shape(all.Targets)...)}
	for i, row := range order {
		copy(b.Inputs.Row(i), all.Inputs.Row(row))
		copy(b.Targets.Row(i), all.Targets.Row(row))
		if all.Rows != nil {
			row = all.Rows[row]
		}
		b.Rows = append(b.Rows, row)
	}
	return b
}

// Blobs is a problem of classification: points in the plane, one Gaussian cloud
// of deviation 0.5 for each class, with their centres on a circle of radius 3.
// Up to about ten classes can be told apart almost without error. There are rows
// rows of training data and as many of validation, classes in turn.
func Blobs(seed uint64, rows, classes int) train.Data {
	stage := func(name string) train.Source {
		r := train.Rand(seed, "blobs", name)
		b := train.Batch{Inputs: train.NewTensor(rows, 2), Targets: train.NewTensor(rows)}
		for i := range rows {
			class := i % classes
			angle := 2 * math.Pi * float64(class) / float64(classes)
			b.Inputs.Row(i)[0] = float32(3*math.Cos(angle) + r.NormFloat64()/2)
			b.Inputs.Row(i)[1] = float32(3*math.Sin(angle) + r.NormFloat64()/2)
			b.Targets.Data[i] = float32(class)
		}
		return Rows(b)
	}
	d := train.Data{
		Name: "blobs", Features: []string{"x", "y"},
		Training: stage(train.Training), Validation: stage(train.Validation),
		Digest: fmt.Sprintf("blobs %d %d %d", seed, rows, classes),
	}
	for c := range classes {
		d.Classes = append(d.Classes, fmt.Sprintf("class %d", c))
	}
	return d
}

// Plane is a problem of regression: inputs from the standard normal distribution,
// one target, bias + Σ weights·inputs + noise·(standard normal). There are rows
// rows of training data and as many of validation.
func Plane(seed uint64, rows int, noise, bias float64, weights ...float64) train.Data {
	stage := func(name string) train.Source {
		r := train.Rand(seed, "plane", name)
		b := train.Batch{Inputs: train.NewTensor(rows, len(weights)), Targets: train.NewTensor(rows, 1)}
		for i := range rows {
			y := bias + noise*r.NormFloat64()
			for j, w := range weights {
				x := float32(r.NormFloat64())
				b.Inputs.Row(i)[j] = x
				y += w * float64(x)
			}
			b.Targets.Data[i] = float32(y)
		}
		return Rows(b)
	}
	return train.Data{
		Name: "plane", Training: stage(train.Training), Validation: stage(train.Validation),
		Digest: fmt.Sprintf("plane %d %d %g %g %g", seed, rows, noise, bias, weights),
	}
}
