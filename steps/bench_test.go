package steps

import (
	"context"
	"testing"
	"time"

	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// still is a learner of many parameters whose iterations cost nothing.
type still struct {
	train.Learner
	params []train.Param
}

func (s still) Params() []train.Param                     { return s.params }
func (s still) Forward(train.Batch, int) (float64, error) { return 1, nil }
func (s still) Update(float64) error                      { return nil }

// BenchmarkProbe measures what the default probe adds to an iteration, for a
// network of 200,000 parameters trained for 600 iterations. Such a network takes 5 ms
// an iteration, so "percent" must stay below 1.
func BenchmarkProbe(b *testing.B) {
	learner := still{}
	for _, name := range []string{"conv1/weight", "conv2/weight", "fc/weight", "logits/weight"} {
		p := train.Param{Name: name, Shape: []int{500, 100}, Value: make([]float32, 50000), Grad: make([]float32, 50000), Decays: true}
		for i := range p.Value {
			p.Value[i], p.Grad[i] = float32(i), 1
		}
		learner.params = append(learner.params, p)
	}
	const iterations = 600
	batch, err := train.First(traintest.Blobs(1, 32, 2).Training, train.Pass{})
	if err != nil {
		b.Fatal(err)
	}
	loop := func(decorators ...train.Decorator) time.Duration {
		start := time.Now()
		l := train.Loop{Learner: learner, Source: train.Repeat(batch), Iterations: iterations, Decorators: decorators}
		if _, err := l.Run(context.Background()); err != nil {
			b.Fatal(err)
		}
		return time.Since(start)
	}
	var bare, probed time.Duration
	for b.Loop() {
		bare += loop()
		start := time.Now()
		p := watch(learner)
		probed += time.Since(start) + loop(p.decorate)
	}
	each := float64(probed-bare) / float64(b.N*iterations)
	b.ReportMetric(each, "ns/iteration")
	b.ReportMetric(100*each/float64(5*time.Millisecond), "percent")
}
