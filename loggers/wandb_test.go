package loggers

import (
	"bytes"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// toService makes a service and points the environment at it.
func toService(t testing.TB) *wandbtest.Server {
	t.Helper()
	s := wandbtest.NewServer(t)
	home := t.TempDir()
	for name, value := range map[string]string{
		"WANDB_BASE_URL": s.URL, "WANDB_API_KEY": s.Key(), "WANDB_CONFIG_DIR": home, "HOME": home, "NETRC": filepath.Join(home, "netrc"),
		"WANDB_PROJECT": "", "WANDB_ENTITY": "", "WANDB_MODE": "", "WANDB_RUN_ID": "", "WANDB_DIR": "", "WANDB_NAME": "", "WANDB_TAGS": "", "WANDB_RESUME": "",
	} {
		if set, ok := t.(interface{ Setenv(string, string) }); ok {
			set.Setenv(name, value)
		}
	}
	return s
}

func TestWandBIsASink(t *testing.T) {
	columns := func(e record.Event) (record.Event, bool) {
		numbers := e.Kind == record.Scalar || e.Kind == record.Score
		return record.Event{Name: metricKey{e.Step, e.Trial, e.Stage, e.Name}.String(), Iteration: e.Iteration, Value: e.Value}, numbers
	}
	recordtest.TestLossy(t, recordtest.Lossy{Keeps: columns, Grouped: true}, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		dir := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "explore-data"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "explore-data", "features.npy"), nil, 0o644))
		s := toService(t)
		w := &WandB{Project: "demo", Spool: t.TempDir(), W: io.Discard}
		return runIn{w, dir}, func() ([]record.Event, error) {
			var events []record.Event
			for _, r := range s.Runs() {
				for _, row := range r.History {
					events = append(events, numbersOf(row)...)
				}
			}
			return events, nil
		}
	})
}

// numbersOf are the metrics of a row.
func numbersOf(row map[string]any) (events []record.Event) {
	axes := map[string]bool{"_step": true, "_runtime": true, "_timestamp": true}
	iteration := 0
	for name, v := range row {
		base := filepath.Base(name)
		if base == axisIteration {
			iteration = int(v.(float64))
		}
		if base == axisIteration || base == axisEpoch {
			axes[name] = true
		}
	}
	for name, v := range row {
		if value, ok := v.(float64); ok && !axes[name] {
			events = append(events, record.Event{Name: name, Iteration: iteration, Value: value})
		}
	}
	return events
}

// runIn gives the run a directory, as arttest does.
type runIn struct {
	*WandB
	dir string
}

func (r runIn) Emit(e record.Event) error {
	if e.Kind == record.RunStart {
		settings := map[string]string{"directory": r.dir}
		for name, value := range e.Settings {
			settings[name] = value
		}
		e.Settings = settings
	}
	return r.WandB.Emit(e)
}

// A recipe without a line about W&B but its logger.
func TestWandBOfARecipe(t *testing.T) {
	s := toService(t)
	dir := t.TempDir()
	for _, folder := range []string{"explore-data", "overfit", "regularize"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
	}
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 7, 5))))
	for name, content := range map[string]string{
		"explore-data/features.npy": "\x93NUMPY", "overfit/batch.png": picture.String(), "overfit/weights.safetensors": "weights",
		"regularize/curves.svg": "<svg/>",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o644))
	}
	var said bytes.Buffer
	w := &WandB{Tags: []string{"t1", "t2"}, Notes: "a note", Group: "g", JobType: "train", W: &said, Grace: time.Minute}
	sink := runIn{w, dir}
	seq := int64(0)
	emit := func(e record.Event) {
		seq++
		e.Seq = seq
		require.NoError(t, sink.Emit(e))
	}
	for _, e := range recordtest.Example() {
		if e.Kind == record.RunEnd {
			for _, a := range []record.Artifact{
				{Name: "batch.png", Path: "overfit/batch.png", Kind: "picture", Bytes: int64(picture.Len()), SHA256: "cf37c38fd1dca3aaba6e0123"},
				{Name: "weights.safetensors", Path: "overfit/weights.safetensors", Kind: "weights", Bytes: 7},
				{Name: "curves.svg", Path: "regularize/curves.svg", Kind: "plot", Bytes: 6, SHA256: "abcdefabcdefabcdefabcdef"},
			} {
				emit(record.Event{Time: e.Time, Kind: record.ArtifactSaved, Step: filepath.Dir(a.Path), Artifact: &a})
			}
			long := make([]float64, 100)
			for i := range long {
				long[i] = float64(i)
			}
			emit(record.Event{Time: e.Time, Kind: record.Vector, Step: "overfit", Name: "activations", Values: long})
		}
		emit(e)
	}
	require.NoError(t, sink.Close())

	require.Len(t, s.Runs(), 1)
	run := s.Runs()[0]
	assert.Equal(t, []any{"iris", "iris 7Q2K", "a note", "g", "train", []string{"t1", "t2"}, "failed", 1},
		[]any{run.Project, run.DisplayName, run.Notes, run.Group, run.JobType, run.Tags, run.State, run.ExitCode})
	assert.Regexp(t, "^[a-z0-9]{8}$", run.ID)
	assert.Equal(t, "W&B run iris 7Q2K: "+s.URL+"/acme/iris/runs/"+run.ID+"\n", said.String())
	assert.Equal(t, 0.003, run.Config["overfit.learning rate"])
	assert.Equal(t, 150., run.Config["rows"])
	assert.Equal(t, map[string]any{}, run.Config["_wandb"].(map[string]any)["t"])
	assert.NotContains(t, run.Config, "directory")
	assert.Equal(t, "skip: needs transfer-learning, which broke", run.Summary["squeeze/outcome"])
	assert.Contains(t, run.Summary["regularize/check/accuracy-at-least"], "FAIL")
	assert.InDelta(t, 1.083/12, run.Summary["overfit/training/loss"], 1e-12)
	assert.Contains(t, run.Console[0], "2026-01-31T12:00:00.000000 run 7Q2K of iris")

	var losses []any
	media := map[string]map[string]any{}
	for _, row := range run.History {
		if loss, ok := row["overfit/training/loss"]; ok {
			losses = append(losses, loss)
			assert.Contains(t, row, "overfit/gradient norm", "one row an iteration")
		}
		for _, name := range []string{"overfit/batch.png", "regularize/curves.svg", "overfit/activations"} {
			if m, ok := row[name].(map[string]any); ok {
				media[name] = m
			}
		}
	}
	assert.Len(t, losses, 12)
	assert.Equal(t, "image-file", media["overfit/batch.png"]["_type"])
	assert.Equal(t, []any{7., 5., "png", float64(picture.Len())}, []any{media["overfit/batch.png"]["width"], media["overfit/batch.png"]["height"],
		media["overfit/batch.png"]["format"], media["overfit/batch.png"]["size"]})
	assert.Equal(t, picture.Bytes(), run.Files[media["overfit/batch.png"]["path"].(string)])
	assert.Equal(t, []byte("<svg/>"), run.Files[media["regularize/curves.svg"]["path"].(string)])
	assert.Len(t, media["overfit/activations"]["bins"], len(media["overfit/activations"]["values"].([]any))+1)
	assert.Equal(t, []byte("\x93NUMPY"), run.Files["explore-data/features.npy"])
	for _, name := range []string{"config.yaml", "wandb-summary.json", "wandb-metadata.json", "output.log"} {
		assert.Contains(t, run.Uploaded, name)
	}
	var bare strings.Builder
	for _, line := range run.Console {
		bare.WriteString(line[27:] + "\n")
	}
	assert.Equal(t, bare.String(), string(run.Files["output.log"]))
	require.Len(t, s.Artifacts(), 1)
	a := s.Artifacts()[0]
	assert.Equal(t, []any{"iris-overfit-weights", "model", []string{"latest"}, "iris"}, []any{a.Name, a.Type, a.Aliases, a.Metadata["recipe"]})
	assert.Equal(t, map[string][]byte{"weights.safetensors": []byte("weights")}, a.Files)
	left, err := filepath.Glob(filepath.Join(dir, "spool", "*[lg]"))
	require.NoError(t, err)
	assert.Empty(t, left, "what arrived needs no spool")
}
