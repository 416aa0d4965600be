package arttest_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// All checks are judged and reported, whatever comes before them; the steps that
// need a failed one are skipped and say which.
func TestLinearOrder(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestLinear$")
	o.expect("TestLinear fail",
		"TestLinear/first pass", "TestLinear/first/one pass", "TestLinear/first/two pass",
		"TestLinear/second fail", "TestLinear/second/broken-first fail", "TestLinear/second/whole pass",
		"TestLinear/second/panics fail", "TestLinear/second/warned pass", "TestLinear/second/broken-last fail",
		"TestLinear/third skip", "TestLinear/fourth skip")
	assert.Equal(t, 1, o.code)
	o.says("TestLinear/third", "order_test.go:", "needs second, which failed\n", "--- SKIP: TestLinear/third")
	o.says("TestLinear/fourth", "needs second, which failed\n")
	o.says("TestLinear/second", "✗ broken first", "✓ whole", "✗ panics", "! warned", "(warning)", "✗ broken last")
	assert.Equal(t, []string{"first pass", "second fail", "third skip", "fourth skip"}, outcomes(o.run()))
	assert.Equal(t, "broken-first, panics, broken-last", o.run().Step("second").Reason)
	assert.Len(t, o.run().Step("second").Verdicts, 5)
	assert.Equal(t, "fail", string(o.run().Outcome))
}

func TestGraphOrder(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestGraph$")
	o.expect("TestGraph fail", "TestGraph/root fail", "TestGraph/root/root-fails fail",
		"TestGraph/free pass", "TestGraph/of-free pass", "TestGraph/of-root skip", "TestGraph/of-of-root skip", "TestGraph/of-both skip")
	o.says("TestGraph/of-of-root", "needs of-root, which was skipped because root failed\n")
	o.says("TestGraph/of-both", "needs root, which failed\n")
}

func TestContinueOnFailure(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestContinue$")
	o.expect("TestContinue fail", "TestContinue/fails fail", "TestContinue/fails/not-so fail", "TestContinue/breaks fail", "TestContinue/goes-on pass")
	assert.Equal(t, []string{"fails fail", "breaks broken", "goes-on pass"}, outcomes(o.run()))
}

// What -run leaves out and a selected step needs is run within the selected one.
func TestRunSelectsStep(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestThree$/^c$")
	o.expect("TestThree pass", "TestThree/c pass", "TestThree/c/c-holds pass")
	o.says("TestThree/c", "a is needed here but left out by -run or -skip, so it runs first\n", "✓ a holds", "b is needed here", "✓ b holds", "✓ c holds")
	assert.Equal(t, []string{"a pass", "b pass", "c pass"}, outcomes(o.run()))
}

func TestRunSelectsCheck(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestNeeds$/^b$/^b-holds$")
	o.expect("TestNeeds pass", "TestNeeds/b pass", "TestNeeds/b/b-holds pass")
	o.says("TestNeeds/b", "failed as well, but left out by -run, -skip or -failfast: b-warns-only-when-asked\n")
}

func TestRunSelectsNothing(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestThree$/^nosuch$")
	o.expect("TestThree pass")
	o.says("TestThree", "next: -run or -skip left out all steps, which are a, b, c: go test ./recipes -run '^TestThree$' -v runs them")
	assert.Empty(t, o.run().Steps)

	o = recipes(t, "^TestEmpty$")
	o.expect("TestEmpty pass")
	o.says("TestEmpty", "the recipe has no step yet")
}

func TestSkipFlag(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestThree$", "-test.skip=^TestThree$/^(a|b)$")
	o.expect("TestThree pass", "TestThree/c pass", "TestThree/c/c-holds pass")
	o.says("TestThree/c", "a is needed here")
	o.says("TestThree", "next: does it hold for another seed?")

	o = recipes(t, "^TestThree$", "-test.skip=^TestThree$/^(b|c)$")
	o.expect("TestThree pass", "TestThree/a pass", "TestThree/a/a-holds pass")
	o.says("TestThree", "next: go test ./recipes -run '^TestThree$' -v runs the 2 steps that -run or -skip left out, too")
}

// A need that fails within the selected step's test must fail that test: a skip
// would be green.
func TestNeedFailsInline(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestNeedFails$/^(c|d)$")
	o.expect("TestNeedFails fail", "TestNeedFails/c fail", "TestNeedFails/d skip")
	at := line(t, "order_test.go", "TestNeedFails", "c")
	o.says("TestNeedFails/c", "✗ a fails", at+"a: does not hold: a fails", "want      this", "got       that",
		"replay    go test ./recipes -run '^TestNeedFails$/^a$/^a-fails$' -art.seed=1",
		at+"not run: needs b, which was skipped because a failed\n")
	o.says("TestNeedFails/d", line(t, "order_test.go", "TestNeedFails", "d")+"needs c, which was skipped because a failed\n")
	assert.Equal(t, []string{"a fail", "b skip", "c skip", "d skip"}, outcomes(o.run()))

	o = recipes(t, "^TestNeedBreaks$/^b$")
	o.expect("TestNeedBreaks fail", "TestNeedBreaks/b fail")
	at = line(t, "order_test.go", "TestNeedBreaks", "b breaks")
	o.says("TestNeedBreaks/b", at+"step a could not be carried out: panic: in a need",
		"replay    go test ./recipes -run '^TestNeedBreaks$/^a$' -art.seed=1", "stack ", at+"not run: needs a, which broke\n")
}

func TestFailFast(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestLinear$", "-test.failfast")
	o.expect("TestLinear fail", "TestLinear/first pass", "TestLinear/first/one pass", "TestLinear/first/two pass",
		"TestLinear/second fail", "TestLinear/second/broken-first fail")
	o.says("TestLinear/second", "✗ broken first", "✗ broken last", "left out by -run, -skip or -failfast: panics, broken-last\n")
	o.says("TestLinear", "third", "was skipped", "fourth", "was skipped", "next: mend second")

	o = recipes(t, "^TestContinue$", "-test.failfast") // -failfast comes before ContinueOnFailure
	o.expect("TestContinue fail", "TestContinue/fails fail", "TestContinue/fails/not-so fail")
}

func TestCount(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestThree$", "-test.count=2")
	runs := o.runs("three")
	require.Len(t, runs, 2)
	assert.NotEqual(t, runs[0].ID, runs[1].ID)
	for _, run := range runs {
		assert.Equal(t, []string{"a pass", "b pass", "c pass"}, outcomes(run))
	}
}

// -shuffle moves tests, never steps.
func TestShuffle(t *testing.T) {
	t.Parallel()
	for _, seed := range []string{"1", "2", "3"} {
		o := recipes(t, "^(TestThree|TestGraph|TestLinear)$", "-test.shuffle="+seed)
		assert.Equal(t, []string{"a pass", "b pass", "c pass"}, outcomes(o.runs("three")[0]))
		assert.Equal(t, []string{"first pass", "second fail", "third skip", "fourth skip"}, outcomes(o.runs("linear")[0]))
	}
}

// A dry run takes one batch of each stage, judges nothing, and says so.
func TestShort(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestDry$", "-test.short")
	o.expect("TestDry pass", "TestDry/count pass")
	o.says("TestDry", "dry run (-short)", "dry run", "next: go test ./recipes -run '^TestDry$' -v trains it for real")
	o.says("TestDry/count", "dry run (-short): one batch of each stage, 1 check not judged")
	s := o.run().Step("count")
	assert.Empty(t, s.Verdicts)
	for _, stage := range []string{"training", "validation"} {
		p, ok := s.Score("batches", stage)
		assert.True(t, ok)
		assert.Equal(t, 1., p.Value)
	}
	assert.Equal(t, "true", o.run().Settings["dry-run"])

	o = recipes(t, "^TestDry$")
	p, _ := o.run().Step("count").Score("batches", "training")
	assert.Equal(t, 8., p.Value)
	assert.Len(t, o.run().Step("count").Verdicts, 1)

	// A dry run that breaks is repeated as a dry run.
	o = recipes(t, "^TestPanicRun$", "-test.short")
	o.says("TestPanicRun/it", "-run '^TestPanicRun$/^it$' -art.seed=1 -short\n")
}

func TestParallel(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestParallel", "-test.parallel=2")
	o.expect("TestParallelOne pass", "TestParallelOne/a pass", "TestParallelOne/b pass", "TestParallelOne/b/b-holds pass",
		"TestParallelTwo pass", "TestParallelTwo/a pass", "TestParallelTwo/b pass", "TestParallelTwo/b/b-holds pass")
	runs := o.runs("same")
	require.Len(t, runs, 2)
	for _, run := range runs {
		assert.Equal(t, []string{"a pass", "b pass"}, outcomes(run))
		assert.Equal(t, "pass", string(run.Outcome))
	}
}

// A recipe may be in a subtest, whatever its name; the line that repeats a failure
// selects it and it alone.
func TestNestedRecipe(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestNested$")
	results := o.results()
	assert.Len(t, o.runs("*"), 2)
	var failed []string
	for test, result := range results {
		if result == "fail" && strings.HasSuffix(test, "/b-fails") {
			failed = append(failed, test)
		}
	}
	slices.Sort(failed)
	require.Len(t, failed, 2)
	replay := regexp.MustCompile(`replay +go test ./recipes -run '(.*)' -art.seed=1`)
	for _, test := range failed {
		found := replay.FindStringSubmatch(o.text(test))
		require.NotNil(t, found, o.text(test))
		again := recipes(t, strings.ReplaceAll(found[1], `'\''`, "'")) // as a shell reads it
		assert.Equal(t, "fail", again.results()[test], "%s\n%s", found[1], again.raw)
		for other := range again.results() {
			assert.True(t, strings.HasPrefix(test, other) || strings.HasPrefix(other, strings.TrimSuffix(test, "/b/b-fails")), "%s ran too", other)
		}
	}
}

// Names need no escaping.
func TestNames(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^(TestLinear|TestGraph|TestTraining)$")
	plain := regexp.MustCompile(`^Test[A-Za-z]+(/[a-z0-9][a-z0-9.-]*){0,2}$`)
	for test := range o.results() {
		assert.Regexp(t, plain, test)
	}
}
