package datasets

import (
	_ "embed" // the table of Iris
	"strconv"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// The values of Fisher's article; embedded/README.md says how other copies differ.
//
//go:embed embedded/iris.csv
var irisCSV string

// irisSplit is the seed of the split. It is the first one that leaves rows 102
// and 143, which are equal, on one side: no validation row is known from
// training.
const irisSplit = 0

// Iris is Fisher's table of 150 iris flowers (1936): four lengths in
// centimetres, three species of 50 flowers each. 120 flowers are for training
// and 30 for validation, ten of each species, always the same; the features are
// normalised by the training part. [IrisRaw] has them in centimetres.
func Iris() train.Data { return irisData(false) }

// IrisRaw is [Iris] in centimetres, with the same split: for a look at the data,
// and for seeing what a network makes of inputs that are not normalised.
func IrisRaw() train.Data { return irisData(true) }

func irisData(raw bool) train.Data {
	data, err := IrisSet().Data(Options{Seed: irisSplit, Raw: raw})
	if err != nil {
		panic(err) // the table is part of the program
	}
	return data
}

// IrisSet is all of Iris in the order of the table, in centimetres.
func IrisSet() Set {
	lines := strings.Split(strings.TrimSpace(irisCSV), "\n")
	var inputs [][]float32
	var species []int
	var classes []string
	for _, line := range lines[1:] {
		cells := strings.Split(line, ",")
		row := make([]float32, 4)
		for i := range row {
			v, err := strconv.ParseFloat(cells[i], 32)
			if err != nil {
				panic(err) // the table is part of the program
			}
			row[i] = float32(v)
		}
		if name := cells[4]; len(classes) == 0 || classes[len(classes)-1] != name {
			classes = append(classes, name)
		}
		inputs, species = append(inputs, row), append(species, len(classes)-1)
	}
	s, err := FromRows(inputs, species, classes)
	if err != nil {
		panic(err)
	}
	s.Name = "iris"
	s.Features = strings.Split(lines[0], ",")[:4]
	return s
}
