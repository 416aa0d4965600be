package steps

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// drawn is the name of data whose pictures are drawn.
const drawn = "drawn"

// explored is what a run of ExploreData left.
type explored struct {
	verdicts map[string]record.Verdict
	step     *record.StepRun
	files    map[string][]byte
	survey   *survey
}

// explore runs the step without a test of its own, so that its checks may fail.
func explore(t *testing.T, e ExploreData, d train.Data) explored {
	t.Helper()
	got, err := tryExplore(e, d)
	require.NoError(t, err)
	return got
}

// tryExplore draws nothing unless files are asked for: that takes longest.
func tryExplore(e ExploreData, d train.Data) (explored, error) {
	if d.BatchSize == 0 {
		d.BatchSize = 32
	}
	var run record.Run
	got := explored{verdicts: map[string]record.Verdict{}, files: map[string][]byte{}}
	x := exploration{
		ExploreData: e.withDefaults(),
		emit:        func(ev record.Event) { ev.Step = "explore-data"; _ = run.Emit(ev) },
		save: func(name string, write func(io.Writer) error) error {
			if !strings.HasSuffix(name, ".md") && !strings.HasSuffix(name, ".npy") && d.Name != drawn {
				return nil
			}
			var b bytes.Buffer
			err := write(&b)
			got.files[name] = b.Bytes()
			return err
		},
		progress: func(int, int, string) {},
	}
	x.survey = &survey{}
	if err := x.run(context.Background(), d, 1); err != nil {
		return got, err
	}
	got.survey = x.survey
	got.step = run.Step("explore-data")
	for _, c := range e.Plan().Checks {
		got.verdicts[c.Name] = c.Run(got.step)
	}
	return got, nil
}

// marks lists the checks with a mark.
func (x explored) marks(mark record.Mark) []string {
	names := []string{}
	for _, c := range (ExploreData{}).Plan().Checks {
		if x.verdicts[c.Name].Mark == mark {
			names = append(names, c.Name)
		}
	}
	return names
}

// text is all that a verdict says.
func text(v record.Verdict) string {
	parts := []string{v.Trouble, v.Want, v.Got, v.Note}
	for _, list := range [][]string{v.Evidence, v.Likely, v.Try} {
		parts = append(parts, list...)
	}
	return strings.Join(parts, "\n")
}

// whole is a stage as one batch that may be changed.
func whole(t *testing.T, src train.Source) train.Batch {
	t.Helper()
	b, err := train.First(src, train.Pass{BatchSize: 1 << 20})
	require.NoError(t, err)
	return b
}

// levelled has features of whole numbers from 0 to levels−1, drawn by chance.
func levelled(rows, features, levels int) train.Data {
	stage := func(name string) train.Source {
		r := train.Rand(1, name)
		b := train.Batch{Inputs: train.NewTensor(rows, features), Targets: train.NewTensor(rows)}
		for i := range b.Inputs.Data {
			b.Inputs.Data[i] = float32(r.IntN(levels))
		}
		for i := range rows {
			b.Targets.Data[i] = float32(r.IntN(2))
		}
		return traintest.Rows(b)
	}
	return train.Data{Name: "levels", Training: stage("a"), Validation: stage("b"), Classes: []string{"a", "b"}}
}

// edit changes a stage of a problem.
func edit(t *testing.T, d train.Data, stage string, change func(b *train.Batch)) train.Data {
	t.Helper()
	src, err := d.Stage(stage)
	require.NoError(t, err)
	b := whole(t, src)
	change(&b)
	b.Rows = nil
	switch stage {
	case train.Training:
		d.Training = traintest.Rows(b)
	case train.Validation:
		d.Validation = traintest.Rows(b)
	}
	return d
}

// scale multiplies all inputs.
func scale(by float32) func(b *train.Batch) {
	return func(b *train.Batch) {
		for i := range b.Inputs.Data {
			b.Inputs.Data[i] *= by
		}
	}
}

// flat turns pictures into rows of features.
func flat(t *testing.T, d train.Data) train.Data {
	for _, stage := range d.Stages() {
		d = edit(t, d, stage, func(b *train.Batch) { b.Inputs.Shape = []int{b.Len(), b.Inputs.RowSize()} })
	}
	return d
}

// join puts the rows of both under each other.
func join(a, b train.Batch) train.Batch {
	both := train.Batch{}
	for _, p := range []struct{ to, a, b *train.Tensor }{{&both.Inputs, &a.Inputs, &b.Inputs}, {&both.Targets, &a.Targets, &b.Targets}} {
		p.to.Shape = append([]int{a.Len() + b.Len()}, p.a.Shape[1:]...)
		p.to.Data = append(append([]float32{}, p.a.Data...), p.b.Data...)
	}
	return both
}

// rowsWhere keeps the rows of a batch for which keep is true.
func rowsWhere(b train.Batch, keep func(row int, target float32) bool) train.Batch {
	var kept train.Batch
	for i := range b.Len() {
		if !keep(i, b.Targets.Row(i)[0]) {
			continue
		}
		if row := b.Slice(i, i+1).Clone(); kept.Len() == 0 {
			kept = row
		} else {
			kept = join(kept, row)
		}
	}
	kept.Rows = nil
	return kept
}

func TestExploreDataPlanIsWhole(t *testing.T) {
	plan := ExploreData{}.Plan()
	assert.Equal(t, "explore-data", plan.Name)
	declared := map[checks.Ref]bool{}
	for _, ref := range plan.Scores {
		declared[ref] = true
	}
	for _, d := range []train.Data{traintest.Blobs(1, 40, 3), traintest.Plane(1, 40, 0.1, 0, 1), tokens(40, 9), pictures()} {
		for _, series := range explore(t, ExploreData{}, d).step.Series {
			assert.True(t, declared[checks.Ref{Metric: series.Name, Stage: series.Stage}], "%s on %q is not in Plan.Scores", series.Name, series.Stage)
		}
	}
	for _, c := range plan.Checks {
		require.NoError(t, c.Err())
		assert.NotEmpty(t, c.Claim)
	}
}

func TestExploreDataThresholds(t *testing.T) {
	d := bytesOf(t, pictures(), 255)
	assert.Equal(t, record.Fail, explore(t, ExploreData{}, d).verdicts["features-on-one-scale"].Mark)
	tolerant := ExploreData{MaxStd: 100, MaxMean: 100}
	got := explore(t, tolerant, d)
	assert.Equal(t, record.Pass, got.verdicts["features-on-one-scale"].Mark)
	assert.Contains(t, got.verdicts["features-on-one-scale"].Want, "100")
	assert.Equal(t, "100", tolerant.Plan().Settings["max-std"])

	blobs := traintest.Blobs(1, 100, 3)
	some := whole(t, blobs.Validation).Slice(0, 4)
	blobs = edit(t, blobs, train.Training, func(b *train.Batch) { *b = join(*b, some) })
	assert.Equal(t, record.Warn, explore(t, ExploreData{}, blobs).verdicts["no-leakage"].Mark)
	assert.Equal(t, record.Fail, explore(t, ExploreData{MaxLeakage: -1}, blobs).verdicts["no-leakage"].Mark, "negative thresholds are zero")
}

func TestExploreDataArtifacts(t *testing.T) {
	for _, c := range []struct {
		name  string
		data  train.Data
		files []string
	}{
		{"features", traintest.Blobs(1, 40, 3), []string{"data-card.md", "sample.npy", "sample-targets.npy", "class-counts.svg", "class-counts.png",
			"histograms/0-x.svg", "histograms/0-x.png", "histograms/1-y.svg", "histograms/1-y.png"}},
		{"pictures", pictures(), []string{"data-card.md", "sample.npy", "sample-targets.npy", "class-counts.svg", "class-counts.png",
			"histograms/inputs.svg", "histograms/inputs.png", "contact-sheet.png"}},
		{"regression", traintest.Plane(1, 40, 0.1, 0, 1), []string{"data-card.md", "sample.npy", "sample-targets.npy",
			"histograms/inputs.svg", "histograms/inputs.png"}},
		{"tokens", tokens(40, 9), []string{"data-card.md", "sample.npy", "sample-targets.npy", "class-counts.svg", "class-counts.png",
			"histograms/inputs.svg", "histograms/inputs.png"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.data.Name = drawn
			files := explore(t, ExploreData{}, c.data).files
			assert.ElementsMatch(t, c.files, slices.Collect(maps.Keys(files)))
			sample, err := tensorfile.ReadNPY(bytes.NewReader(files["sample.npy"]))
			require.NoError(t, err)
			first := whole(t, c.data.Training).Slice(0, 32)
			assert.Equal(t, first.Inputs.Shape, sample.Shape)
			values, err := sample.Float32()
			require.NoError(t, err)
			assert.Equal(t, first.Inputs.Data, values)
			if c.name == "features" {
				assert.Equal(t, files, explore(t, ExploreData{}, c.data).files, "the same data gives the same files")
			}
		})
	}
}

func TestContactSheetHasAFewOfEachClass(t *testing.T) {
	for _, c := range []struct{ examples, want int }{{0, 8}, {3, 3}, {50, 10}} {
		got := explore(t, ExploreData{Examples: c.examples}, pictures())
		require.Len(t, got.survey.sample.sheet, 10)
		for _, examples := range got.survey.sample.sheet {
			assert.Len(t, examples, c.want)
		}
	}
}

func TestSampleIsFair(t *testing.T) {
	v := &survey{seed: 1}
	v.sample.limits(v, 1)
	for i := range 100000 {
		v.sample.add(i, []float32{float32(i)}, nil)
	}
	require.Len(t, v.sample.reservoir, reservoirRows)
	sum := 0.
	for _, row := range v.sample.reservoir {
		sum += float64(row[0])
	}
	assert.InDelta(t, 50000, sum/reservoirRows, 4*28868/math.Sqrt(reservoirRows))
}

func TestDataCardTellsWhatThereIs(t *testing.T) {
	d := traintest.Blobs(1, 40, 2)
	d.Classes[1] = "b|c"
	card := string(explore(t, ExploreData{}, d).files["data-card.md"])
	for _, s := range []string{"# Data card: blobs", "shape [2] a row", "| training | 40 |", `| feature "x" | validation |`, `| 1 | b\|c | 20 | 20 |`} {
		assert.Contains(t, card, s)
	}
}

func TestExploreDataStopsWhenItIsTold(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("enough")
	cancel(reason)
	x := exploration{ExploreData: ExploreData{}.withDefaults(), survey: &survey{}, progress: func(int, int, string) {}}
	err := x.run(ctx, traintest.Blobs(1, 40, 2), 1)
	require.ErrorIs(t, err, reason)
}

// Indicators of several classes at once are not class ids.
func TestExploreDataCountsIndicators(t *testing.T) {
	d := traintest.Blobs(1, 60, 3)
	for _, stage := range d.Stages() {
		d = edit(t, d, stage, func(b *train.Batch) {
			ones := train.NewTensor(b.Len(), 3)
			for i, y := range b.Targets.Data {
				ones.Row(i)[int(y)] = 1
				ones.Row(i)[(int(y)+1)%3] = float32(i % 2)
			}
			b.Targets = ones
		})
	}
	got := explore(t, ExploreData{}, d)
	assert.Empty(t, got.marks(record.Fail))
	assert.Contains(t, string(got.files["data-card.md"]), "| 0 | class 0 | 30 | 30 |")
}

// Two classes at two positions may look like indicators, and are ids.
func TestExploreDataCountsIdsAtPositions(t *testing.T) {
	d := traintest.Blobs(1, 60, 2)
	for _, stage := range d.Stages() {
		d = edit(t, d, stage, func(b *train.Batch) {
			ids := train.NewTensor(b.Len(), 2)
			for i, y := range b.Targets.Data {
				ids.Row(i)[0], ids.Row(i)[1] = y, 1
			}
			b.Targets = ids
		})
	}
	card := string(explore(t, ExploreData{}, d).files["data-card.md"])
	assert.Contains(t, card, "| 0 | class 0 | 30 | 30 |")
	assert.Contains(t, card, "| 1 | class 1 | 90 | 90 |")
}

func TestExploreDataInARecipe(t *testing.T) {
	t.Setenv("ART_DIR", t.TempDir())
	r := arttest.New(t, arttest.Recipe{Data: traintest.Blobs(1, 90, 3)})
	arttest.Step(r, ExploreData{Options: arttest.Options{WithoutChecks: []string{"sizes", "no-leakage"}}},
		checks.AtLeast("rows", train.Training, 90), checks.AtMost("not-finite", "", 0))
}

func BenchmarkExploreData(b *testing.B) {
	d := train.Data{Name: "pictures", Classes: []string{"a", "b"}, BatchSize: 64}
	all := train.Batch{Inputs: train.NewTensor(2000, 1, 28, 28), Targets: train.NewTensor(2000)}
	r := train.Rand(1, "bench")
	for i := range all.Inputs.Data {
		all.Inputs.Data[i] = float32(r.NormFloat64())
	}
	d.Training = traintest.Rows(all)
	b.SetBytes(int64(len(all.Inputs.Data)) * 4)
	for b.Loop() {
		if _, err := tryExplore(ExploreData{}, d); err != nil {
			b.Fatal(err)
		}
	}
}
