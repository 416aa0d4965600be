package loggers_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// A recipe names the logger in one line, and the service has the run: pictures,
// scores, verdicts and the end.
func TestWandBInARecipe(t *testing.T) {
	s := wandbtest.NewServer(t)
	for name, value := range map[string]string{"WANDB_BASE_URL": s.URL, "WANDB_API_KEY": s.Key(), "WANDB_MODE": "online", "WANDB_PROJECT": "", "ART_DIR": t.TempDir()} {
		t.Setenv(name, value)
	}
	var said bytes.Buffer
	t.Run("recipe", func(t *testing.T) {
		r := arttest.New(t, arttest.Recipe{
			Name: "iris", Data: datasets.Iris(), Metrics: metrics.Set{metrics.Accuracy},
			Loggers: []record.Sink{&loggers.WandB{W: &said, Grace: time.Minute, Strict: true}},
		})
		arttest.Step(r, steps.ExploreData{})
		arttest.Step(r, steps.EvaluateBaseline{Models: []train.Model{baselines.Majority, baselines.Logistic}})
	})
	require.Len(t, s.Runs(), 1)
	run := s.Runs()[0]
	assert.Contains(t, said.String(), s.URL+"/acme/iris/runs/"+run.ID)
	assert.Equal(t, []any{"iris", "finished", 0}, []any{run.Project, run.State, run.ExitCode})
	assert.Contains(t, run.Config, "seed")
	assert.Equal(t, "pass", run.Summary["outcome"])
	assert.NotEmpty(t, run.Console)
	scores := 0
	for _, row := range run.History {
		for name := range row {
			if name != "" && name[0] != '_' {
				scores++
			}
		}
	}
	assert.NotZero(t, scores)
	for _, name := range run.Uploaded {
		assert.Contains(t, run.Files, name)
	}
	t.Log(len(run.History), "rows", len(run.Uploaded), "files", run.Uploaded)
}
