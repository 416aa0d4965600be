package nn

import (
	"testing"

	"github.com/actually-robust-training/art/train"
)

func BenchmarkIteration(b *testing.B) {
	logistic := Classifier("logistic", func(x Node) Node { return x.Dense("logits", x.Classes()) })
	logistic.Optimizer = train.SGD(0.1, 0)
	b.Run("logistic-regression-4-3-batch-16", func(b *testing.B) { benchIteration(b, logistic, blobs(16, 4, 3, 1), 3) })
}

func benchIteration(b *testing.B, m train.Model, batch train.Batch, classes int) {
	l := newTestLearner(b, m, batch, classes)
	fit(b, l, batch, 2, 0.01)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := l.Forward(batch, 0); err != nil {
			b.Fatal(err)
		}
		if err := l.Update(0.01); err != nil {
			b.Fatal(err)
		}
	}
}
