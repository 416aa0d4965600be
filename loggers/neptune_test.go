package loggers

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"iter"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
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

// A server that loses its answers, is slow, breaks off and lets tokens expire gets
// each point once, at its own step.
func TestNeptuneGetsThroughFaults(t *testing.T) {
	s := useNeptune(t)
	for _, f := range []neptunetest.Fault{
		{Operation: "config", Times: 1, Status: 503},
		{Operation: "oauth-token", Times: 1, Reset: true},
		{Operation: "experiments", Times: 1, Lose: true},
		{Operation: "attributes", Times: 1, Cut: true},
		{Operation: "operations", Times: 2, Lose: true},
		{Operation: "operations", Times: 1, Cut: true},
		{Operation: "operations", Times: 1, Reset: true},
		{Operation: "operations", Times: 1, Status: 429, Header: map[string]string{"Retry-After": "0.01"}},
		{Operation: "operations", Times: 1, Status: 401, Body: `{"errorType":"AUTHORIZATION_TOKEN_EXPIRED"}`},
		{Operation: "operations", Times: 1, Status: 502, Body: "<html>"},
		{Operation: "operations", Times: 1, Delay: 20 * time.Millisecond},
	} {
		s.Inject(f)
	}
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	l.courierPatience = hasty
	const n = 5000
	require.NoError(t, toNeptune(t, l, n))
	assertLosses(t, s, n)
	assert.Equal(t, []string{"iris 7Q2K"}, []string{s.Runs()[0].Fields["sys/name"].Value.(string)})
	for _, e := range s.Errors() {
		assert.Contains(t, e.Description, "strictly increasing", "only what came twice")
	}
}

// Files arrive whole, however often they have to be begun.
func TestNeptuneUploadsGetThroughFaults(t *testing.T) {
	s, dir := useNeptune(t), t.TempDir()
	s.SetLimits(neptunetest.Limits{MaxSinglePart: 1000, MinChunk: 1000})
	for _, f := range []neptunetest.Fault{
		{Operation: "upload", Times: 1, Reset: true},
		{Operation: "upload", Times: 1, Status: 200, Body: "<html>"},
		{Operation: "start", Times: 1, Lose: true},
		{Operation: "start", Times: 1, Status: 500},
		{Operation: "part", After: 1, Times: 1, Reset: true},
		{Operation: "part", Times: 1, Lose: true},
		{Operation: "part", Times: 1, Status: 400, Body: "Length of stream does not match given range"},
		{Operation: "part", After: 2, Times: 1, Status: 404, Body: "no such upload"},
		{Operation: "finish", Times: 1, Lose: true},
		{Operation: "finish", Times: 1, Cut: true},
		{Operation: "uploadFileSetTar", Times: 1, Lose: true},
		{Operation: "uploadFileSetTar", Times: 1, Status: 401},
	} {
		s.Inject(f)
	}
	content := bytes.Repeat([]byte("0123456789"), 350)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.bin"), content, 0o644))
	l := &Neptune{Spool: t.TempDir(), W: io.Discard, courierPatience: hasty}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	require.NoError(t, l.LogFile("small", "txt", []byte("small")))
	require.NoError(t, l.LogCheckpoint("last", filepath.Join(dir, "a.bin")))
	s.SetLimits(neptunetest.Limits{MaxSinglePart: 3000, MinChunk: 1000})
	require.NoError(t, l.LogFiles("set", dir))
	require.NoError(t, l.Close())
	fields := s.Runs()[0].Fields
	assert.Equal(t, "small", string(fields["small"].Content))
	assert.Equal(t, content, fields[checkpointsPath+"last"].Content)
	assert.Equal(t, map[string][]byte{"a.bin": content}, fields["set"].Files)
	assert.Empty(t, s.Errors())
}

// Tokens that live for moments, by the clock of the server, are renewed as often.
func TestNeptuneTokensExpire(t *testing.T) {
	s := useNeptune(t)
	s.SetTokenLife(250 * time.Millisecond)
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	s.Inject(neptunetest.Fault{Operation: "operations", Delay: 80 * time.Millisecond})
	recordtest.Emit(t, l, scalars(2, 8001)...)
	require.NoError(t, l.Close())
	assertLosses(t, s, 8000)
	count := map[string]int{}
	for _, r := range s.Requests() {
		count[r.Operation]++
	}
	assert.Greater(t, count["token"], 1, "%v", count)
	assert.Empty(t, s.Errors())
}

// The server hears that the run goes on, and what it says to that changes nothing.
func TestNeptunePings(t *testing.T) {
	s := useNeptune(t)
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	require.NoError(t, l.Close())
	require.Equal(t, 1, s.Runs()[0].Pings, "at once")
	c := l.out.(*courier)
	var heart beater = c.sender.to.(*neptune)
	assert.Equal(t, 10*time.Second, heart.pulse())
	heart.beat(t.Context(), c.sender.at)
	assert.Equal(t, 2, s.Runs()[0].Pings)
	s.Inject(neptunetest.Fault{Operation: "ping", Status: 404})
	heart.beat(t.Context(), c.sender.at)
	heart.beat(t.Context(), position{})
	assert.Equal(t, 2, s.Runs()[0].Pings)
}

func TestNeptuneTroubles(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault neptunetest.Fault
		want  string
		once  bool // there is no second attempt
	}{
		{"wrong key", neptunetest.Fault{Operation: "config", Status: 401, Body: "who\nare you?"}, "(it does not take the token in NEPTUNE_API_TOKEN: 401 Unauthorized: who are you?): they are kept in", true},
		{"forbidden", neptunetest.Fault{Operation: "experiments", Status: 403}, "(403 Forbidden)", true},
		{"not Neptune", neptunetest.Fault{Operation: "config", Status: 404, Body: "<html>"}, "(404 Not Found: <html>)", true},
		{"redirect", neptunetest.Fault{Operation: "config", Status: 302, Header: map[string]string{"Location": "http://user:" + secret + "@elsewhere/login"}}, "it redirects to http://user:xxxxx@elsewhere/login", true},
		{"overloaded", neptunetest.Fault{Status: 503, Body: "busy"}, "(503 Service Unavailable: busy)", false},
		{"come back later", neptunetest.Fault{Operation: "operations", Status: 429, Header: map[string]string{"Retry-After": "3600"}}, "(429 Too Many Requests)", false},
		{"limit", neptunetest.Fault{Operation: "operations", Status: 422, Body: `{"title":"Monthly hours are used up"}`}, "(422: Monthly hours are used up)", true},
		{"archived", neptunetest.Fault{Operation: "operations", Status: 400, Body: `{"errorType":"WRITE_ACCESS_DENIED_TO_ARCHIVED_PROJECT"}`}, "(400: WRITE_ACCESS_DENIED_TO_ARCHIVED_PROJECT)", true},
		{"no project", neptunetest.Fault{Operation: "get", Status: 404}, `(project "acme/iris": 404 Not Found)`, true},
		{"bad request", neptunetest.Fault{Operation: "experiments", Status: 400, Body: "no"}, "(400 Bad Request: no)", true},
		{"version 3", neptunetest.Fault{Operation: "config", Status: 200, Body: `{"apiUrl":"x","security":{"clientId":"c"}}`}, "it is a server of Neptune 3.x", true},
		{"another host", neptunetest.Fault{Operation: "config", Status: 200, Body: `{"apiUrl":"https://elsewhere"}`}, "it sends to the host elsewhere, and credentials go to 127.0.0.1 only: list the host in Neptune.Hosts", true},
		{"cut off", neptunetest.Fault{Operation: "config", Cut: true}, "unexpected EOF", false},
		{"half a token", neptunetest.Fault{Operation: "oauth-token", Status: 200, Body: `{"accessToken":"` + secret}, "its answer to signing in is not JSON", false},
		{"no token", neptunetest.Fault{Operation: "oauth-token", Status: 200, Body: `{"accessToken":"` + secret + `"}`}, "is not a JSON web token", true},
		{"reset", neptunetest.Fault{Reset: true}, "EOF", false},
		{"deleted", neptunetest.Fault{Operation: "operations", Status: 404, Body: `{"errorType":"EXPERIMENT_NOT_FOUND"}`}, "EXPERIMENT_NOT_FOUND", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := useNeptune(t)
			s.Inject(c.fault)
			l := &Neptune{Spool: t.TempDir(), Strict: true, W: io.Discard, courierPatience: hasty, linger: time.Millisecond}
			failed := func() (n int) {
				for _, r := range s.Requests() {
					if c.fault.Operation == "" || r.Operation == c.fault.Operation {
						n++
					}
				}
				return n
			}
			// With no hope Close ends at once; else when it has been seen to try again.
			l.Grace = time.Minute
			switch {
			case c.fault.Header["Retry-After"] != "":
				l.Grace = 200 * time.Millisecond
			case !c.once:
				l.Grace = time.Millisecond
			}
			begin := time.Now()
			recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
			recordtest.Emit(t, l, scalars(2, 4)...)
			if l.Grace == time.Millisecond {
				require.Eventually(t, func() bool { return failed() > 2 }, 20*time.Second, time.Millisecond)
			}
			err := l.Close()
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), secret)
			assert.Less(t, time.Since(begin), 30*time.Second)
			var strict interface{ Strict() bool }
			require.True(t, errors.As(err, &strict))
			assert.True(t, strict.Strict())
			if c.once {
				assert.Equal(t, 1, failed())
			}
			s.Recover()
			var lines []string
			require.NoError(t, Sync(t.Context(), l.Spool, func(line string) { lines = append(lines, line) }))
			assert.Equal(t, []string{"Neptune at " + s.URL + ": sent 4 events of run 7Q2K of iris, " + s.URL + "/acme/iris/e/IR-1"}, lines)
			assertNothingLeft(t, l.Spool)
			assertLosses(t, s, 3)
			require.NoError(t, Sync(t.Context(), l.Spool, func(line string) { t.Error(line) }))
		})
	}
}

func TestNeptuneOfAServerThatIsNotThere(t *testing.T) {
	useNeptune(t)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	token := func(address string) string {
		return base64.StdEncoding.EncodeToString([]byte(`{"api_address":"` + address + `","api_key":"` + secret + `"}`))
	}
	t.Setenv("NEPTUNE_API_TOKEN", token(gone.URL))
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir(), Grace: 300 * time.Millisecond, linger: time.Millisecond, courierPatience: hasty}, 3), "connection refused")

	encrypted := httptest.NewUnstartedServer(http.NotFoundHandler())
	encrypted.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	encrypted.StartTLS()
	defer encrypted.Close()
	t.Setenv("NEPTUNE_API_TOKEN", token(strings.TrimPrefix(encrypted.URL, "https://"))) // https is the default
	begin := time.Now()
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir(), Grace: time.Minute}, 3), "certificate")
	assert.Less(t, time.Since(begin), 30*time.Second, "there is no hope, so no waiting")
	t.Setenv("NEPTUNE_ALLOW_SELF_SIGNED_CERTIFICATE", "1")
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir(), Grace: time.Minute}, 3), "404 Not Found")
}

// Without a token, or with a broken one, events are kept until there is one.
func TestNeptuneWithoutAToken(t *testing.T) {
	s := useNeptune(t)
	good := os.Getenv("NEPTUNE_API_TOKEN")
	for token, want := range map[string]string{
		"":          "there is no token: set NEPTUNE_API_TOKEN",
		"ANONYMOUS": "the hosted service that took it has ended",
		secret:      "the token in NEPTUNE_API_TOKEN is not one",
		base64.StdEncoding.EncodeToString([]byte(`{"api_key":"` + secret + `"}`)):                           "is not one",
		base64.StdEncoding.EncodeToString([]byte(`{"api_address":"ftp://` + secret + `@x","api_key":"k"}`)): "is not a URL",
	} {
		t.Setenv("NEPTUNE_API_TOKEN", token)
		err := toNeptune(t, &Neptune{Spool: t.TempDir()}, 3)
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, "does not have 4 of 4 events")
		assert.NotContains(t, err.Error(), secret)
	}
	t.Setenv("NEPTUNE_API_TOKEN", "")
	dir := t.TempDir()
	require.Error(t, toNeptune(t, &Neptune{Spool: dir}, 3))
	t.Setenv("NEPTUNE_API_TOKEN", good)
	t.Setenv("NEPTUNE_PROJECT", "")
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir()}, 3), "there is no project: set NEPTUNE_PROJECT")
	t.Setenv("NEPTUNE_PROJECT", "iris") // without its workspace
	assert.NoError(t, Sync(t.Context(), dir, func(string) {}))
	assertLosses(t, s, 3)
	t.Setenv("NEPTUNE_PROJECT", "rose")
	assert.ErrorContains(t, toNeptune(t, &Neptune{Spool: t.TempDir()}, 3), `0 projects are named "rose": say workspace/rose`)
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

// What the server does not carry out is put aside with its reason, and the rest
// arrives.
func TestNeptuneRefusals(t *testing.T) {
	s, dir := useNeptune(t), t.TempDir()
	l := &Neptune{Spool: t.TempDir(), W: io.Discard}
	recordtest.Emit(t, l,
		record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K", Settings: map[string]string{"directory": dir}},
		record.Event{Seq: 2, Kind: record.StepEnd, Step: "s", Outcome: record.Passed},
		record.Event{Seq: 3, Kind: record.Scalar, Step: "s", Name: "outcome", Value: 1},
		record.Event{Seq: 4, Kind: record.ArtifactSaved, Step: "s", Artifact: &record.Artifact{Path: "s/none.png"}},
		record.Event{Seq: 5, Kind: record.ArtifactSaved, Step: "s", Artifact: &record.Artifact{Path: "../none.png"}},
		record.Event{Seq: 6, Kind: record.Scalar, Step: "s", Name: "loss", Value: 1},
	)
	require.NoError(t, l.LogFiles("tree", filepath.Join(dir, "none")))
	err := l.Close()
	require.ErrorContains(t, err, "refused 4 of 7 events: they are kept in ")
	assert.Len(t, s.Runs()[0].Fields["s/loss"].Points, 1)
	file, err := os.Open(strings.TrimSuffix(l.spool.events, ".jsonl") + ".refused.jsonl")
	require.NoError(t, err)
	defer file.Close()
	var why []string
	for e, err := range record.NewReader(file).All() {
		require.NoError(t, err)
		if e.Name == "refused" {
			why = append(why, fmt.Sprint(e.Seq, " ", e.Text))
		}
	}
	require.Len(t, why, 4)
	assert.Equal(t, "3 Cannot use an operation for floatSeries on s/outcome, which has type string", why[0])
	assert.Contains(t, why[1], "4 the file s/artifacts/none.png: open ")
	assert.Contains(t, why[2], "outside of it")
	assert.Contains(t, why[3], "none")
}

// A request that is refused as a whole is divided until it is known why.
func TestNeptuneDividesWhatIsRefused(t *testing.T) {
	s := useNeptune(t)
	s.Inject(neptunetest.Fault{Operation: "operations", Times: 2, Status: 413, Body: "too large"})
	l := &Neptune{Spool: t.TempDir()}
	require.NoError(t, toNeptune(t, l, 3))
	assertLosses(t, s, 3)
}

// Keys go to the server that was named and nowhere else, and are written nowhere.
func TestNeptuneKeepsSecrets(t *testing.T) {
	s := useNeptune(t)
	s.SetKey(secret)
	token := s.Token()
	t.Setenv("NEPTUNE_API_TOKEN", token)
	s.KeepBodies()
	s.RedirectDownloads()
	away := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("a redirect was followed: %s", r.URL) }))
	defer away.Close()
	dir := t.TempDir()
	var said bytes.Buffer
	l := &Neptune{Spool: dir, W: &said, linger: time.Millisecond}
	recordtest.Emit(t, l, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2K"})
	require.NoError(t, l.LogCheckpoint("last", "neptune_test.go"))
	require.Eventually(t, func() bool { id, _ := l.RunID(); return id != "" }, 10*time.Second, time.Millisecond)
	_, err := l.DownloadCheckpoint(t.Context(), "", "overfit", t.TempDir())
	require.Error(t, err)
	s.ExpireTokens(false) // so that they are refreshed
	s.Inject(neptunetest.Fault{Operation: "operations", After: 2, Status: 307, Header: map[string]string{"Location": away.URL + "/api"}})
	recordtest.Emit(t, l, scalars(2, 2000)...)
	err = l.Close()
	require.ErrorContains(t, err, "redirects are not followed")
	_, fetched := l.DownloadCheckpoint(t.Context(), "", "last", filepath.Join(dir, "checkpoint"))
	require.NoError(t, fetched)

	secrets := map[string]bool{secret: true, token: true}
	operations := map[string]int{}
	for _, r := range s.Requests() {
		operations[r.Operation]++
		shown := r.Header.Get("X-Neptune-Api-Token")
		bearer, signed := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch r.Operation {
		case "config", "oauth-token":
			assert.Equal(t, []any{token, false}, []any{shown, signed})
		case "token", "object":
			assert.Equal(t, []any{"", false}, []any{shown, signed}, r.Operation)
		default:
			assert.Equal(t, []any{"", true}, []any{shown, signed}, r.Operation)
			secrets[bearer] = true
		}
		assert.Empty(t, r.Header.Values("Cookie"))
		for secret := range secrets {
			assert.NotContains(t, r.URL, secret)
			assert.NotContains(t, string(r.Body), secret)
		}
	}
	assert.Positive(t, operations["token"], "%v", operations)
	assert.Positive(t, operations["object"], "%v", operations)
	assert.Greater(t, len(secrets), 3)
	to := l.out.(*courier).sender.to.(*neptune)
	printed := fmt.Sprintf("%v %+v %#v %+v %+v %+v %+v", l, l, l, l.out, to, to.session, to.session.key)
	for secret := range secrets {
		assert.NotContains(t, err.Error(), secret)
		assert.NotContains(t, said.String(), secret)
		assert.NotContains(t, printed, secret)
		assertNowhere(t, dir, secret)
	}
}

// A server that repeats what it was shown is not quoted with it.
func TestNeptuneErrorsAreScrubbed(t *testing.T) {
	useNeptune(t)
	token := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "who is "+r.Header.Get("X-Neptune-Api-Token")+"?", http.StatusUnauthorized)
	}))
	defer server.Close()
	token = base64.StdEncoding.EncodeToString([]byte(`{"api_address":"` + server.URL + `","api_key":"` + secret + `"}`))
	t.Setenv("NEPTUNE_API_TOKEN", token)
	err := toNeptune(t, &Neptune{Spool: t.TempDir()}, 3)
	assert.ErrorContains(t, err, "who is …?")
	assert.NotContains(t, err.Error(), token[:20])
}

// A spool is not sent with the token of another server.
func TestNeptuneSyncOfAnotherServer(t *testing.T) {
	s := useNeptune(t)
	s.Inject(neptunetest.Fault{Status: 403})
	l := &Neptune{Spool: t.TempDir()}
	require.Error(t, toNeptune(t, l, 3))
	other := useNeptune(t)
	assert.ErrorContains(t, Sync(t.Context(), l.Spool, func(string) {}), "the run belongs to "+s.URL+", and the token in NEPTUNE_API_TOKEN is of "+other.URL)
	assert.Empty(t, other.Requests())
}

func TestNeptuneTrust(t *testing.T) {
	trusts := trustedHosts("https://n.example:8080", []string{"auth.example"})
	for address, want := range map[string]string{
		"https://n.example/x": "", "https://127.0.0.1": "credentials go", "https://n.example:9/x": "", "https://auth.example": "",
		"http://n.example": "not encrypted", "https://n.example.evil": "credentials go to n.example only", "https://evil/n.example": "credentials go",
		"://": "not one", "": "not one", "ftp://n.example": "not encrypted",
	} {
		if err := trusts(address); want == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, want, address)
		}
	}
	assert.NoError(t, trustedHosts("http://localhost:5000", nil)("http://127.0.0.1:80"))
	assert.Error(t, trustedHosts("http://localhost:5000", nil)("http://127.0.0.1.evil"))
}

// A server that does not answer in time is asked again, for the same.
func TestNeptuneTimeout(t *testing.T) {
	s := useNeptune(t)
	t.Setenv("NEPTUNE_REQUEST_TIMEOUT", "0.05")
	s.Inject(neptunetest.Fault{Operation: "operations", Times: 2, Delay: 100 * time.Millisecond})
	require.NoError(t, toNeptune(t, &Neptune{Spool: t.TempDir(), courierPatience: hasty}, 3))
	assertLosses(t, s, 3)
	for value, want := range map[string]time.Duration{"": 10 * time.Minute, "soon": 10 * time.Minute, "-1": 10 * time.Minute, "NaN": 10 * time.Minute, "2": 2 * time.Second} {
		t.Setenv("NEPTUNE_REQUEST_TIMEOUT", value)
		assert.Equal(t, want, neptuneTimeout(), value)
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

// A process that trains or sends is killed at random moments, again and again, and
// in the end the server has every point once, at its own step.
func TestNeptuneKilled(t *testing.T) {
	s := useNeptune(t)
	dir := t.TempDir()
	random := rand.New(rand.NewPCG(13, 14))
	goesOn(t, filepath.Join(dir, "iris", "7Q2K", spoolDir))
	kills := 18
	if testing.Short() {
		kills = 3
	}
	for i := range kills {
		s.Recover()
		for _, f := range []neptunetest.Fault{
			{Operation: "operations", After: random.IntN(4), Times: 1, Lose: true},
			{Operation: "experiments", After: random.IntN(2), Times: 1, Lose: true},
			{Operation: "operations", After: random.IntN(3), Times: 1, Delay: 10 * time.Millisecond},
		} {
			s.Inject(f)
		}
		process := start(t, []string{"neptune", "neptune", "sync neptune"}[i%3], dir, "")
		time.Sleep(time.Duration(5+random.IntN(80)) * time.Millisecond)
		require.NoError(t, process.Process.Kill())
		_ = process.Wait() // it was killed
	}
	s.Recover()
	process := start(t, "neptune", dir, "")
	require.Eventually(t, func() bool { return bytes.Contains(process.Stdout.(*safeBuffer).Bytes(), []byte("trained")) }, 60*time.Second, 5*time.Millisecond)
	require.NoError(t, process.Process.Kill())
	_ = process.Wait()
	require.Eventually(t, func() bool { return start(t, "sync neptune", dir, "").Wait() == nil }, 30*time.Second, 5*time.Millisecond)
	require.Len(t, s.Runs(), 1)
	points := s.Runs()[0].Fields["s/loss"].Points
	texts := s.Runs()[0].Fields["s/text/log"].Points
	require.Equal(t, neptuneEvents-1, len(points)+len(texts))
	for n := 2; n <= neptuneEvents; n++ {
		if want := killedEvent(n); want.Kind == record.Text {
			require.Equal(t, want.Text, texts[0].Text)
			texts = texts[1:]
		} else {
			require.Equal(t, []float64{float64(n), want.Value}, []float64{points[0].Step, points[0].Value})
			points = points[1:]
		}
	}
	for _, e := range s.Errors() {
		assert.Contains(t, e.Description, "Invalid point", "only what came twice")
	}
	refused, err := filepath.Glob(filepath.Join(dir, "*", "*", "spool", "*.refused.jsonl"))
	require.NoError(t, err)
	assert.Empty(t, refused)
}

// playNeptune is a process that trains, going on after what an earlier one emitted.
func playNeptune(dir string) error {
	begun := int64(1)
	for e, err := range spooled(dir) {
		if err != nil {
			return err
		}
		begun = max(begun, e.Seq)
	}
	l := &Neptune{Spool: dir, W: io.Discard, courierPatience: hasty}
	if err := l.Emit(record.Event{Seq: begun, Kind: record.RunStart, Name: "iris", Text: "7Q2K"}); err != nil {
		return err
	}
	for n := int(begun) + 1; n <= neptuneEvents; n++ {
		if err := l.Emit(killedEvent(n)); err != nil {
			return err
		}
		time.Sleep(20 * time.Microsecond)
	}
	fmt.Println("trained")
	time.Sleep(time.Hour) // until it is killed: what is left is for sync
	return nil
}

const neptuneEvents = 1_500

// killedEvent is the event of a number.
func killedEvent(n int) record.Event {
	e := scalars(n, n)[0]
	if n%100 == 0 {
		return record.Event{Seq: e.Seq, Kind: record.Text, Step: "s", Name: "log", Text: fmt.Sprint(n)}
	}
	return e
}

// spooled returns what earlier processes emitted.
func spooled(dir string) iter.Seq2[record.Event, error] {
	files, err := filepath.Glob(filepath.Join(dir, "iris", "7Q2K", "spool", "neptune-*.jsonl"))
	if err != nil || len(files) == 0 {
		return func(func(record.Event, error) bool) {}
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		return func(yield func(record.Event, error) bool) { yield(record.Event{}, err) }
	}
	return record.NewReader(bytes.NewReader(b)).All()
}

func syncNeptune(dir string) error {
	return syncAll(context.Background(), dir, func(string) {}, destinationOf, hasty)
}
