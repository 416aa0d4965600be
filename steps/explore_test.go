package steps

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	if err := x.run(context.Background(), d, 1); err != nil {
		return got, err
	}
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
