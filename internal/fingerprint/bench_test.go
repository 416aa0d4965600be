package fingerprint_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/train"
)

// step stands for arttest.Step.
func step(s any) fingerprint.Site {
	return fingerprint.Site{Call: fingerprint.Caller(0), First: 0, Last: 0}
}

// site is a step made here, of a model with captured variables.
func site() (fingerprint.Site, train.Model) {
	width := offset()
	m := train.Model{Name: "mlp", New: func(train.Init) (train.Learner, error) {
		return learner{params: []train.Param{{Shape: []int{width}}}}, nil
	}}
	return step(m), m
}

// BenchmarkFirstStep is what the first step of a process pays for code: reading
// and parsing the package under test.
func BenchmarkFirstStep(b *testing.B) {
	s, m := site()
	for b.Loop() {
		r, err := fingerprint.NewReader()
		require.NoError(b, err)
		_, err = r.Code([]fingerprint.Site{s}, m)
		require.NoError(b, err)
	}
}

// BenchmarkLaterStep is what later steps pay.
func BenchmarkLaterStep(b *testing.B) {
	s, m := site()
	r, err := fingerprint.NewReader()
	require.NoError(b, err)
	for b.Loop() {
		in, err := r.Code([]fingerprint.Site{s}, m)
		require.NoError(b, err)
		require.NotEqual(b, "test binary", in[1].Name)
	}
}

// BenchmarkEngine is paid once a process, and only where this module is in
// development: elsewhere its version is read from go.mod.
func BenchmarkEngine(b *testing.B) {
	for b.Loop() {
		r, err := fingerprint.NewReader()
		require.NoError(b, err)
		_, err = r.Engine()
		require.NoError(b, err)
	}
}

// BenchmarkData walks 10,000 pictures of 28 by 28.
func BenchmarkData(b *testing.B) {
	batch := train.Batch{Inputs: train.NewTensor(1000, 784), Targets: train.NewTensor(1000)}
	d := train.Data{Training: train.Seq(func(yield func(train.Batch, error) bool) {
		for range 10 {
			if !yield(batch, nil) {
				return
			}
		}
	})}
	b.SetBytes(10 * 1000 * 785 * 4)
	for b.Loop() {
		_, err := fingerprint.Data(b.Context(), "data", d, 1)
		require.NoError(b, err)
	}
}
