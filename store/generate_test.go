package store_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

// noon is when the first generated run starts.
var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// write makes the directory of a run with the given events, a millisecond apart.
func write(t testing.TB, root, path string, start time.Time, events ...record.Event) {
	t.Helper()
	dir := filepath.Join(root, filepath.FromSlash(path))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	f, err := os.Create(filepath.Join(dir, "events.jsonl"))
	require.NoError(t, err)
	require.NoError(t, writeTo(f, start, events))
	require.NoError(t, f.Close())
}

func writeTo(w io.Writer, start time.Time, events []record.Event) error {
	stamp := record.Stamp{Sink: record.NewWriter(w), Now: func() time.Time {
		start = start.Add(time.Millisecond)
		return start
	}}
	for _, e := range events {
		if err := stamp.Emit(e); err != nil {
			return err
		}
	}
	return nil
}

// plain is a run of a step with a score, which ends as told; "" does not end.
func plain(recipe, id, step string, accuracy float64, outcome record.Outcome) []record.Event {
	events := []record.Event{
		{Kind: record.RunStart, Name: recipe, Text: id, Settings: map[string]string{"seed": "1", "vcs.revision": "0123456789", "vcs.modified": "true"}},
		{Kind: record.StepStart, Step: step, Model: "mlp"},
		{Kind: record.Scalar, Step: step, Model: "mlp", Stage: "training", Name: "loss", Value: 1},
		{Kind: record.Score, Step: step, Model: "mlp", Stage: "training", Name: "loss", Value: 1 - accuracy, Rows: 120},
		{Kind: record.Score, Step: step, Model: "mlp", Stage: "training", Name: "accuracy", Value: accuracy, Rows: 120},
		{Kind: record.Score, Step: step, Model: "mlp", Stage: "validation", Name: "accuracy", Value: accuracy / 2, Rows: 30},
		{Kind: record.Judged, Step: step, Verdict: &record.Verdict{Check: "loss-falls", Mark: record.Pass}},
		{Kind: record.StepEnd, Step: step, Outcome: outcome, Duration: time.Second},
		{Kind: record.RunEnd, Outcome: outcome, Duration: 2 * time.Second},
	}
	if outcome == "" {
		return events[:5]
	}
	return events
}

// generate makes n runs of ten recipes, six steps each, with a curve. Runs are a
// minute apart; the newest is the last.
func generate(t testing.TB, root string, n int) {
	t.Helper()
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	random := rand.New(rand.NewPCG(1, 2))
	steps := []string{"explore-data", "evaluate-baseline", "check-loss-on-init", "overfit-one-batch", "overfit", "regularize"}
	for i := range n {
		id := make([]byte, 8)
		for j := range id {
			id[j] = alphabet[random.IntN(len(alphabet))]
		}
		recipe := fmt.Sprintf("recipe-%d", i%10)
		events := []record.Event{{Kind: record.RunStart, Name: recipe, Text: string(id), Settings: map[string]string{"seed": fmt.Sprint(i)}}}
		for _, step := range steps {
			events = append(events, record.Event{Kind: record.StepStart, Step: step, Model: "mlp"})
			for j := range 10 {
				events = append(events, record.Event{Kind: record.Scalar, Step: step, Stage: "training", Name: "loss", Iteration: j, Value: random.Float64()})
			}
			for _, stage := range []string{"training", "validation"} {
				for _, metric := range []string{"loss", "accuracy"} {
					events = append(events, record.Event{Kind: record.Score, Step: step, Model: "mlp", Stage: stage, Name: metric, Value: random.Float64(), Rows: 100})
				}
			}
			for j := range 4 {
				events = append(events, record.Event{Kind: record.Judged, Step: step, Verdict: &record.Verdict{Check: fmt.Sprintf("check-%d", j), Mark: record.Pass}})
			}
			events = append(events, record.Event{Kind: record.StepEnd, Step: step, Outcome: record.Passed, Duration: time.Second})
		}
		outcome := []record.Outcome{record.Passed, record.Failed}[random.IntN(2)]
		events = append(events, record.Event{Kind: record.RunEnd, Outcome: outcome, Duration: time.Minute})
		write(t, root, recipe+"/"+string(id), noon.Add(time.Duration(i)*time.Minute), events...)
	}
}
