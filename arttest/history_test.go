package arttest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/record"
)

// past is a history of so many runs, in each of which a step passed with a
// fingerprint of its own.
func past(t testing.TB, runs int) (h history, sum func(run int) string) {
	t.Helper()
	h = history{t.TempDir()}
	ingredients := make([]fingerprint.Ingredient, 60) // as many as a real step has
	for i := range ingredients {
		ingredients[i] = fingerprint.Ingredient{Name: fmt.Sprint("code models.function", i), Digest: strings.Repeat("0123456789abcdef", 4), Shown: "model.go:14"}
	}
	sum = func(run int) string { return fmt.Sprintf("%012x%052x", run, run) }
	for i := range runs {
		id := fmt.Sprintf("RUN%05d", i)
		require.NoError(t, os.MkdirAll(filepath.Join(h.dir, id), 0o755))
		var file bytes.Buffer
		stamp := record.Stamp{Sink: record.NewWriter(&file)}
		for _, e := range []record.Event{
			{Kind: record.RunStart, Name: "iris", Text: id}, {Kind: record.StepStart, Step: "overfit"},
			{Kind: record.Score, Step: "overfit", Stage: "training", Name: "loss", Value: 0.5},
			{Kind: record.StepEnd, Step: "overfit", Outcome: record.Passed}, {Kind: record.RunEnd, Outcome: record.Passed},
		} {
			require.NoError(t, stamp.Emit(e))
		}
		require.NoError(t, os.WriteFile(filepath.Join(h.dir, id, eventFile), file.Bytes(), 0o644))
		require.NoError(t, h.write(h.passed("overfit", sum(i)), passedStep{Run: id, Step: "overfit", Sum: sum(i), Time: time.Now(), Ingredients: ingredients}))
	}
	return h, sum
}

func TestHistory(t *testing.T) {
	h, sum := past(t, 3)
	for i := range 3 {
		p, err := h.read(h.passed("overfit", sum(i)))
		require.NoError(t, err)
		assert.Equal(t, sum(i), p.Sum)
		events, ended, err := h.events(p.Run, p.Step)
		require.NoError(t, err)
		assert.Len(t, events, 1)
		assert.Equal(t, record.Passed, ended)
	}
	_, err := h.read(h.passed("overfit", sum(7)))
	assert.ErrorIs(t, err, os.ErrNotExist)
	_, _, err = h.events("GONE", "overfit")
	assert.ErrorIs(t, err, errGone)
	for _, foul := range []string{"", "{", `{"schema":2,"run":"A"}`, `{"schema":1}`, `{"schema":1,"run":"../../etc"}`} {
		file := filepath.Join(t.TempDir(), "x.json")
		require.NoError(t, os.WriteFile(file, []byte(foul), 0o644))
		_, err := h.read(file)
		assert.ErrorIs(t, err, os.ErrNotExist, foul)
	}
}

// BenchmarkLookup is what finding an earlier result costs among 10,000 runs.
func BenchmarkLookup(b *testing.B) {
	h, sum := past(b, 10_000)
	for i := 0; b.Loop(); i++ {
		p, err := h.read(h.passed("overfit", sum(i*7919%10_000)))
		require.NoError(b, err)
		_, ended, err := h.events(p.Run, p.Step)
		require.NoError(b, err)
		require.Equal(b, record.Passed, ended)
	}
}

// What a check pays that compares with earlier runs, such as checks.NoWorseThan.
func BenchmarkRecall(b *testing.B) {
	h, _ := past(b, 10_000)
	for b.Loop() {
		require.Len(b, h.scores("overfit", ""), 10_000)
	}
}
