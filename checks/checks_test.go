package checks_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// scored is a step that recorded one score, of 30 rows.
func scored(t *testing.T, metric, stage string, value float64) *record.StepRun {
	t.Helper()
	var run record.Run
	require.NoError(t, run.Emit(record.Event{Kind: record.Score, Step: "it", Name: metric, Stage: stage, Value: value, Rows: 30}))
	return run.Step("it")
}

func TestBounds(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		check checks.Check
		value float64
		mark  record.Mark
		want  string
		got   string
		note  string
	}{
		{checks.AtLeast("accuracy", "training", 0.97), 0.98, record.Pass, "≥ 0.97", "0.980", "30 rows, one is 3.3 %"},
		{checks.AtLeast("accuracy", "training", 0.97), 0.97, record.Pass, "≥ 0.97", "0.970", "30 rows, one is 3.3 %"},
		{checks.AtLeast("accuracy", "training", 0.97), 0.5, record.Fail, "≥ 0.97", "0.500", "30 rows, one is 3.3 %"},
		{checks.AtLeast("accuracy", "training", 0.97), 0.96999, record.Fail, "≥ 0.97", "0.96999", "30 rows, one is 3.3 %"},
		{checks.AtLeast("accuracy", "training", 0.97), nan, record.Fail, "≥ 0.97", "NaN", ""},
		{checks.AtLeast("accuracy", "training", 0.97), inf, record.Pass, "≥ 0.97", "+Inf", ""},
		{checks.AtLeast("accuracy", "training", nan), 1, record.Fail, "≥ NaN", "1", ""},
		{checks.AtMost("loss", "training", 0.5), 0.25, record.Pass, "≤ 0.5", "0.250", ""},
		{checks.AtMost("loss", "training", 0.5), 0.5, record.Pass, "≤ 0.5", "0.500", ""},
		{checks.AtMost("loss", "training", 0.5), 0.50001, record.Fail, "≤ 0.5", "0.50001", ""},
		{checks.AtMost("loss", "training", 0.5), nan, record.Fail, "≤ 0.5", "NaN", ""},
		{checks.AtMost("loss", "training", 0.5), inf, record.Fail, "≤ 0.5", "+Inf", ""},
		{checks.AtMost("loss", "training", 0.5), -inf, record.Pass, "≤ 0.5", "-Inf", ""},
		{checks.AtLeast("r2", "training", -1.5), -2, record.Fail, "≥ -1.5", "-2", ""},
	} {
		name := tt.check.Reads[0].Metric
		v := tt.check.Run(scored(t, name, "training", tt.value))
		assert.Equal(t, tt.mark, v.Mark, "%s of %v", tt.check.Name, tt.value)
		assert.Equal(t, [3]string{tt.want, tt.got, tt.note}, [3]string{v.Want, v.Got, v.Note}, "%s of %v", tt.check.Name, tt.value)
		assert.Equal(t, tt.check.Name, v.Check)
		assert.NoError(t, tt.check.Err())
		assert.Equal(t, tt.mark == record.Fail, v.Trouble != "", "a trouble is told when there is one")
	}
	v := checks.AtLeast("accuracy", "training", 0.97).Run(scored(t, "accuracy", "training", 0.5))
	assert.Equal(t, "training accuracy at least 0.97", v.Claim)
	assert.Equal(t, "training accuracy is 0.500, not at least 0.97", v.Trouble)
}

// A score that was never recorded fails: on another stage, of another metric, or in a
// single iteration.
func TestBoundWithoutScore(t *testing.T) {
	c := checks.AtMost("loss", "validation", 1)
	assert.Equal(t, []checks.Ref{{Metric: "loss", Stage: "validation"}}, c.Reads)
	var run record.Run
	require.NoError(t, run.Emit(record.Event{Kind: record.Scalar, Step: "it", Name: "loss", Stage: "validation"}))
	for _, s := range []*record.StepRun{scored(t, "loss", "training", 0), scored(t, "losses", "validation", 0), run.Step("it"), {}} {
		v := c.Run(s)
		assert.Equal(t, record.Fail, v.Mark)
		assert.Equal(t, "no score", v.Got)
		assert.Equal(t, "the step recorded no loss on validation data", v.Trouble)
	}
}

func TestBoundNames(t *testing.T) {
	for want, c := range map[string]checks.Check{
		"accuracy-training-at-least-0.97": checks.AtLeast("accuracy", "training", 0.97),
		"loss-test-at-most-minus-2":       checks.AtMost("loss", "test", -2),
		"top-5-test-at-least-1":           checks.AtLeast("top 5", "test", 1),
		"loss-test-at-most-0.0000001":     checks.AtMost("loss", "test", 1e-7),
	} {
		assert.Equal(t, want, c.Name)
		assert.NoError(t, c.Err())
	}
}

func TestRun(t *testing.T) {
	says := func(v record.Verdict) checks.Check {
		return checks.Check{Name: "it-is", Judge: func(*record.StepRun) record.Verdict { return v }}
	}
	whole := record.Verdict{Mark: record.Pass, Want: "w", Got: "g", Note: "n", Trouble: "t", Evidence: []string{"e"}, Likely: []string{"l"}, Try: []string{"y"}, Files: []string{"f"}}
	assert.Equal(t, record.Verdict{Check: "it-is", Claim: "it is", Mark: record.Pass, Want: "w", Got: "g", Note: "n"}, says(whole).Run(nil),
		"a pass has no trouble")
	whole.Mark, whole.Check, whole.Claim = record.Fail, "another", "claimed"
	v := says(whole).Run(nil)
	assert.Equal(t, "it-is", v.Check, "the name is the check's")
	assert.Equal(t, "claimed", v.Claim)
	assert.Equal(t, []string{"e"}, v.Evidence)

	c := says(record.Verdict{})
	assert.Equal(t, record.Fail, c.Run(nil).Mark, "no mark fails")
	c.Claim = "so be it"
	assert.Equal(t, "so be it", c.Run(nil).Claim)

	w := checks.Warn(says(record.Verdict{Mark: record.Fail}))
	assert.Equal(t, record.Warn, w.Run(nil).Mark)
	assert.Equal(t, record.Warn, checks.Warn(says(record.Verdict{})).Run(nil).Mark)
	assert.Equal(t, record.Pass, checks.Warn(says(record.Verdict{Mark: record.Pass})).Run(nil).Mark)
	assert.Equal(t, record.Warn, says(record.Verdict{Mark: record.Warn}).Run(nil).Mark)
	assert.False(t, c.Warning, "Warn changes a copy")
}

func TestErr(t *testing.T) {
	judge := func(*record.StepRun) record.Verdict { return record.Verdict{} }
	for name, want := range map[string]string{
		"": "a check has no name: set checks.Check.Name", "Loss": `check "Loss": a name has only a-z, 0-9, dots and dashes, as "loss"`,
		"a b": `as "a-b"`, "-a": `as "a"`, ".": "as", "a/b": `as "a-b"`, "ü": "as", "a\n": `as "a"`,
	} {
		assert.ErrorContains(t, checks.Check{Name: name, Judge: judge}.Err(), want, "%q", name)
	}
	for _, name := range []string{"a", "0", "loss-0.5", "a--b", "a."} {
		assert.NoError(t, checks.Check{Name: name, Judge: judge}.Err(), name)
	}
	assert.ErrorContains(t, checks.Check{Name: "a"}.Err(), `check "a" has no function: set checks.Check.Judge`)
}

func TestHold(t *testing.T) {
	assert.Equal(t, record.Verdict{Mark: record.Pass, Want: "w", Got: "g"}, checks.Hold(true, "w", "g"))
	assert.Equal(t, record.Verdict{Mark: record.Fail, Want: "w", Got: "g"}, checks.Hold(false, "w", "g"))
}

// A failed assertion is evidence; assertions go on after it, as in a test.
func TestAssert(t *testing.T) {
	s := scored(t, "loss", "training", 0.5)
	run := func(f func(checks.T, *record.StepRun)) record.Verdict { return checks.Assert("it", f).Run(s) }

	v := run(func(t checks.T, s *record.StepRun) { assert.Len(t, s.Series, 1) })
	assert.Equal(t, record.Verdict{Check: "it", Claim: "it", Mark: record.Pass}, v)

	v = run(func(t checks.T, s *record.StepRun) {
		assert.Equal(t, 1, 2)
		assert.Empty(t, s.Series)
		require.True(t, false, "stops here")
		t.Errorf("never said")
	})
	assert.Equal(t, record.Fail, v.Mark)
	require.Len(t, v.Evidence, 3)
	assert.Contains(t, v.Evidence[0], "Not equal:")
	assert.Contains(t, v.Evidence[0], "checks_test.go:")
	assert.Contains(t, v.Evidence[2], "stops here")
	assert.NotContains(t, strings.Join(v.Evidence, ""), "\t")
	for _, line := range strings.Split(strings.Join(v.Evidence, "\n"), "\n") {
		assert.NotEmpty(t, strings.TrimSpace(line))
		assert.Equal(t, strings.TrimRight(line, " "), line)
	}

	v = run(func(t checks.T, _ *record.StepRun) { t.FailNow() })
	assert.Equal(t, []string{"FailNow was called"}, v.Evidence)
	v = run(func(t checks.T, _ *record.StepRun) { t.Errorf("") })
	assert.Equal(t, record.Fail, v.Mark, "an empty message fails too")

	planted := errors.New("planted")
	assert.PanicsWithValue(t, planted, func() { run(func(checks.T, *record.StepRun) { panic(planted) }) }, "a panic is not an assertion")
	type uncomparable struct{ f []int }
	assert.Panics(t, func() { run(func(checks.T, *record.StepRun) { panic(uncomparable{[]int{1}}) }) })
}

func TestSlug(t *testing.T) {
	for words, want := range map[string]string{
		"": "", "Loss starts at ln K": "loss-starts-at-ln-k", " a  b ": "a-b", "0.97": "0.97", "..": "", ".a": "a", "-.a": "a", "a.": "a.", "ä ö": "",
		"K≥3": "k-3", "a_b/c": "a-b-c", "A": "a", "İ": "i", "\xff": "",
	} {
		assert.Equal(t, want, checks.Slug(words), "%q", words)
	}
}

// A slug is a name that a check may have, or nothing; it is its own slug.
func FuzzSlug(f *testing.F) {
	for _, words := range []string{"", "Loss starts at ln K", "..", ".-a", "ä", "\x00", "İ"} {
		f.Add(words)
	}
	f.Fuzz(func(t *testing.T, words string) {
		slug := checks.Slug(words)
		assert.Equal(t, slug, checks.Slug(slug))
		if slug != "" {
			assert.NoError(t, checks.Check{Name: slug, Judge: func(*record.StepRun) record.Verdict { return record.Verdict{} }}.Err())
		}
	})
}

func TestNumber(t *testing.T) {
	for want, v := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "1": 1, "42": 42, "120": 120, "-300": -300, "0.500": 0.5, "0.970": 0.97, "0.02233": 0.022334, "6.64e-05": 6.64e-5, "-6.64e-05": -6.64e-5,
		"1.00e+06": 1e6, "12346": 12345.6, "123.5": 123.456, "12.346": 12.3456, "-1.500": -1.5, "NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1),
		"999999": 999999, "1.000": 0.99999, "99.996": 99.996, "0.0001235": 0.00012346, "0.0001": 1e-4,
	} {
		assert.Equal(t, want, checks.Number(v))
	}
}

func TestDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"-": 0, "0 µs": 1, "12 µs": 12_345, "999 ms": 999_900_000, "1.0 s": time.Second, "59.9 s": 59_900 * time.Millisecond, "1m0s": time.Minute, "1h2m3s": 3723 * time.Second,
	} {
		assert.Equal(t, want, checks.Duration(d))
	}
	assert.Equal(t, "-", checks.Duration(-1))
}

func TestResolution(t *testing.T) {
	for rows, want := range map[int]string{-1: "", 0: "", 1: "1 row", 2: "2 rows, one is 50 %", 30: "30 rows, one is 3.3 %", 999: "999 rows, one is 0.1 %", 1000: ""} {
		assert.Equal(t, want, checks.Resolution(rows))
	}
}

// What the step found out about a stage is quoted by the checks on its scores: that of
// the last trial, what was measured before what is usual.
func TestBoundQuotesFindings(t *testing.T) {
	var run record.Run
	emit := func(e record.Event) {
		e.Step = "it"
		require.NoError(t, run.Emit(e))
	}
	found := func(trial, name, cause string) {
		emit(record.Event{Kind: record.Found, Trial: trial, Name: name,
			Verdict: &record.Verdict{Evidence: []string{cause + " measured"}, Likely: []string{cause}, Try: []string{"mend " + cause}}})
	}
	found("first", checks.Findings("training"), "old")
	found("second", checks.Findings("training"), "new")
	found("second", checks.Findings("validation"), "other")
	emit(record.Event{Kind: record.Score, Trial: "second", Name: "accuracy", Stage: "training", Value: 0.5})
	v := checks.AtLeast("accuracy", "training", 0.9).Run(run.Step("it"))
	assert.Equal(t, []string{"new measured"}, v.Evidence)
	assert.Equal(t, []string{"new"}, v.Likely)
	assert.Equal(t, []string{"mend new"}, v.Try)
	assert.Empty(t, checks.AtLeast("accuracy", "training", 0.4).Run(run.Step("it")).Likely, "a pass has no trouble")

	v = checks.Quote(record.Verdict{Likely: []string{"usual"}}, run.Step("it"), checks.Findings("validation"))
	assert.Equal(t, []string{"other", "usual"}, v.Likely)
}
