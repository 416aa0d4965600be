package datasets_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

// A table of measurements, from text to batches. Load reads it from a file.
func ExampleCSV() {
	table := "weight,colour,fruit\n120,green,apple\n150,red,apple\n8,red,cherry\n7,red,cherry\n130,red,apple\n9,black,cherry\n"
	set, err := datasets.CSV{Name: "fruit", Categorical: map[string][]string{"colour": nil}}.Read(strings.NewReader(table))
	if err != nil {
		panic(err)
	}
	data, err := set.Data(datasets.Options{Validation: 0.34})
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s: %q from %q, %d to train on, %d held back\n",
		data.Name, data.Classes, data.Features, data.Sizes[train.Training], data.Sizes[train.Validation])
	// Output:
	// fruit: ["apple" "cherry"] from ["weight" "colour=black" "colour=green" "colour=red"], 4 to train on, 2 held back
}

// Examples that are already in memory, such as the table of "exclusive or".
func ExampleFromRows() {
	set, err := datasets.FromRows([][]float32{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, []int{0, 1, 1, 0}, []string{"same", "different"})
	if err != nil {
		panic(err)
	}
	for b, err := range datasets.Batches(set)(train.Pass{BatchSize: 3, Seed: 1, Shuffle: true}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(b.Rows, b.Inputs.Data, b.Targets.Data)
	}
	// Output:
	// [0 1 3] [0 0 0 1 1 1] [0 1 0]
	// [2] [1 0] [1]
}

// Any struct with Rows, Shape and Read is a set: nothing has to be in memory.
func ExampleSet() {
	squares := datasets.Set{
		Name: "squares", Rows: 1_000_000, Shape: []int{1}, TargetShape: []int{1},
		Read: func(_ train.Pass, row int, inputs, targets []float32) error {
			inputs[0] = float32(row) / 1_000_000
			targets[0] = inputs[0] * inputs[0]
			return nil
		},
	}
	inputs, targets, err := squares.Example(500_000)
	fmt.Println(inputs, targets, err)
	// Output: [0.5] [0.25] <nil>
}

// Measurements of one patient must not be on both sides of a split.
func ExampleSplitBy() {
	set, err := datasets.FromRows([][]float32{{1}, {2}, {3}, {4}, {5}, {6}}, []float64{.1, .2, .3, .4, .5, .6}, nil)
	if err != nil {
		panic(err)
	}
	training, validation, err := datasets.SplitBy(set, []string{"ann", "bob", "ann", "cid", "cid", "bob"}, 0.34, 1)
	if err != nil {
		panic(err)
	}
	fmt.Println(slices.Compact(slices.Sorted(slices.Values(training.Groups))), validation.Groups)
	// Output: [ann bob] [cid cid]
}

// Pictures that vary from epoch to epoch.
func ExampleAugment() {
	letters := datasets.GlyphOptions{Characters: "ab"}.Set(train.Training, 100)
	varied := datasets.Augment(datasets.Cache(letters), datasets.Affine{Shift: 2, Rotate: 10, Scale: 0.1}.Augment, datasets.Cutout(6))
	for epoch := range 2 {
		b, err := train.First(datasets.Batches(varied), train.Pass{Epoch: epoch, Augment: true})
		fmt.Println(b.Inputs.Shape, b.Rows[:3], err)
	}
	// Output:
	// [32 1 28 28] [0 1 2] <nil>
	// [32 1 28 28] [0 1 2] <nil>
}
