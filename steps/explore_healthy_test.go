package steps

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// healthy is data without a bug. No check may fail, and no other may warn.
type healthy struct {
	name  string
	data  func(t *testing.T) train.Data
	warns []string
}

func given(d train.Data) func(*testing.T) train.Data { return func(*testing.T) train.Data { return d } }

// file is data that is only there where ART_DATA_DIR has it.
func file(load func() (train.Data, error)) func(*testing.T) train.Data {
	return func(t *testing.T) train.Data {
		d, err := load()
		if errors.Is(err, fs.ErrNotExist) {
			t.Skip(err)
		}
		require.NoError(t, err)
		return d
	}
}

// table is a set of features of all kinds: normal, heavy-tailed, one-hot, rare.
func table(seed uint64, training, validation int) train.Data {
	stage := func(name string, rows int) train.Source {
		r := train.Rand(seed, name)
		b := train.Batch{Inputs: train.NewTensor(rows, 10), Targets: train.NewTensor(rows)}
		for i := range rows {
			x := b.Inputs.Row(i)
			x[0] = float32(r.NormFloat64())
			x[1] = float32(math.Exp(r.NormFloat64()) / 2)
			x[2] = float32(r.ExpFloat64())
			x[3+r.IntN(4)] = 1
			if r.IntN(200) == 0 {
				x[7] = 1
			}
			x[8] = float32(r.IntN(2))
			x[9] = x[0]*0.1 + 3
			b.Targets.Data[i] = float32(r.IntN(3))
			if i < 3 { // every class is there
				b.Targets.Data[i] = float32(i)
			}
		}
		return traintest.Rows(b)
	}
	return train.Data{Name: "table", Training: stage("training", training), Validation: stage("validation", validation), Classes: []string{"a", "b", "c"}}
}

// stars are dark pictures with one bright pixel: small on average only.
func stars(rows int) train.Data {
	stage := func(name string) train.Source {
		r := train.Rand(1, name)
		b := train.Batch{Inputs: train.NewTensor(rows, 1, 64, 64), Targets: train.NewTensor(rows)}
		for i := range rows {
			b.Inputs.Row(i)[r.IntN(2048)+i%2*2048] = 1
			b.Targets.Data[i] = float32(i % 2)
		}
		return traintest.Rows(b)
	}
	return train.Data{Name: "stars", Training: stage("a"), Validation: stage("b"), Classes: []string{"up", "down"}}
}

// vectors are directions in many dimensions, as embeddings are.
func vectors(rows, size int) train.Data {
	stage := func(name string) train.Source {
		r := train.Rand(1, name)
		b := train.Batch{Inputs: train.NewTensor(rows, size), Targets: train.NewTensor(rows)}
		for i := range rows {
			x, sum := b.Inputs.Row(i), 0.
			for j := range x {
				x[j] = float32(r.NormFloat64())
				sum += float64(x[j]) * float64(x[j])
			}
			for j := range x {
				x[j] /= float32(math.Sqrt(sum))
			}
			b.Targets.Data[i] = float32(i % 2)
		}
		return traintest.Rows(b)
	}
	return train.Data{Name: "vectors", Training: stage("a"), Validation: stage("b"), Classes: []string{"a", "b"}}
}

func unit(t *testing.T, d train.Data) train.Data {
	d = bytesOf(t, d, 255)
	for _, stage := range d.Stages() {
		d = edit(t, d, stage, scale(1./255))
	}
	return d
}

func healthyData() []healthy {
	without := func(d train.Data) train.Data { d.Validation = nil; return d }
	list := []healthy{
		{"iris", given(datasets.Iris()), nil},
		{"iris in centimetres", given(datasets.IrisRaw()), nil},
		{"iris without validation", given(without(datasets.Iris())), nil},
		{"regression", given(traintest.Plane(1, 100, 0.1, 5, 1, 2, 3)), nil},
		{"a regression of 12 rows", given(traintest.Plane(2, 12, 0.1, 5, 1, 2)), []string{"sizes"}},
		{"one class", given(traintest.Blobs(1, 50, 1)), nil},
		{"glyphs", given(pictures()), nil},
		{"glyphs in [0, 1]", func(t *testing.T) train.Data { return unit(t, pictures()) }, nil},
		{"glyphs in [0, 1], flat", func(t *testing.T) train.Data { return flat(t, unit(t, pictures())) }, []string{"no-constant-features"}},
		{"token ids", given(tokens(200, 40)), nil},
		{"small features", func(t *testing.T) train.Data {
			d := traintest.Blobs(1, 90, 3)
			for _, stage := range d.Stages() {
				d = edit(t, d, stage, scale(1./55))
			}
			return d
		}, nil},
		{"stars", given(stars(40)), nil},
		{"vectors of length one", given(vectors(60, 3000)), nil},
		{"fashion", file(func() (train.Data, error) { return datasets.FashionSample(datasets.Files{}) }), nil},
		{"fashion in [0, 1], flat", func(t *testing.T) train.Data {
			return flat(t, unit(t, file(func() (train.Data, error) { return datasets.FashionSample(datasets.Files{}) })(t)))
		}, []string{"no-constant-features"}},
		{"digits of other writers", file(func() (train.Data, error) { return datasets.Digits(datasets.Files{}) }), nil},
		{"digits of other writers in [0, 1], flat", func(t *testing.T) train.Data {
			return flat(t, unit(t, file(func() (train.Data, error) { return datasets.Digits(datasets.Files{}) })(t)))
		}, []string{"no-constant-features"}},
		{"names, windows", file(func() (train.Data, error) { return datasets.Names(datasets.NamesOptions{Limit: 3000}) }), nil},
		{"names, whole", file(func() (train.Data, error) {
			return datasets.Names(datasets.NamesOptions{Limit: 3000, EveryPosition: true})
		}), nil},
	}
	for seed := range uint64(10) {
		list = append(list,
			healthy{fmt.Sprintf("blobs of 30 rows, seed %d", seed), given(traintest.Blobs(seed, 30, 3)), nil},
			healthy{fmt.Sprintf("blobs of 300 rows, seed %d", seed), given(traintest.Blobs(seed, 300, 10)), nil},
			healthy{fmt.Sprintf("table of 500 and 30 rows, seed %d", seed), given(table(seed, 500, 30)), nil},
			healthy{fmt.Sprintf("table of 60 and 20 rows, seed %d", seed), given(table(seed, 60, 20)), []string{"no-constant-features"}},
			healthy{fmt.Sprintf("table of 2000 and 1000 rows, seed %d", seed), given(table(seed, 2000, 1000)), nil})
	}
	return list
}

func TestExploreDataPassesHealthyData(t *testing.T) {
	for _, h := range healthyData() {
		t.Run(h.name, func(t *testing.T) {
			got := explore(t, ExploreData{}, h.data(t))
			for _, name := range got.marks(record.Fail) {
				assert.Fail(t, "false alarm", "%s: %s", name, text(got.verdicts[name]))
			}
			for _, name := range got.marks(record.Warn) {
				assert.Contains(t, h.warns, name, "%s", text(got.verdicts[name]))
			}
		})
	}
}

// A split by chance may put one of the equal rows of iris on either side: that
// may be a warning, and never a failure.
func TestExploreDataBearsRandomSplits(t *testing.T) {
	leaks := 0
	for seed := range uint64(40) {
		for _, raw := range []bool{false, true} {
			d, err := datasets.IrisSet().Data(datasets.Options{Seed: seed, Raw: raw})
			require.NoError(t, err)
			got := explore(t, ExploreData{}, d)
			require.Empty(t, got.marks(record.Fail), "seed %d", seed)
			for _, name := range got.marks(record.Warn) {
				require.Equal(t, "no-leakage", name, "seed %d: %s", seed, text(got.verdicts[name]))
				leaks++
			}
		}
	}
	assert.NotZero(t, leaks, "no split put the equal rows on two sides")
}

// Splits of few rows are where sampling errors are largest.
func TestExploreDataBearsSmallSplits(t *testing.T) {
	s := datasets.Subset(datasets.IrisSet(), datasets.Order(150, train.Pass{Seed: 3, Shuffle: true})[:60])
	for seed := range uint64(40) {
		d, err := s.Data(datasets.Options{Seed: seed, Validation: 0.2})
		require.NoError(t, err)
		got := explore(t, ExploreData{}, d)
		require.Empty(t, got.marks(record.Fail), "seed %d: %s", seed, text(got.verdicts["inputs-alike"]))
	}
}

// Whatever the luck of the draw, few rows are no reason to fail.
func TestExploreDataBearsFewRows(t *testing.T) {
	cut := func(n int) func(b *train.Batch) { return func(b *train.Batch) { *b = b.Slice(0, n) } }
	for seed := range uint64(40) {
		for name, d := range map[string]train.Data{
			"12 and 3 rows":      edit(t, traintest.Blobs(seed, 12, 3), train.Validation, cut(3)),
			"60 and 6 rows":      edit(t, table(seed, 60, 60), train.Validation, cut(6)),
			"table of 12 and 12": table(seed, 12, 12),
			"two rows and two":   traintest.Blobs(seed, 2, 2),
			"token ids of a few": edit(t, shuffledTokens(seed, 300, 5), train.Validation, cut(20)),
		} {
			got := explore(t, ExploreData{}, d)
			require.NotContains(t, got.marks(record.Warn), "no-target-in-inputs", "%s, seed %d", name, seed)
			for _, check := range got.marks(record.Fail) {
				require.Fail(t, "false alarm", "%s, seed %d: %s: %s", name, seed, check, text(got.verdicts[check]))
			}
		}
	}
}

// shuffledTokens are tokens of another seed.
func shuffledTokens(seed uint64, rows, vocabulary int) train.Data {
	stage := func(name string) train.Source {
		r := train.Rand(seed, name)
		b := train.Batch{Inputs: train.NewTensor(rows, 4), Targets: train.NewTensor(rows)}
		for i := range b.Inputs.Data {
			b.Inputs.Data[i] = float32(r.IntN(vocabulary))
		}
		for i := range rows {
			b.Targets.Data[i] = float32(i % 2)
		}
		return traintest.Rows(b)
	}
	d := tokens(rows, vocabulary)
	d.Training, d.Validation = stage("a"), stage("b")
	return d
}
