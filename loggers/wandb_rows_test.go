package loggers

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers/wandbtest"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// Rows are not torn apart while training goes on; what must be last is.
func TestWandBDivides(t *testing.T) {
	number := func(i int) record.Event { return record.Event{Kind: record.Scalar, Step: "s", Name: "x", Iteration: i} }
	text := record.Event{Kind: record.Text}
	weights := record.Event{Kind: record.ArtifactSaved, Artifact: &record.Artifact{Kind: "weights", Path: "w"}}
	picture := record.Event{Kind: record.ArtifactSaved, Artifact: &record.Artifact{Kind: "picture", Path: "a.png"}}
	log, at := record.Event{Kind: wandbRowKind}, record.Event{Kind: wandbRowKind, Name: stepNamed, Iteration: 3}
	for _, c := range []struct {
		name   string
		events []record.Event
		want   int
	}{
		{"one row", []record.Event{number(0), number(0)}, 0},
		{"two rows", []record.Event{number(0), number(0), number(1), text}, 2},
		{"texts", []record.Event{text, text}, 2},
		{"text before a row", []record.Event{text, number(0)}, 1},
		{"picture in a row", []record.Event{number(0), picture, number(0), number(1)}, 3},
		{"weights", []record.Event{number(0), weights, number(0)}, 2},
		{"end", []record.Event{number(0), {Kind: record.RunEnd}, text}, 2},
		{"rows of Log", []record.Event{log, log}, 2},
		{"row of LogAt", []record.Event{log, at, at}, 1},
		{"row of LogAt that Log ends", []record.Event{log, at, log}, 3},
	} {
		assert.Equal(t, c.want, (&wandb{}).divide(c.events, false), c.name)
		if c.name != "weights" && c.name != "end" {
			assert.Equal(t, len(c.events), (&wandb{}).divide(c.events, true), c.name)
		}
	}
}

func TestWandBNames(t *testing.T) {
	for want, key := range map[string]metricKey{
		"overfit/training/loss": {"overfit", "", "training", "loss"},
		"value":                 {},
		"metric_step":           {name: "_step"},
		"s/iteration value":     {step: "s", name: "iteration"},
		"s/training/epoch":      {"s", "", "training", "epoch"},
	} {
		assert.Equal(t, want, key.String())
	}
	assert.Equal(t, "metric_s/iteration", axisName("_s", "", axisIteration))
	assert.Equal(t, "media/images/a/_/__/b_7_0123456789abcdef0123.png", mediaPath(mediaImage, "/a/./../b", 7, "0123456789abcdef0123456789", ".png"))
	assert.Equal(t, "media/html/_a_b_0_x.html", mediaPath(mediaHTML, "?a:b", 0, "x", ".svg"))
	assert.Equal(t, "a.b_c-d", artifactName("a.b_c-d"))
	one, other := artifactName("a b"), artifactName("a/b")
	assert.Regexp(t, `^ab-[\w-]{6}$`, one)
	assert.NotEqual(t, one, other)
	assert.Len(t, artifactName(strings.Repeat("x", 200)), 128)
	assert.Equal(t, "7q2kabcd", runID("7Q2KABCD"))
	assert.Regexp(t, "^[a-z0-9]{8}$", runID("../../x"))
}

func TestWandBConsoleLines(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 250_000_000, time.UTC)
	assert.Equal(t, []string{"2026-01-01T00:00:00.250000 a", "2026-01-01T00:00:00.250000 ", "2026-01-01T00:00:00.250000 b"}, consoleLines(at, "a\r\n\nb\n"))
	long := consoleLines(at, strings.Repeat("ß", 5000))
	require.Len(t, long, 2)
	assert.Equal(t, strings.Repeat("ß", 904), long[1][27:])
}

func TestWandBVectors(t *testing.T) {
	assert.Equal(t, "[1,NaN,-Infinity]", vectorJSON([]float64{1, math.NaN(), math.Inf(-1)}))
	same := vectorJSON(make([]float64, 11))
	assert.Equal(t, `{"_type":"histogram","values":[11],"bins":[-0.5,0.5]}`, same)
	odd := make([]float64, 11)
	for i := range odd {
		odd[i] = math.NaN()
	}
	assert.Empty(t, vectorJSON(odd))
	for value, want := range map[string]string{"0.003": "0.003", "1e3": "1000", "true": "true", "NaN": `"NaN"`, "0x10": `"0x10"`, "1_000": `"1_000"`, "": `""`, "a\"b": `"a\"b"`} {
		assert.Equal(t, want, settingJSON(value))
	}
}

// What the service wants to hear while nothing happens.
func TestWandBBeats(t *testing.T) {
	s := toService(t)
	w := &WandB{Spool: t.TempDir(), W: &strings.Builder{}, Grace: time.Minute}
	recordtest.Emit(t, w, record.Event{Seq: 1, Kind: record.RunStart, Name: "iris", Text: "7Q2KABCD"})
	c := w.out.Sink.(*courier)
	require.Eventually(t, func() bool { p, err := c.spool.load(); return err == nil && p.Sent > 0 }, 5*time.Second, time.Millisecond)
	p, err := c.spool.load()
	require.NoError(t, err)
	c.sender.to.(*wandb).beat(t.Context(), p)
	assert.Equal(t, 1, s.Runs()[0].Heartbeats)
	require.NoError(t, w.Close())
	p, err = c.spool.load()
	require.NoError(t, err)
	c.sender.to.(*wandb).beat(t.Context(), p)
	assert.Equal(t, 1, s.Runs()[0].Heartbeats, "not after the end")
}

// beating counts its beats.
type beating struct {
	deliverFunc
	beats *int
}

func (b beating) beat(context.Context, position) { *b.beats++ }
func (b beating) pulse() time.Duration           { return 30 * time.Second }

func TestCourierBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		beats := 0
		to := beating{func(context.Context, *position, []record.Event, bool) error { return nil }, &beats}
		c := &courier{name: "beating", spool: spoolAt(t.TempDir(), "beating")}
		require.NoError(t, c.start(to, position{Run: "R"}))
		recordtest.Emit(t, c, scalars(1, 1)...)
		time.Sleep(5*time.Minute + time.Second)
		synctest.Wait()
		assert.Equal(t, 10, beats)
		require.NoError(t, c.Close())
	})
}

// When the service says that there is no more to have, nothing is asked of it until
// the time that it gives.
func TestWandBObeysTheRateLimit(t *testing.T) {
	s := toService(t)
	s.Inject(wandbtest.Fault{Operation: "file_stream", Times: 1, Status: 200, Header: map[string]string{"RateLimit-Remaining": "0", "RateLimit-Reset": "0.2"}, Body: "{}"})
	_, to, err := wandbDestination(nil)
	require.NoError(t, err)
	p := position{Remote: map[string]string{"entity": "acme", "project": "p", "run": "r"}}
	require.NoError(t, to.stream(t.Context(), p, streamBody{}))
	require.Error(t, to.stream(t.Context(), p, streamBody{}))
	var at []time.Time
	for _, r := range s.Requests() {
		at = append(at, r.At)
	}
	require.Len(t, at, 2)
	assert.GreaterOrEqual(t, at[1].Sub(at[0]), 200*time.Millisecond)
}

// The JSON of Python becomes JSON, and JSON stays what it is.
func FuzzQuoteNumbers(f *testing.F) {
	for _, text := range []string{`{"a":NaN,"b":[Infinity,-Infinity],"NaN":"NaN \" NaN"}`, `"\\"NaN`, `{"a":-Infinit}`, ``} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := quoteNumbers(text)
		if json.Valid([]byte(text)) && quoted != text {
			t.Errorf("%q became %q", text, quoted)
		}
		if again := quoteNumbers(quoted); json.Valid([]byte(quoted)) && again != quoted {
			t.Errorf("%q became %q", quoted, again)
		}
	})
}
