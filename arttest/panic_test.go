package arttest_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A panic of the user's code, wherever it is, and the end of its goroutine, is a
// failure of the step, at its line, with a stack that begins at the panic; the test
// after it runs.
func TestPanics(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^(TestPanic.*|TestGoexit.*|TestFailNow|TestSkipNow|TestLast)$")
	const (
		ended = "it ended its goroutine (t.FailNow, t.Skip, require of the test's own t, or runtime.Goexit): return an error instead"
		stack = "recipes.broken\n"
	)
	tests := []struct {
		test, below string
		parts       []string
	}{
		{"TestPanicPlan", "", []string{"arttest.Step: recipes.brokenPlan.Plan: panic: planted\n", stack}},
		{"TestPanicRun", "/it", []string{"step it could not be carried out: panic: planted\n", "replay", stack}},
		{"TestPanicNilMap", "/it", []string{"panic: assignment to entry in nil map\n", "recipes.TestPanicNilMap.func1\n"}},
		{"TestPanicDecorator", "/training", []string{"(model mlp): iteration 3 (epoch 1): panic: planted\n", stack}},
		{"TestPanicLearner", "/training", []string{"(model mlp-panics): iteration 3 (epoch 1): panic: planted at iteration 3\n", "PanicAt.func1.1\n"}},
		{"TestPanicMetric", "/training", []string{"panic: planted\n", stack, "recipes.(*brokenMetric).Score\n"}},
		{"TestPanicMetricInNew", "", []string{`arttest.New: metric "bad" does not fit data "blobs": panic: planted` + "\n", stack}},
		{"TestPanicError", "/it", []string{"could not be carried out: %!v(PANIC=Error method: planted)\n"}},
		{"TestPanicKind", "/it", []string{`Scope.Emit: events of kind "run-end" are not for steps to emit: use one of ["scalar" "score"`}},
		{"TestPanicJudge", "/it/bad", []string{"the check itself broke: panic: planted\n", "evidence", stack, "replay"}},
		{"TestPanicSave", "/it", []string{"panic: planted\n", stack}},
		{"TestPanicData", "/training", []string{"panic: planted\n", stack}},
		{"TestPanicLoggerRunStart", "", []string{"arttest.New: Emit of the logger *recipes.brokenLogger broke: panic: planted\n", stack}},
		{"TestPanicLoggerStepStart", "/training", []string{"Emit of the logger *recipes.brokenLogger broke: panic: planted\n", stack}},
		{"TestPanicLoggerScalar", "/training", []string{"Emit of the logger *recipes.brokenLogger broke: panic: planted\n", stack}},
		{"TestPanicLoggerVerdict", "/training", []string{"Emit of the logger *recipes.brokenLogger broke: panic: planted\n", stack}},
		{"TestPanicLoggerStepEnd", "/training", []string{"Emit of the logger *recipes.brokenLogger broke: panic: planted\n", stack}},
		{"TestPanicLoggerRunEnd", "", []string{"Emit of the logger *recipes.brokenLogger broke: panic: planted\n", stack}},
		{"TestPanicLoggerClose", "", []string{"Close of the logger *recipes.brokenLogger broke: panic: planted\n", stack}},
		{"TestGoexit", "/it", []string{ended}},
		{"TestFailNow", "/it", []string{ended}},
		{"TestSkipNow", "/it", []string{ended}},
		{"TestGoexitJudge", "/it/bad", []string{"the check itself broke: " + ended}},
		{"TestGoexitPlan", "", []string{"arttest.Step: recipes.goexitPlan.Plan: " + ended}},
		{"TestGoexitLogger", "/training", []string{"Emit of the logger record.SinkFunc broke: " + ended}},
	}
	for _, tt := range tests {
		at := line(t, "panic_test.go", tt.test, "here")
		o.says(tt.test+tt.below, append([]string{at}, tt.parts...)...)
		text := o.text(tt.test + tt.below)
		for _, frame := range []string{"arttest.(*", "testing.tRunner", "debug.Stack", "train.(*Loop)", "created by"} {
			assert.NotContains(t, text, frame, tt.test)
		}
	}
	results := o.results()
	for test, result := range results {
		switch {
		case test == "TestLast" || strings.HasPrefix(test, "TestLast/") || strings.HasSuffix(test, "/good"):
			assert.Equal(t, "pass", result, test)
		case strings.HasSuffix(test, "/next"):
			if !strings.HasSuffix(test, "End/next") && !strings.HasSuffix(test, "Close/next") {
				assert.Equal(t, "skip", result, test)
			}
		case strings.HasPrefix(test, "TestPanicLoggerRunEnd/") || strings.HasPrefix(test, "TestPanicLoggerClose/"):
			assert.Equal(t, "pass", result, test)
		default:
			assert.Equal(t, "fail", result, test)
		}
	}
	assert.Equal(t, "pass", results["TestLast/only"])
	assert.Equal(t, 1, o.code)
	assert.NotContains(t, o.raw, "panic: planted [recovered")
}

// The event file is whole whatever a logger does.
func TestBrokenLoggerHurtsNoOther(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestPanicLoggerScalar$")
	assert.Equal(t, []string{"training broken", "next skip"}, outcomes(o.run()))
	assert.Len(t, o.run().Step("training").Curve("loss").Values(), 0, "of the stage, not of none")
	assert.Contains(t, o.run().Step("training").Reason, "planted")
	assert.Equal(t, 1, strings.Count(o.raw, "LOGGER BREAKS"), "it gets no more events")

	o = recipes(t, "^TestLoggerError$")
	assert.Equal(t, "pass", o.results()["TestLoggerError"])
	o.says("TestLoggerError", "! logger record.SinkFunc: ", " errors, the first: planted\n")
	assert.Equal(t, []string{"training pass", "next pass"}, outcomes(o.run()))
}

// What a goroutine reports after its step has ended is dropped.
func TestLeakedGoroutine(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestLeak$")
	o.expect("TestLeak pass", "TestLeak/leaks pass", "TestLeak/next pass")
	assert.NotContains(t, o.raw, "late line")
	s := o.run().Step("leaks")
	_, early := s.Score("early", "training")
	_, late := s.Score("late", "training")
	assert.True(t, early)
	assert.False(t, late)
	assert.Empty(t, s.Artifacts)
	verify(t, filepath.Join(o.dir, "leak", o.run().ID), nil, "events.jsonl", "manifest.json")
}
