package arttest_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScope(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestScope$")
	o.expect("TestScope pass", "TestScope/defaults pass", "TestScope/own pass")
}

// A step that tries variants stops at the first for which its checks hold; warnings
// do not count.
func TestPasses(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestPasses$")
	o.expect("TestPasses pass", "TestPasses/tries pass",
		"TestPasses/tries/accuracy-validation-at-least-0.35 pass", "TestPasses/tries/accuracy-validation-at-least-1 pass")
	assert.Len(t, o.run().Steps[0].Series, 4)
	o.says("TestPasses", "trial-1", "accuracy 0.100", "trial-4", "accuracy 0.400")
}

// What many goroutines report is recorded once each, in the order of each.
func TestGoroutines(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestGoroutines$")
	s := o.run().Step("many")
	require.Len(t, s.Series, 8)
	for _, series := range s.Series {
		for i, p := range series.Points {
			require.Equal(t, float64(i), p.Value)
		}
		assert.Len(t, series.Points, 100)
	}
	assert.Len(t, s.Texts, 800)
	assert.Len(t, s.Artifacts, 8)
}

// What the user's test does between steps is its own; the run is whole all the same.
func TestUserEndsTest(t *testing.T) {
	t.Parallel()
	for test, want := range map[string]string{"TestUserPanics": "broken", "TestUserFails": "fail", "TestUserSkips": "skip"} {
		o := recipes(t, "^"+test+"$")
		assert.Equal(t, []string{"before pass"}, outcomes(o.run()))
		assert.Equal(t, want, string(o.run().Outcome), test)
		if want == "broken" {
			assert.Contains(t, o.raw, "panic: planted")
			assert.Equal(t, 2, o.code)
		} else {
			assert.Equal(t, want, o.results()[test])
		}
	}
}

// Two recipes in one test have steps of the same names; a failure is repeated alone.
func TestTwoRecipes(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestTwoRecipes$")
	assert.Len(t, o.runs("two-recipes"), 2)
	o.says("TestTwoRecipes/b#01/b-fails", "replay    go test ./recipes -run '^TestTwoRecipes$/^b#01$/^b-fails$' -art.seed=1\n")
	again := recipes(t, "^TestTwoRecipes$/^b#01$/^b-fails$")
	again.expect("TestTwoRecipes fail", "TestTwoRecipes/b#01 fail", "TestTwoRecipes/b#01/b-fails fail")
}

// Without a deadline there is none to heed.
func TestNoDeadline(t *testing.T) {
	t.Parallel()
	for _, timeout := range []string{"0", "30s"} {
		o := recipes(t, "^TestThree$", "-test.timeout="+timeout)
		assert.Equal(t, 0, o.code, fmt.Sprint(timeout, o.raw))
	}
}
