package steps

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

func TestBatchOfOneClassIsMixed(t *testing.T) {
	rows := func(classes ...float32) train.Batch {
		b := train.Batch{Inputs: train.NewTensor(len(classes), 1), Targets: train.NewTensor(len(classes))}
		for i, c := range classes {
			b.Inputs.Data[i], b.Targets.Data[i] = float32(i), c
			b.Rows = append(b.Rows, i)
		}
		return b
	}
	for _, tt := range []struct {
		name    string
		all     train.Batch
		inputs  []float32
		targets []float32
	}{
		{"a quarter is replaced", rows(0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 1), []float32{0, 1, 2, 3, 4, 5, 12, 9}, []float32{0, 0, 0, 0, 0, 0, 1, 1}},
		{"what there is", rows(0, 0, 0, 0, 0, 0, 0, 0, 0, 2), []float32{0, 1, 2, 3, 4, 5, 6, 9}, []float32{0, 0, 0, 0, 0, 0, 0, 2}},
		{"nothing else", rows(0, 0, 0, 0, 0, 0, 0, 0, 0), []float32{0, 1, 2, 3, 4, 5, 6, 7}, []float32{0, 0, 0, 0, 0, 0, 0, 0}},
	} {
		src, p := traintest.Rows(tt.all), train.Pass{BatchSize: 8}
		b, err := train.First(src, p)
		require.NoError(t, err)
		require.True(t, ofOneClass(b))
		require.NoError(t, mixIn(b, src, p))
		assert.Equal(t, tt.inputs, b.Inputs.Data, tt.name)
		assert.Equal(t, tt.targets, b.Targets.Data, tt.name)
		assert.Equal(t, int(b.Inputs.Data[7]), b.Rows[7], tt.name)
	}
	assert.False(t, ofOneClass(rows(0, 1)))
	assert.False(t, ofOneClass(train.Batch{Targets: train.NewTensor(4, 3)}), "a class at every position")
}
