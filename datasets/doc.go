// Package datasets turns examples into the [train.Data] that a recipe learns
// from. It stands at the start of the flow: of the public packages it knows train
// alone; steps, baselines and nn only ever see the batches that it makes.
//
// # The parts
//
// A [Set] is a list of examples with random access: how many there are, their
// shape, and a function that reads one. Sets come from memory ([FromRows],
// [FromTensors], [FromSeq], [Words]), from files ([CSV], [IDX], [Arrays], [Folder]) or
// ready-made ([Iris], [Glyphs], [Digits], [MNIST], [FashionMNIST], [Names]).
// Plain functions wrap one set in another, and nothing is read before it is
// asked for: [Subset], [Concat], [Map], [Cache], [Augment], [Split], [SplitBy],
// and [Fit], whose [Scaler] brings every stage onto the scale of the training
// data. [Batches] makes a [train.Source] of the result. The usual way through
// all of it is one line:
//
//	set, err := datasets.CSV{Path: "flowers.csv", Target: "species"}.Load()
//	data, err := set.Data(datasets.Options{})
//
// which splits 80 to 20 by class, fits the scale on the training part, and
// shuffles as the pass asks.
//
// # Same seed, same data
//
// Splits, order, augmentation and drawn characters are functions of seeds that
// are handed in, of the epoch and of the row; see [train.Derive]. Nothing keeps
// the state of a generator, so the row that is read third is the same whether or
// not the first two were read.
//
// # Files and the network
//
// Data sets that are files are looked for under the folder that ART_DATA_DIR
// names and then in the user's cache folder. Nothing here opens a connection:
// the package datasets/download does, and is handed in where it is wanted
// ([Files].Fetch), so that a test of a CSV file does not carry net/http.
package datasets
