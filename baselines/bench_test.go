package baselines_test

import (
	"testing"

	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/train"
)

// BenchmarkFit fits to data of the size of a small set of pictures.
func BenchmarkFit(b *testing.B) {
	const n, size = 1000, 784
	classShape, classes := ids(repeat(n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)...)
	d := data(make([]string, 10), []int{n, size}, noise(n*size), classShape, classes)
	v := data(nil, []int{n, size}, noise(n*size), []int{n, 1}, noise(n))
	all := train.Pass{BatchSize: n}
	for _, c := range []struct {
		model train.Model
		data  train.Data
	}{{baselines.Logistic, d}, {baselines.KNN(5), d}, {baselines.Linear, v}} {
		b.Run(c.model.Name, func(b *testing.B) {
			batch, err := train.First(c.data.Training, all)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				l, err := c.model.Build(c.data, c.data.Training, 1)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := l.Forward(batch, 0); err != nil {
					b.Fatal(err)
				}
				if err := l.Update(0); err != nil {
					b.Fatal(err)
				}
				if _, err := l.Predict(batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
