package neptunetest_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/loggers/neptunetest"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// A recipe that names its logger in one line sends everything, and the weights of
// the last step can be fetched.
func TestRecipe(t *testing.T) {
	s := neptunetest.NewServer(t)
	t.Setenv("NEPTUNE_PROJECT", neptunetest.Project)
	t.Setenv("NEPTUNE_API_TOKEN", s.Token())
	dir := t.TempDir()
	t.Setenv("ART_DIR", dir)
	l := &loggers.Neptune{W: io.Discard, Grace: time.Minute}
	t.Run("iris", func(t *testing.T) {
		r := arttest.New(t, arttest.Recipe{Name: "iris", Data: datasets.Iris(), Metrics: metrics.Set{metrics.Accuracy}, Loggers: []record.Sink{l}})
		mlp := nn.Classifier("mlp", func(x nn.Node) nn.Node {
			return x.Dense("hidden", 16).ReLU().Dense("logits", x.Classes())
		})
		mlp.Optimizer = train.Adam(1e-2)
		arttest.Step(r, steps.ExploreData{})
		arttest.Step(r, steps.Overfit{Model: mlp, Epochs: 20})
	})
	require.Len(t, s.Runs(), 1)
	assert.Empty(t, s.Errors())
	files, err := filepath.Glob(filepath.Join(dir, "iris", "*", "events.jsonl"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	file, err := os.Open(files[0])
	require.NoError(t, err)
	defer file.Close()
	numbers, artifacts := 0, 0
	for e, err := range record.NewReader(file).All() {
		require.NoError(t, err)
		switch e.Kind {
		case record.Scalar, record.Score:
			numbers++
		case record.ArtifactSaved:
			artifacts++
		}
	}
	points, uploaded := 0, 0
	fields := s.Runs()[0].Fields
	for path, f := range fields {
		if !strings.Contains(path, "/text/") {
			points += len(f.Points)
		}
		if f.Type == "file" {
			uploaded++
		}
	}
	assert.Positive(t, numbers)
	assert.Equal(t, numbers, points)
	assert.Positive(t, artifacts)
	assert.LessOrEqual(t, uploaded, artifacts, "a file that was saved again is one")
	assert.Equal(t, []any{"pass", false}, []any{fields["run/outcome"].Value, fields["sys/failed"].Value})
	if testing.Short() {
		return // a dry run saves no weights
	}
	weights, err := l.DownloadCheckpoint(t.Context(), "", "last", t.TempDir())
	require.NoError(t, err)
	got, err := os.ReadFile(weights)
	require.NoError(t, err)
	assert.Contains(t, string(got), "logits")
}
