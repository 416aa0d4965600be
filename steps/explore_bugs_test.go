package steps

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// bug is a defect of data and what the step must say of it.
type bug struct {
	name  string
	data  func(t *testing.T) train.Data
	check string
	mark  record.Mark
	says  []string // each is somewhere in the verdict
}

func iris(*testing.T) train.Data { return datasets.Iris() }

func pictures() train.Data {
	return datasets.Glyphs(datasets.GlyphOptions{Rows: 200, Validation: 60, Noise: -1})
}

// bytes puts pictures back to 0 … 255.
func bytesOf(t *testing.T, d train.Data, top float32) train.Data {
	for _, stage := range d.Stages() {
		d = edit(t, d, stage, func(b *train.Batch) {
			lo, hi := b.Inputs.Data[0], b.Inputs.Data[0]
			for _, v := range b.Inputs.Data {
				lo, hi = min(lo, v), max(hi, v)
			}
			for i, v := range b.Inputs.Data {
				b.Inputs.Data[i] = float32(math.Round(float64((v - lo) / (hi - lo) * top)))
			}
		})
	}
	return d
}

func planted(d func(t *testing.T) train.Data, stage string, change func(b *train.Batch)) func(t *testing.T) train.Data {
	return func(t *testing.T) train.Data { return edit(t, d(t), stage, change) }
}

func column(c int, change func(row int, v float32) float32) func(b *train.Batch) {
	return func(b *train.Batch) {
		for i := range b.Len() {
			b.Inputs.Row(i)[c] = change(i, b.Inputs.Row(i)[c])
		}
	}
}

func bugsOfValues() []bug {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	return []bug{
		{"NaN in a column", planted(iris, train.Training, column(2, func(row int, v float32) float32 {
			if row%10 == 7 {
				return nan
			}
			return v
		})), "no-nan-or-inf", record.Fail, []string{"12 of 750 values", "training row 7", `feature "petal length" is NaN`, "12 of 120"}},
		{"infinity in validation", planted(iris, train.Validation, func(b *train.Batch) { b.Inputs.Row(3)[0] = inf }),
			"no-nan-or-inf", record.Fail, []string{"1 of 750 values", "validation row 3", "+Inf"}},
		{"NaN as target", planted(func(*testing.T) train.Data { return traintest.Plane(1, 50, 0.1, 0, 1, 2) }, train.Training,
			func(b *train.Batch) { b.Targets.Data[9] = nan }), "no-nan-or-inf", record.Fail, []string{"training row 9", "target 0 is NaN"}},
		{"class ids from 1", func(t *testing.T) train.Data {
			d := iris(t)
			for _, stage := range d.Stages() {
				d = edit(t, d, stage, func(b *train.Batch) {
					for i := range b.Targets.Data {
						b.Targets.Data[i]++
					}
				})
			}
			return d
		}, "targets-in-range", record.Fail, []string{"out of range: 50", "some targets are no id of the 3 classes", "ids 0 to 2", "ids count from 1"}},
		{"class ids with fractions", planted(iris, train.Training, func(b *train.Batch) { b.Targets.Data[4] = 0.5 }),
			"targets-in-range", record.Fail, []string{"training row 4: the target is 0.5", "regression"}},
		{"more classes than names", func(t *testing.T) train.Data {
			d := iris(t)
			d.Classes = d.Classes[:2]
			return d
		}, "targets-in-range", record.Fail, []string{"Classes names 2 classes"}},
		{"all targets left out", func(t *testing.T) train.Data {
			d := iris(t)
			for _, stage := range d.Stages() {
				d = edit(t, d, stage, func(b *train.Batch) {
					for i := range b.Targets.Data {
						b.Targets.Data[i] = -1
					}
				})
			}
			return d
		}, "targets-in-range", record.Fail, []string{"nothing to learn"}},
		{"one target for all", planted(func(*testing.T) train.Data { return traintest.Plane(1, 50, 0.1, 0, 1, 2) }, train.Training,
			func(b *train.Batch) {
				for i := range b.Targets.Data {
					b.Targets.Data[i] = 7
				}
			}), "targets-in-range", record.Fail, []string{"all targets are equal", "every training target is 7"}},
	}
}

func bugsOfScale() []bug {
	return []bug{
		{"pixels as bytes", func(t *testing.T) train.Data { return bytesOf(t, pictures(), 255) },
			"features-on-one-scale", record.Fail, []string{"pixels as they are stored", "0 … 255", "channel 0", "normalise"}},
		{"pixels of 0 to 16, flat", func(t *testing.T) train.Data { return flat(t, bytesOf(t, pictures(), 16)) },
			"features-on-one-scale", record.Fail, []string{"pixels as they are stored", "0 … 16"}},
		{"pixels divided by 255 twice", func(t *testing.T) train.Data {
			d := bytesOf(t, pictures(), 255)
			for _, stage := range d.Stages() {
				d = edit(t, d, stage, scale(1./255/255))
			}
			return d
		}, "features-on-one-scale", record.Fail, []string{"scaled twice", "all inputs: std"}},
		{"one feature in units of its own", func(t *testing.T) train.Data {
			d := iris(t)
			for _, stage := range d.Stages() {
				d = edit(t, d, stage, column(1, func(_ int, v float32) float32 { return 200*v + 1000 }))
			}
			return d
		}, "features-on-one-scale", record.Fail, []string{`feature "sepal width": mean 1000`, "1 of 4 features"}},
		{"one feature far from zero", func(t *testing.T) train.Data {
			d := iris(t)
			for _, stage := range d.Stages() {
				d = edit(t, d, stage, column(1, func(_ int, v float32) float32 { return v + 50 }))
			}
			return d
		}, "features-on-one-scale", record.Fail, []string{`feature "sepal width": mean 50`, "1 of 4 features"}},
		{"one feature far too small", func(t *testing.T) train.Data {
			d := iris(t)
			for _, stage := range d.Stages() {
				d = edit(t, d, stage, column(3, func(_ int, v float32) float32 { return v / 500 }))
			}
			return d
		}, "features-on-one-scale", record.Fail, []string{`feature "petal width"`, "std 0.002"}},
		{"token ids that are not declared", func(t *testing.T) train.Data { d := tokens(200, 400); d.Tokens = 0; return d },
			"features-on-one-scale", record.Fail, []string{"token ids", "train.Data.Tokens: 400"}},
		{"token ids beyond the vocabulary", func(t *testing.T) train.Data { d := tokens(200, 400); d.Tokens = 300; return d },
			"features-on-one-scale", record.Fail, []string{"no id of the 300 tokens", "token 0 is"}},
		{"token ids that were normalised", func(t *testing.T) train.Data {
			return edit(t, tokens(200, 40), train.Training, scale(0.01))
		}, "features-on-one-scale", record.Fail, []string{"normalised, as quantities are", "out of range: 7"}},
		{"a constant feature", func(t *testing.T) train.Data {
			return edit(t, iris(t), train.Training, column(0, func(int, float32) float32 { return 3 }))
		}, "no-constant-features", record.Warn, []string{`"sepal length" (3)`}},
		{"blank pictures", planted(func(*testing.T) train.Data { return pictures() }, train.Training, func(b *train.Batch) {
			clear(b.Inputs.Row(5))
			clear(b.Inputs.Row(6))
			clear(b.Inputs.Row(9))
		}), "no-blank-pictures", record.Warn, []string{"training row 5: every pixel is 0", "3 of 200"}},
	}
}

// tokens is text without sense: windows of 4 ids, and the class is the parity of the first.
func tokens(rows, vocabulary int) train.Data {
	stage := func(name string) train.Source {
		r := train.Rand(1, name)
		b := train.Batch{Inputs: train.NewTensor(rows, 4), Targets: train.NewTensor(rows)}
		for i := range b.Inputs.Data {
			b.Inputs.Data[i] = float32(r.IntN(vocabulary))
		}
		b.Inputs.Data[0] = float32(vocabulary - 1)
		for i := range rows {
			b.Targets.Data[i] = float32(int(b.Inputs.Row(i)[0]) % 2)
		}
		return traintest.Rows(b)
	}
	return train.Data{Name: "tokens", Training: stage("a"), Validation: stage("b"), Classes: []string{"even", "odd"}, Tokens: vocabulary}
}

func bugsOfClasses() []bug {
	return []bug{
		{"split of sorted rows", func(t *testing.T) train.Data {
			d := iris(t)
			all := join(whole(t, d.Training), whole(t, d.Validation))
			d.Training = traintest.Rows(rowsWhere(all, func(_ int, y float32) bool { return y < 2 }))
			d.Validation = traintest.Rows(rowsWhere(all, func(_ int, y float32) bool { return y == 2 }))
			return d
		}, "classes-in-training", record.Fail, []string{"some classes do not occur", `"virginica" (id 2)`, "sorted by class"}},
		{"a class that training lacks", func(t *testing.T) train.Data {
			d := iris(t)
			d.Training = traintest.Rows(rowsWhere(whole(t, d.Training), func(_ int, y float32) bool { return y != 1 }))
			return d
		}, "no-new-classes", record.Fail, []string{`"versicolor" (id 1): 10 in validation`}},
		{"a rare class", func(t *testing.T) train.Data {
			d := iris(t)
			d.Training = traintest.Rows(rowsWhere(whole(t, d.Training), func(row int, y float32) bool { return y != 1 || row < 3 }))
			return d
		}, "classes-balanced", record.Warn, []string{`rarest: "versicolor"`, "balanced accuracy"}},
		{"a token that never comes next", func(t *testing.T) train.Data {
			d := tokens(300, 2)
			d.Classes = append(d.Classes, "never")
			d.Tokens = 3
			return d
		}, "classes-in-training", record.Warn, []string{"vocabulary", `"never" (id 2)`}},
		{"shares that differ", func(t *testing.T) train.Data {
			d := traintest.Blobs(1, 300, 3)
			d.Validation = traintest.Rows(rowsWhere(whole(t, d.Validation), func(row int, y float32) bool { return y == 0 || row%20 == 1 || row%20 == 2 }))
			return d
		}, "targets-alike", record.Warn, []string{"Cramér's V", "of training and", "of validation"}},
		{"targets of another time", func(t *testing.T) train.Data {
			return edit(t, traintest.Plane(1, 200, 0.1, 0, 1, 2), train.Validation, func(b *train.Batch) {
				for i := range b.Targets.Data {
					b.Targets.Data[i] += 9
				}
			})
		}, "targets-alike", record.Warn, []string{"shift in std", "target 0: training mean", "targets are scaled in one stage"}},
	}
}

func bugsOfColumns() []bug {
	with := func(d train.Data, t *testing.T, change func(b *train.Batch, i int)) train.Data {
		for _, stage := range d.Stages() {
			d = edit(t, d, stage, func(b *train.Batch) {
				for i := range b.Len() {
					change(b, i)
				}
			})
		}
		return d
	}
	return []bug{
		{"the class among the inputs", func(t *testing.T) train.Data {
			return with(datasets.Iris(), t, func(b *train.Batch, i int) { b.Inputs.Row(i)[3] = (b.Targets.Data[i] - 1) / 0.816 })
		}, "no-target-in-inputs", record.Fail, []string{`feature "petal width": η² = 1`, "made from the target"}},
		{"the class among the inputs, as codes in another order", func(t *testing.T) train.Data {
			return with(datasets.Iris(), t, func(b *train.Batch, i int) { b.Inputs.Row(i)[0] = []float32{1, -1, 0}[int(b.Targets.Data[i])] })
		}, "no-target-in-inputs", record.Fail, []string{`feature "sepal length": η² = 1`}},
		{"almost the class among the inputs", func(t *testing.T) train.Data {
			return with(datasets.Iris(), t, func(b *train.Batch, i int) { b.Inputs.Row(i)[3] = b.Targets.Data[i] - 1 + 0.05*b.Inputs.Row(i)[0] })
		}, "no-target-in-inputs", record.Warn, []string{`feature "petal width": η² = 0.99`}},
		{"missing cells are -999", planted(iris, train.Training, column(2, func(row int, v float32) float32 {
			if row%10 == 7 {
				return -999
			}
			return v
		})), "no-placeholders", record.Fail, []string{`feature "petal length" is -999 in 12 of 120 training rows`, "stands for a missing value"}},
		{"unknown is 99", planted(iris, train.Training, column(0, func(row int, v float32) float32 {
			if row%40 == 0 {
				return 99
			}
			return v
		})), "no-placeholders", record.Fail, []string{`feature "sepal length" is 99 in 3 of 120 training rows`}},
		{"the class among the inputs, with noise", func(t *testing.T) train.Data {
			r := train.Rand(1, "noise")
			return with(datasets.Iris(), t, func(b *train.Batch, i int) {
				b.Inputs.Row(i)[3] = b.Targets.Data[i] - 1 + float32(0.12*r.NormFloat64())
			})
		}, "no-target-in-inputs", record.Warn, []string{`feature "petal width": each class has a range of its values to itself`}},
		{"the value among the inputs", func(t *testing.T) train.Data {
			return with(traintest.Plane(1, 60, 0.5, 2, 1, 1, 1), t, func(b *train.Batch, i int) { b.Inputs.Row(i)[1] = b.Targets.Row(i)[0]*0.2 + 1 })
		}, "no-target-in-inputs", record.Fail, []string{`feature 1: r² = 1`}},
	}
}

func bugsOfRows() []bug {
	twice := func(share int) func(b *train.Batch) {
		return func(b *train.Batch) { *b = join(*b, b.Slice(0, b.Len()/share)) }
	}
	leak := func(rows int) func(t *testing.T) train.Data {
		return func(t *testing.T) train.Data {
			d := traintest.Blobs(1, 200, 4)
			some := whole(t, d.Validation).Slice(0, rows)
			return edit(t, d, train.Training, func(b *train.Batch) { *b = join(*b, some) })
		}
	}
	contradict := func(rows int) func(t *testing.T) train.Data {
		return planted(func(*testing.T) train.Data { return traintest.Blobs(1, 200, 4) }, train.Training, func(b *train.Batch) {
			more := b.Slice(0, rows).Clone()
			for i, y := range more.Targets.Data {
				more.Targets.Data[i] = float32(int(y+1) % 4)
			}
			*b = join(*b, more)
		})
	}
	return []bug{
		{"rows twice", planted(func(*testing.T) train.Data { return traintest.Blobs(1, 200, 4) }, train.Training, twice(5)),
			"no-duplicates", record.Warn, []string{"16.7 %", "training rows 0, 200 are equal", "… and 35 more"}},
		{"few rows, some twice", planted(func(*testing.T) train.Data { return traintest.Blobs(1, 24, 4) }, train.Training, twice(4)),
			"no-duplicates", record.Warn, []string{"20 %", "training rows 0, 24 are equal"}},
		{"few contradictions", contradict(4), "no-conflicting-targets", record.Warn, []string{"1.96 %", "training rows 0, 200", "98 %"}},
		{"many contradictions", contradict(50), "no-conflicting-targets", record.Fail, []string{"20 %", "80 %", "different targets"}},
		{"one row in both", leak(1), "no-leakage", record.Warn, []string{"1 of 200 rows", "validation row 0 is training row 200", "the data holds equal rows"}},
		{"two rows of few in both", func(t *testing.T) train.Data {
			d := edit(t, traintest.Blobs(1, 200, 4), train.Validation, func(b *train.Batch) { *b = b.Slice(0, 24) })
			some := whole(t, d.Validation).Slice(0, 2)
			return edit(t, d, train.Training, func(b *train.Batch) { *b = join(*b, some) })
		}, "no-leakage", record.Warn, []string{"2 of 24 rows"}},
		{"few rows, all of them in both", func(t *testing.T) train.Data {
			d := traintest.Blobs(1, 24, 3)
			d.Validation = d.Training
			return d
		}, "no-leakage", record.Fail, []string{"24 of 24 rows"}},
		{"rows copied into training", leak(40), "no-leakage", record.Fail, []string{"40 of 200 rows", "20 %", "split first"}},
		{"validation is training", func(t *testing.T) train.Data { d := traintest.Blobs(1, 200, 4); d.Validation = d.Training; return d },
			"no-leakage", record.Fail, []string{"200 of 200 rows", "validation is the training data"}},
		{"duplicates split apart", func(t *testing.T) train.Data {
			d := traintest.Blobs(1, 200, 4)
			all := whole(t, d.Training)
			r := rand.New(rand.NewPCG(1, 2))
			all = join(all, all.Slice(0, 100))
			side := make([]bool, all.Len())
			for i := range side {
				side[i] = r.IntN(4) == 0
			}
			d.Training = traintest.Rows(rowsWhere(all, func(row int, _ float32) bool { return !side[row] }))
			d.Validation = traintest.Rows(rowsWhere(all, func(row int, _ float32) bool { return side[row] }))
			return d
		}, "no-leakage", record.Fail, []string{"split with duplicates in it", "datasets.SplitBy"}},
		{"text repeated before the split", func(t *testing.T) train.Data {
			d := shuffledTokens(3, 300, 60)
			all := whole(t, d.Training)
			d.Training, d.Validation = traintest.Rows(join(all, all.Slice(0, 150))), traintest.Rows(all.Slice(150, 300))
			return d
		}, "no-leakage", record.Fail, []string{"150 of 150 rows", "split with duplicates in it"}},
		{"few values but many features, in part copied", func(t *testing.T) train.Data {
			d := levelled(300, 40, 8)
			some := whole(t, d.Training).Slice(0, 100)
			return edit(t, d, train.Validation, func(b *train.Batch) { *b = join(b.Slice(0, 200), some) })
		}, "no-leakage", record.Fail, []string{"100 of 300 rows"}},
		{"text copied into training", func(t *testing.T) train.Data {
			d := tokens(300, 6) // 1296 different rows: some of 300 repeat by chance
			some := whole(t, d.Validation).Slice(0, 150)
			return edit(t, d, train.Training, func(b *train.Batch) { *b = join(*b, some) })
		}, "no-leakage", record.Fail, []string{"of 300 rows", "copied into training"}},
	}
}

func bugsOfStages() []bug {
	blobs := func(*testing.T) train.Data { return traintest.Blobs(1, 200, 4) }
	return []bug{
		{"validation divided by 255", planted(func(*testing.T) train.Data { return pictures() }, train.Validation, scale(1./255)),
			"inputs-alike", record.Fail, []string{"validation was divided by 255", "channel 0: training mean"}},
		{"validation not divided", func(t *testing.T) train.Data {
			d := bytesOf(t, pictures(), 255)
			return edit(t, d, train.Training, scale(1./255))
		}, "inputs-alike", record.Fail, []string{"training was divided by 255 and validation was not"}},
		{"validation not standardised", func(t *testing.T) train.Data { d := iris(t); d.Validation = datasets.IrisRaw().Validation; return d },
			"inputs-alike", record.Fail, []string{"training is normalised, and validation is not", `feature "sepal length"`}},
		{"training not standardised", func(t *testing.T) train.Data { d := iris(t); d.Training = datasets.IrisRaw().Training; return d },
			"inputs-alike", record.Fail, []string{"validation is normalised, and training is not"}},
		{"one column wrong in validation", planted(blobs, train.Validation, column(1, func(_ int, v float32) float32 { return v + 4 })),
			"inputs-alike", record.Fail, []string{`feature "y" is read or normalised differently in validation`}},
		{"one column empty in validation", planted(blobs, train.Validation, column(1, func(int, float32) float32 { return 0 })),
			"inputs-alike", record.Fail, []string{`feature "y" is empty in validation`, "std 0"}},
		{"split along a feature", func(t *testing.T) train.Data {
			d := blobs(t)
			all := join(whole(t, d.Training), whole(t, d.Validation))
			cut := func(row int) bool { return all.Inputs.Row(row)[0] > 2 }
			d.Training = traintest.Rows(rowsWhere(all, func(row int, _ float32) bool { return !cut(row) }))
			d.Validation = traintest.Rows(rowsWhere(all, func(row int, _ float32) bool { return cut(row) }))
			return d
		}, "inputs-alike", record.Fail, []string{`feature "x"`, "sorted by it"}},
		{"few rows", func(t *testing.T) train.Data {
			return edit(t, iris(t), train.Validation, func(b *train.Batch) { *b = b.Slice(0, 9) })
		}, "sizes", record.Warn, []string{"validation has 9 rows", "11.1 %"}},
		{"training smaller than validation", func(t *testing.T) train.Data {
			d := iris(t)
			d.Training, d.Validation = d.Validation, d.Training
			return d
		}, "sizes", record.Warn, []string{"validation has 120 rows, training only 30"}},
		{"the last batch is dropped", func(t *testing.T) train.Data {
			d := iris(t)
			d.Sizes = map[string]int{train.Training: 120, train.Validation: 30}
			d.Training = train.Limit(d.Training, 3)
			return d
		}, "sizes", record.Warn, []string{"120 rows by train.Data.Sizes, and one pass yields 96", "drops the last batch"}},
		{"order without a seed", func(t *testing.T) train.Data {
			d := iris(t)
			all, calls := whole(t, d.Training), uint64(0)
			d.Training = func(p train.Pass) iter.Seq2[train.Batch, error] {
				calls++
				p.Seed += calls
				return traintest.Rows(all)(p)
			}
			return d
		}, "passes-repeat", record.Fail, []string{"training: the inputs of batch 0 differ", "train.DeriveN"}},
		{"sorted and not shuffled", func(t *testing.T) train.Data {
			d := traintest.Blobs(1, 200, 4)
			all := whole(t, d.Training)
			var sorted train.Batch
			for c := range 4 {
				part := rowsWhere(all, func(_ int, y float32) bool { return y == float32(c) })
				if sorted.Len() == 0 {
					sorted = part
				} else {
					sorted = join(sorted, part)
				}
			}
			src := traintest.Rows(sorted)
			d.Training = func(p train.Pass) iter.Seq2[train.Batch, error] {
				p.Shuffle = false
				return src(p)
			}
			return d
		}, "order-is-mixed", record.Fail, []string{"sorted by class", "the first targets are [0 0 0", "train.Pass.Shuffle"}},
	}
}

func TestExploreDataFindsPlantedBugs(t *testing.T) {
	for _, group := range [][]bug{bugsOfValues(), bugsOfScale(), bugsOfClasses(), bugsOfColumns(), bugsOfRows(), bugsOfStages()} {
		for _, b := range group {
			t.Run(b.name, func(t *testing.T) {
				got := explore(t, ExploreData{}, b.data(t))
				v := got.verdicts[b.check]
				require.Equal(t, b.mark, v.Mark, "%s", text(v))
				require.NotEmpty(t, v.Trouble)
				require.NotEmpty(t, v.Evidence)
				require.NotEmpty(t, v.Try)
				for _, s := range b.says {
					assert.Contains(t, text(v), s)
				}
			})
		}
	}
}

func TestExploreDataErrorsNameStageAndBatch(t *testing.T) {
	broken := func(change func(n int, b train.Batch) (train.Batch, error)) func(train.Data) train.Data {
		return func(d train.Data) train.Data {
			src := d.Validation
			d.Validation = func(p train.Pass) iter.Seq2[train.Batch, error] {
				return func(yield func(train.Batch, error) bool) {
					n := 0
					for b, err := range src(p) {
						if err == nil {
							b, err = change(n, b.Clone())
						}
						if n++; !yield(b, err) {
							return
						}
					}
				}
			}
			return d
		}
	}
	at2 := func(change func(b *train.Batch) error) func(train.Data) train.Data {
		return broken(func(n int, b train.Batch) (train.Batch, error) {
			if n == 2 {
				return b, change(&b)
			}
			return b, nil
		})
	}
	for _, c := range []struct {
		name   string
		plant  func(train.Data) train.Data
		errors []string
	}{
		{"a file that cannot be decoded", broken(func(n int, b train.Batch) (train.Batch, error) {
			if n == 2 {
				return b, fmt.Errorf("cat.png: bad magic")
			}
			return b, nil
		}), []string{"validation", "batch 2 (after 64 rows)", "cat.png: bad magic"}},
		{"a panic", at2(func(*train.Batch) error { panic("planted") }), []string{"validation", "batch 2", "planted"}},
		{"fewer targets", broken(func(n int, b train.Batch) (train.Batch, error) {
			if n == 2 {
				b.Targets = train.NewTensor(b.Len() - 1)
			}
			return b, nil
		}), []string{"validation", "batch 2", "31"}},
		{"other shapes", broken(func(n int, b train.Batch) (train.Batch, error) {
			if n == 2 {
				b.Inputs = train.NewTensor(b.Len(), 3)
			}
			return b, nil
		}), []string{"validation", "batch 2", "[3] a row", "[2]", "pad, crop or resize"}},
		{"other targets", broken(func(n int, b train.Batch) (train.Batch, error) {
			b.Targets = train.NewTensor(b.Len(), 2)
			return b, nil
		}), []string{"validation", "batch 0", "targets have shape [2]"}},
		{"an empty stage", func(d train.Data) train.Data {
			d.Validation = train.Seq(func(func(train.Batch, error) bool) {})
			return d
		}, []string{"the validation data is empty", "nil"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := tryExplore(ExploreData{}, c.plant(traintest.Blobs(1, 100, 3)))
			require.Error(t, err)
			for _, s := range append(c.errors, `"blobs"`) {
				assert.Contains(t, err.Error(), s)
			}
		})
	}
}
