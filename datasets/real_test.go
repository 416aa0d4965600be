package datasets_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

// real skips when the files of a data set are not there.
func real(t *testing.T, data train.Data, err error) train.Data {
	t.Helper()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip(err)
	}
	require.NoError(t, err)
	return data
}

func perClass(b train.Batch, classes int) []int {
	counts := make([]int, classes)
	for _, v := range b.Targets.Data {
		counts[int(v)]++
	}
	return counts
}

func TestDigits(t *testing.T) {
	data, err := datasets.Digits(datasets.Files{})
	data = real(t, data, err)
	training, validation := all(t, data.Training, train.Pass{}), all(t, data.Validation, train.Pass{})
	assert.Equal(t, []int{3823, 1, 8, 8}, training.Inputs.Shape)
	assert.Equal(t, []int{1797, 1, 8, 8}, validation.Inputs.Shape)
	// Published with the data set.
	assert.Equal(t, []int{376, 389, 380, 389, 387, 376, 377, 387, 380, 382}, perClass(training, 10))
	assert.Equal(t, []int{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}, perClass(validation, 10))
	assert.Equal(t, map[string]int{train.Training: 3823, train.Validation: 1797}, data.Sizes)
	known := map[string]bool{}
	for i := range training.Len() {
		known[fmt.Sprint(training.Inputs.Row(i))] = true
	}
	for i := range validation.Len() {
		assert.False(t, known[fmt.Sprint(validation.Inputs.Row(i))], "validation row %d is also in training", i)
	}
}

func TestFashionSample(t *testing.T) {
	data, err := datasets.FashionSample(datasets.Files{})
	data = real(t, data, err)
	training, validation := all(t, data.Training, train.Pass{}), all(t, data.Validation, train.Pass{})
	assert.Equal(t, []int{720, 1, 28, 28}, training.Inputs.Shape)
	for class := range 10 {
		assert.Equal(t, 72, perClass(training, 10)[class])
		assert.Equal(t, 18, perClass(validation, 10)[class])
	}
}

func TestNames(t *testing.T) {
	data, err := datasets.Names(datasets.NamesOptions{Limit: 2000, EveryPosition: true})
	data = real(t, data, err)
	require.Len(t, data.Classes, 27)
	assert.Equal(t, 27, data.Tokens)
	sides := make([]map[string]bool, 2)
	characters := 0
	for i, src := range []train.Source{data.Training, data.Validation} {
		sides[i] = map[string]bool{}
		b := all(t, src, train.Pass{BatchSize: 512})
		for row := range b.Len() {
			sides[i][spell(data.Classes, b.Inputs.Row(row), b.Targets.Row(row))] = true
		}
		characters += len(b.Targets.Data) - count(b.Targets.Data, -1)
	}
	assert.Len(t, sides[0], 1800)
	assert.Len(t, sides[1], 200)
	assert.True(t, sides[0][".emma|emma."] || sides[1][".emma|emma."])
	for name := range sides[1] {
		assert.False(t, sides[0][name], "%s is on both sides", name)
	}

	windows, err := datasets.Names(datasets.NamesOptions{Limit: 2000, Block: 3})
	require.NoError(t, err)
	assert.Equal(t, characters, windows.Sizes[train.Training]+windows.Sizes[train.Validation], "one example a character")
	assert.Equal(t, []int{32, 3}, shape(t, windows.Training))
}

func shape(t *testing.T, src train.Source) []int {
	t.Helper()
	b, err := train.First(src, train.Pass{})
	require.NoError(t, err)
	return b.Inputs.Shape
}

// spell writes tokens as text: inputs|targets, without what pads them.
func spell(classes []string, inputs, targets []float32) string {
	var in, out strings.Builder
	for _, v := range inputs {
		in.WriteString(classes[int(v)])
	}
	for _, v := range targets {
		if v >= 0 {
			out.WriteString(classes[int(v)])
		}
	}
	return "." + strings.Trim(in.String(), ".") + "|" + out.String()
}

func TestMNIST(t *testing.T) {
	for name, load := range map[string]func(datasets.Files) (train.Data, error){"mnist": datasets.MNIST, "fashion": datasets.FashionMNIST} {
		t.Run(name, func(t *testing.T) {
			data, err := load(datasets.Files{})
			data = real(t, data, err)
			assert.Equal(t, map[string]int{train.Training: 50000, train.Validation: 10000, train.Test: 10000}, data.Sizes)
			assert.Len(t, data.Classes, 10)
			assert.Equal(t, []int{10000, 1, 28, 28}, all(t, data.Test, train.Pass{BatchSize: 1000}).Inputs.Shape)
		})
	}
}
