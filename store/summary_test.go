package store

import (
	"bytes"
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// sameNumbers finds a NaN equal to a NaN.
var sameNumbers = cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateEmpty(), cmp.Comparer(func(a, b Number) bool {
	return a == b || math.IsNaN(float64(a)) && math.IsNaN(float64(b))
})}

var update = flag.Bool("update", false, "rewrite the expected summaries in testdata")

// The event files of every version of the schema are read for ever.
func TestSummaryOfOldSchemas(t *testing.T) {
	files, err := filepath.Glob("../record/testdata/schema-*.jsonl")
	require.NoError(t, err)
	require.Len(t, files, record.Schema)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			f, err := os.Open(file)
			require.NoError(t, err)
			defer f.Close()
			got, err := json.MarshalIndent(summarize(f), "", "  ")
			require.NoError(t, err)
			golden := filepath.Join("testdata", filepath.Base(file)+".summary.json")
			if *update {
				require.NoError(t, os.WriteFile(golden, append(got, '\n'), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), string(got)+"\n")
		})
	}
}

// Results of earlier runs are told from those of this one.
func TestSummaryOfReuse(t *testing.T) {
	var file bytes.Buffer
	w := record.NewWriter(&file)
	for _, e := range []record.Event{
		{Kind: record.RunStart},
		{Kind: record.Judged, Step: "lost-its-start", Verdict: &record.Verdict{Mark: record.Pass}},
		{Kind: record.StepStart, Step: "overfit", Text: "AAAA0000"},
		{Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{Path: "../BBBB0000/overfit/x.npy"}},
		{Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{Path: "../AAAA0000/overfit/x.npy"}},
		{Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{Path: "../../elsewhere/x"}},
		{Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{Path: "../x"}},
		{Kind: record.StepStart, Step: "regularize"},
		{Kind: record.ArtifactSaved, Step: "regularize", Artifact: &record.Artifact{Path: "regularize/x.npy"}},
	} {
		require.NoError(t, w.Emit(e))
	}
	s := summarize(&file)
	assert.Equal(t, []string{"AAAA0000", "BBBB0000"}, s.Uses)
	var reused []string
	for _, step := range s.Steps {
		reused = append(reused, step.Reused)
	}
	assert.Equal(t, []string{"", "AAAA0000", ""}, reused)
}

func TestHeadline(t *testing.T) {
	number := func(v Number) *Number { return &v }
	nan := Number(math.NaN())
	score := func(trial, stage, metric string, v Number) Score {
		return Score{Trial: trial, Stage: stage, Metric: metric, Value: v}
	}
	tests := []struct {
		name  string
		steps []Step
		want  Headline
		ok    bool
	}{
		{"no step", nil, Headline{}, false},
		{"no score", []Step{{Name: "a"}}, Headline{}, false},
		{"the metric before the loss", []Step{{Name: "a", Scores: []Score{
			score("", "training", "loss", 1), score("", "training", "accuracy", 0.5), score("", "validation", "accuracy", 0.4), score("", "training", "f1", 0.3),
		}}}, Headline{"a", "accuracy", number(0.5), number(0.4)}, true},
		{"only a loss, of training", []Step{{Name: "a", Scores: []Score{score("", "training", "loss", 1)}}}, Headline{"a", "loss", number(1), nil}, true},
		{"the last step that has any", []Step{
			{Name: "a", Scores: []Score{score("", "training", "loss", 1)}},
			{Name: "b", Scores: []Score{score("", "validation", "loss", 2)}},
			{Name: "c", Scores: []Score{score("", "test", "loss", 3)}},
		}, Headline{"b", "loss", nil, number(2)}, true},
		{"the last trial that has the metric", []Step{{Name: "a", Scores: []Score{
			score("x", "training", "accuracy", 0.5), score("x", "validation", "accuracy", 0.4),
			score("y", "training", "accuracy", nan), score("z", "validation", "loss", 9),
		}}}, Headline{"a", "accuracy", number(nan), nil}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := (&Summary{Steps: tt.steps}).Headline()
			assert.Equal(t, tt.ok, ok)
			assert.Empty(t, cmp.Diff(tt.want, got, sameNumbers))
		})
	}
}

func TestNumber(t *testing.T) {
	for _, v := range []float64{0, math.Copysign(0, -1), 1.0 / 3, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324} {
		b, err := json.Marshal(Number(v))
		require.NoError(t, err)
		var back Number
		require.NoError(t, json.Unmarshal(b, &back))
		assert.Empty(t, cmp.Diff(Number(v), back, sameNumbers))
		assert.Equal(t, math.Signbit(v) || math.IsNaN(v), math.Signbit(float64(back)) || math.IsNaN(v))
	}
	var n Number
	assert.Error(t, json.Unmarshal([]byte(`"1"`), &n))
}

func TestPinName(t *testing.T) {
	for _, good := range []string{"", "baseline", "v1.2", "before the refactoring", "größte"} {
		assert.NoError(t, PinName(good), good)
	}
	for _, bad := range []string{"last", "a/b", "a:b", "a\nb", "\x1b[31m", " a", `"`, string(make([]byte, 65))} {
		assert.Error(t, PinName(bad), bad)
	}
	dir := t.TempDir()
	for text, want := range map[string]string{"": "", "a\n": "a", "  a \r\nmore": "a", "\x00\x01": "", "last": ""} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, pinFile), []byte(text), 0o644))
		name, pinned := readPin(dir)
		assert.True(t, pinned)
		assert.Equal(t, want, name)
	}
}

// example is the event file of recordtest.Example.
func example(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	w := record.NewWriter(&file)
	for _, e := range recordtest.Example() {
		require.NoError(t, w.Emit(e))
	}
	return file.Bytes()
}

// Whatever is in an event file, there is a summary, and the index keeps it whole.
func FuzzSummary(f *testing.F) {
	// Short ones: the fuzzer minimises what it finds, which takes it long for long inputs.
	f.Add([]byte("{\"schema\":1,\"seq\":1,\"kind\":\"run-start\",\"name\":\"a\"}\n{\"seq\":2,\"kind\":\"score\",\"step\":\"s\",\"stage\":\"training\",\"name\":\"m\",\"value\":\"NaN\"}\n"))
	f.Add([]byte("{\"schema\":1,\"seq\":1,\"time\":\"9999-12-31T23:59:59Z\",\"kind\":\"run-start\",\"settings\":{\"seed\":\"\\u0000\"}}\n"))
	f.Add([]byte("\x00\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		s := summarize(bytes.NewReader(file))
		s.Path, s.Bytes = "a/b", int64(len(file))
		packed := appendSummary(nil, &s)
		back, err := new(unpacker).summary(packed)
		require.NoError(t, err)
		assert.Empty(t, cmp.Diff(s, back, sameNumbers))
		_, err = new(unpacker).summary(packed[:len(packed)-1])
		assert.Error(t, err)
		s.settle(time.Time{})
		s.Headline()
		_, err = json.Marshal(s)
		assert.NoError(t, err)
	})
}

func TestSummaryKeptWhole(t *testing.T) {
	s := summarize(bytes.NewReader(example(t)))
	back, err := new(unpacker).summary(appendSummary(nil, &s))
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(s, back, sameNumbers))
}

// Whatever is in the index, reading it ends, in an error if not in a summary.
func FuzzUnpack(f *testing.F) {
	s := summarize(bytes.NewReader(example(f)))
	f.Add(appendSummary(nil, &s))
	f.Add([]byte{0x80, 0x80, 0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		var u unpacker
		if s, err := u.summary(b); err == nil {
			assert.LessOrEqual(t, len(s.Steps), len(b))
		}
	})
}
