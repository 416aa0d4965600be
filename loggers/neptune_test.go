package loggers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/neptunetest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// useNeptune starts a server and sets the environment for it.
func useNeptune(t testing.TB) *neptunetest.Server {
	s := neptunetest.NewServer(t)
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "NEPTUNE_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("NEPTUNE_PROJECT", neptunetest.Project)
	t.Setenv("NEPTUNE_API_TOKEN", s.Token())
	return s
}

// toNeptune emits a run of n scalars and closes.
func toNeptune(t *testing.T, l *Neptune, n int) error {
	t.Helper()
	if l.W == nil {
		l.W = io.Discard
	}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	recordtest.Emit(t, l, scalars(2, n+1)...)
	return l.Close()
}

// assertLosses proves that the series has each scalar of toNeptune once.
func assertLosses(t *testing.T, s *neptunetest.Server, n int) {
	t.Helper()
	require.Len(t, s.Runs(), 1)
	points := s.Runs()[0].Fields["s/loss"].Points
	require.Len(t, points, n)
	for i, p := range points {
		assert.Equal(t, []float64{float64(i + 2), 1 / float64(i+2)}, []float64{p.Step, p.Value})
	}
}

func TestNeptuneIsASink(t *testing.T) {
	keeps := func(e record.Event) (record.Event, bool) {
		return record.Event{Name: neptunePath(e.Step, e.Trial, e.Stage, e.Name), Iteration: e.Iteration, Value: e.Value, Time: e.Time.Truncate(time.Millisecond)},
			e.Kind == record.Scalar || e.Kind == record.Score
	}
	recordtest.TestLossy(t, recordtest.Lossy{Keeps: keeps, Grouped: true}, func(t *testing.T) (record.Sink, func() ([]record.Event, error)) {
		s, dir := useNeptune(t), t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "explore-data"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "explore-data", "features.npy"), []byte("x"), 0o644))
		l := &Neptune{Spool: t.TempDir(), W: io.Discard}
		return inNeptuneDirectory{l, dir}, func() ([]record.Event, error) {
			assert.Empty(t, s.Errors())
			if len(s.Runs()) == 0 {
				return nil, nil
			}
			return readNeptune(s.Runs()[0])
		}
	})
}

// inNeptuneDirectory gives the run a directory, as arttest does.
type inNeptuneDirectory struct {
	*Neptune
	dir string
}

func (d inNeptuneDirectory) Emit(e record.Event) error {
	if e.Kind == record.RunStart {
		e.Settings = map[string]string{"directory": d.dir}
	}
	return d.Neptune.Emit(e)
}

// readNeptune returns the numbers of a run, by their steps.
func readNeptune(run neptunetest.Run) (events []record.Event, err error) {
	for path, f := range run.Fields {
		name, odd := strings.CutSuffix(path, " not finite")
		for _, p := range f.Points {
			if f.Type == "stringSeries" {
				if !odd {
					continue
				}
				if p.Value, err = strconv.ParseFloat(p.Text, 64); err != nil {
					return nil, err
				}
			}
			events = append(events, record.Event{Name: name, Iteration: int(p.Step), Value: p.Value, Time: p.Time})
		}
	}
	slices.SortStableFunc(events, func(a, b record.Event) int { return a.Iteration - b.Iteration })
	return events, nil
}

// A whole recipe, with no line for it but the environment.
func TestNeptuneRecipe(t *testing.T) {
	s, dir := useNeptune(t), t.TempDir()
	s.SetLimits(neptunetest.Limits{MaxSinglePart: 1000, MinChunk: 1000})
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "explore-data"), 0o755))
	content := bytes.Repeat([]byte("0123456789"), 250)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "explore-data", "features.npy"), content, 0o644))
	var said bytes.Buffer
	l := &Neptune{W: &said, Tags: []string{"ci"}, Description: "a test"}
	for _, e := range recordtest.Example() {
		if e.Kind == record.RunStart {
			e.Settings["directory"] = dir
		}
		recordtest.Emit(t, l, e)
	}
	require.NoError(t, l.Close())
	assert.Equal(t, "Neptune run IR-1: "+s.URL+"/acme/iris/e/IR-1\n", said.String())
	require.Len(t, s.Runs(), 1)
	run := s.Runs()[0]
	assert.Positive(t, run.Pings)
	assert.LessOrEqual(t, len(run.CustomID), 36)
	for path, want := range map[string]any{
		"sys/name": "iris 7Q2K", "sys/description": "a test", "sys/failed": true, "run/recipe": "iris", "run/settings/rows": "150", "run/outcome": "fail",
		"run/duration": 0.31, "overfit/settings/learning rate": "0.003", "overfit/model": "mlp", "overfit/outcome": "pass", "overfit/duration": 0.021,
		"squeeze/outcome":                     "skip: needs transfer-learning, which broke",
		"regularize/checks/accuracy-at-least": "FAIL the network does not generalise well enough  want ≥ 0.95  got 0.933",
		"transfer-learning/outcome":           "broken: iteration 4: the loss is NaN",
	} {
		assert.Equal(t, want, run.Fields[path].Value, path)
	}
	assert.Equal(t, []string{"ci"}, run.Fields["sys/tags"].Strings)
	assert.Len(t, run.Fields["overfit/training/loss"].Points, 12)
	assert.Equal(t, "built \"mlp\":\n\t4 → 16 → 3, 131 weights", run.Fields["check-loss-on-init/text/stdout"].Points[0].Text)
	features := run.Fields["explore-data/artifacts/features.npy"]
	assert.Equal(t, "npy", features.Ext)
	assert.Equal(t, content, features.Content)
	var odd []string
	for _, p := range run.Fields["transfer-learning/freeze/loss not finite"].Points {
		odd = append(odd, fmt.Sprint(p.Step, p.Text))
	}
	assert.Equal(t, []string{"2+Inf", "3-Inf", "4NaN"}, odd)
	assert.Empty(t, s.Errors())
	left, err := os.ReadDir(filepath.Join(dir, "spool"))
	require.NoError(t, err)
	assert.Len(t, left, 1, "the position")
}

// What users log of their own arrives once, also what came before the run.
func TestNeptuneLogs(t *testing.T) {
	s := useNeptune(t)
	s.KeepBodies()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "tree", "sub"), 0o755))
	large := bytes.Repeat([]byte("x"), maxArchiveBytes+1)
	for name, content := range map[string][]byte{"tree/a.txt": []byte("A"), "tree/sub/b.bin": large, "tree/sub/empty": nil, "best.safetensors": []byte("weights")} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), content, 0o644))
	}
	img := image.NewGray(image.Rect(0, 0, 3, 2))
	l := &Neptune{Spool: filepath.Join(dir, "spool"), W: io.Discard, Grace: time.Minute}
	require.NoError(t, l.LogConfig("hydra/config", ".yaml", []byte("lr: 1\n")))
	require.NoError(t, l.AddTags("early"))
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K", Time: time.Unix(1700000000, 0)})
	require.NoError(t, l.LogImage("image", img))
	require.NoError(t, l.LogFigure("figure", "svg", []byte("<svg/>")))
	require.NoError(t, l.LogFile("empty", "", nil))
	require.NoError(t, l.AppendImage("images", 3, img, "n", "d"))
	require.NoError(t, l.AppendImage("images", 4, img, "", ""))
	require.NoError(t, l.LogFiles("tree", filepath.Join(dir, "tree")))
	require.NoError(t, l.AddTags("late", "early"))
	require.NoError(t, l.AddTags())
	require.NoError(t, l.LogCheckpoint("best", filepath.Join(dir, "best.safetensors")))
	require.NoError(t, l.Close())
	assert.ErrorIs(t, l.AddTags("too late"), os.ErrClosed)

	fields := s.Runs()[0].Fields
	assert.Equal(t, "yaml lr: 1\n", fields["hydra/config"].Ext+" "+string(fields["hydra/config"].Content))
	assert.Equal(t, "svg <svg/>", fields["figure"].Ext+" "+string(fields["figure"].Content))
	assert.Equal(t, "file", fields["empty"].Type)
	assert.Equal(t, "png", fields["image"].Ext)
	assert.Equal(t, []string{"early", "late"}, fields["sys/tags"].Strings)
	images := fields["images"].Points
	require.Len(t, images, 2)
	assert.Equal(t, []any{3., "n", "d", fields["image"].Content}, []any{images[0].Step, images[0].Name, images[0].Description, images[0].Image})
	assert.Equal(t, map[string][]byte{"a.txt": []byte("A"), "sub/b.bin": large, "sub/empty": {}}, fields["tree"].Files)
	assert.Equal(t, "weights", string(fields["training/model/checkpoints/best"].Content))
	assert.NotContains(t, wroteNeptune(s), "null", "absent keys are left out")
	left, err := filepath.Glob(filepath.Join(dir, "spool", "iris", "7Q2K", "spool", "*"))
	require.NoError(t, err)
	assert.Len(t, left, 1, "the position")

	never := &Neptune{}
	require.NoError(t, never.AddTags("x"))
	assert.ErrorContains(t, never.Close(), "no run began, so what was logged is lost: 1 ")
}

// wroteNeptune is all JSON that came in.
func wroteNeptune(s *neptunetest.Server) string {
	var b strings.Builder
	for _, r := range s.Requests() {
		if r.Header.Get("Content-Type") == "application/json" {
			b.Write(r.Body)
		}
	}
	return b.String()
}

func TestNeptuneCheckpoints(t *testing.T) {
	s, dir := useNeptune(t), t.TempDir()
	s.SetLimits(neptunetest.Limits{MaxSinglePart: 30 << 20})
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "overfit"), 0o755))
	large := bytes.Repeat([]byte("0123456789abcdef"), maxAnswer/16+1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overfit", "weights.safetensors"), []byte("saved"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "e5.pt"), large, 0o644))
	l := &Neptune{W: io.Discard, Run: "mine", Grace: time.Minute}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K", Settings: map[string]string{"directory": dir}})
	recordtest.Emit(t, l, record.Event{Seq: 2, Kind: record.ArtifactSaved, Step: "overfit", Artifact: &record.Artifact{
		Name: "weights.safetensors", Path: "overfit/weights.safetensors", Kind: "weights",
	}})
	require.NoError(t, l.LogCheckpoint("epoch 5", filepath.Join(dir, "e5.pt")))
	require.NoError(t, l.Close())
	for _, redirect := range []bool{false, true} {
		if redirect {
			s.RedirectDownloads()
		}
		to := t.TempDir()
		for _, c := range []struct {
			run, which, name string
			want             []byte
		}{
			{"", "last", "weights.safetensors", []byte("saved")},
			{"mine", "last", "weights.safetensors", []byte("saved")},
			{"IR-1", "overfit/artifacts/weights.safetensors", "weights.safetensors", []byte("saved")},
			{"acme/iris/IR-1", "overfit/artifacts/weights.safetensors", "weights.safetensors", []byte("saved")},
			{s.Runs()[0].ID, "epoch 5", "epoch 5.pt", large},
		} {
			file, err := l.DownloadCheckpoint(t.Context(), c.run, c.which, to)
			require.NoError(t, err, c.run)
			assert.Equal(t, filepath.Join(to, c.name), file)
			got, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(c.want, got), c.which)
		}
		for want, ask := range map[string][2]string{"has no such run": {"IR-7", "last"}, "the run has none": {"IR-1", "best"}} {
			_, err := l.DownloadCheckpoint(t.Context(), ask[0], ask[1], to)
			assert.ErrorContains(t, err, want)
		}
		s.Inject(neptunetest.Fault{Operation: "download", Cut: true})
		s.Inject(neptunetest.Fault{Operation: "object", Cut: true})
		none := t.TempDir()
		_, err := l.DownloadCheckpoint(t.Context(), "mine", "last", none)
		assert.ErrorContains(t, err, "Neptune: checkpoint last of run mine: ")
		assert.NotContains(t, err.Error(), "signature")
		left, err := os.ReadDir(none)
		require.NoError(t, err)
		assert.Empty(t, left)
		s.Recover()
		s.ExpireTokens(true)
	}
	_, err := (&Neptune{}).DownloadCheckpoint(t.Context(), "", "last", t.TempDir())
	assert.ErrorContains(t, err, "no run yet")
}

func TestNeptuneModes(t *testing.T) {
	s := useNeptune(t)
	for _, mode := range []string{"debug", "disabled", "read-only"} {
		t.Setenv("NEPTUNE_MODE", mode)
		l, dir := &Neptune{}, t.TempDir()
		l.Spool = dir
		require.NoError(t, toNeptune(t, l, 3))
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, left)
	}
	t.Setenv("NEPTUNE_MODE", "offline")
	var said bytes.Buffer
	l := &Neptune{Spool: t.TempDir(), W: &said}
	require.NoError(t, l.LogFile("notes", "md", []byte("# x")))
	require.NoError(t, toNeptune(t, l, 3))
	assert.Equal(t, "Neptune is offline: art sync sends what is in "+filepath.Join(l.Spool, "iris", "7Q2K", "spool")+"\n", said.String())
	assert.Empty(t, s.Requests())
	require.NoError(t, Sync(t.Context(), l.Spool, func(string) {}))
	assertLosses(t, s, 3)
	assert.Equal(t, "# x", string(s.Runs()[0].Fields["notes"].Content))

	t.Setenv("NEPTUNE_MODE", "sync")
	s.Inject(neptunetest.Fault{Status: 403})
	err := toNeptune(t, &Neptune{Spool: t.TempDir()}, 3)
	var strict interface{ Strict() bool }
	assert.True(t, errors.As(err, &strict))
	l = &Neptune{Mode: "asink"}
	assert.ErrorContains(t, l.Emit(record.Event{Kind: record.RunStart}), `mode "asink" is not known`)
	assert.ErrorContains(t, l.AddTags("x"), `mode "asink" is not known`)
	assert.NoError(t, l.Close())
	t.Setenv("NEPTUNE_MODE", "")
	assert.ErrorContains(t, (&Neptune{}).Emit(record.Event{Kind: record.RunStart, Name: "iris"}), "set its Spool")
}

// Runs that share an id share a run; what the second logs comes after the first.
func TestNeptuneSharesARun(t *testing.T) {
	s := useNeptune(t)
	t.Setenv("NEPTUNE_CUSTOM_RUN_ID", strings.Repeat("long ", 10))
	for range 2 {
		require.NoError(t, toNeptune(t, &Neptune{Spool: t.TempDir()}, 2))
	}
	require.Len(t, s.Runs(), 1)
	assert.Regexp(t, "^long long long long-[0-9a-f]{16}$", s.Runs()[0].CustomID)
	var steps []float64
	for _, p := range s.Runs()[0].Fields["s/loss"].Points {
		steps = append(steps, p.Step)
	}
	assert.Equal(t, []float64{2, 3, 4, 5}, steps)
	assert.Empty(t, s.Errors())
}

// Iterations that come twice or go back, and a clock that does, lose nothing.
func TestNeptuneOrder(t *testing.T) {
	s := useNeptune(t)
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	now := time.Unix(1700000000, 0)
	for i, iteration := range []int{5, 5, 5, 6, 2, 7, 9} {
		e := record.Event{Seq: int64(i + 2), Kind: record.Score, Step: "s", Name: "accuracy", Iteration: iteration, Value: float64(i), Time: now}
		recordtest.Emit(t, l, e)
		now = now.Add(-time.Hour)
	}
	recordtest.Emit(t, l, record.Event{Seq: 20, Kind: record.Text, Step: "s", Name: "log", Text: strings.Repeat("ß", 2500)})
	recordtest.Emit(t, l, record.Event{Seq: 21, Kind: record.Text, Step: "s", Name: "log", Text: ""})
	require.NoError(t, l.Close())
	var steps []float64
	for i, p := range s.Runs()[0].Fields["s/accuracy"].Points {
		steps = append(steps, p.Step)
		assert.Equal(t, float64(i), p.Value)
	}
	assert.Equal(t, []float64{5, 5.5, 5.75, 6, 7, 7.5, 9}, steps)
	var pieces []int
	for _, p := range s.Runs()[0].Fields["s/text/log"].Points {
		pieces = append(pieces, len([]rune(p.Text)))
	}
	assert.Equal(t, []int{1000, 1000, 500, 0}, pieces)
	assert.Empty(t, s.Errors())
	for last, step := 5.0, 5; step < 200; step++ { // so many of one iteration that there is no number between
		next := stepAfter(last, 5)
		require.Greater(t, next, last)
		last = next
	}
}

func TestNeptuneChunks(t *testing.T) {
	n := &neptune{config: &neptuneConfig{}}
	require.NoError(t, json.Unmarshal([]byte(neptuneMultipart), &n.config.Multipart))
	for total, want := range map[int64]int64{5<<20 + 1: 5 << 20, 5000 << 20: 5 << 20, 5000<<20 + 1: 5<<20 + 1, 1000 << 30: 1 << 30} {
		got, err := n.chunkSize(total)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := n.chunkSize(1000<<30 + 1)
	assert.ErrorContains(t, err, "larger than the server takes")
}

func TestNeptunePath(t *testing.T) {
	for want, parts := range map[string][]string{
		"overfit/training/loss": {"overfit", "", "training", "loss"},
		"sys_/id":               {"sys", "id"},
		"a_b/größe 🎯/_":         {"a/b", "größe 🎯", "\n"},
		"_":                     {"", ""},
	} {
		assert.Equal(t, want, neptunePath(parts...))
	}
	one, other := neptunePath(strings.Repeat("x", 201)), neptunePath(strings.Repeat("x", 202))
	assert.Regexp(t, "^x{180}-[0-9a-f]{16}$", one)
	assert.NotEqual(t, one, other)
	assert.Len(t, []rune(shorten(strings.Repeat("ß", 20000))), maxNeptuneString)
	assert.Equal(t, 0.75, stepAfter(0.5, 0))
	assert.Equal(t, math.Inf(1), stepAfter(0, math.Inf(1)))
}
