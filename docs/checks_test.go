package docs

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/steps"
)

// plans are those of every step, with the settings at their defaults.
func plans() []arttest.Plan {
	model := baselines.Majority
	return []arttest.Plan{
		steps.ExploreData{}.Plan(),
		steps.EvaluateBaseline{Model: model}.Plan(),
		steps.CheckLossOnInit{Model: model}.Plan(),
		steps.OverfitOneBatch{Model: model}.Plan(),
		steps.Overfit{Model: model}.Plan(),
		steps.Regularize{Model: model}.Plan(),
		steps.TransferLearning{Model: model}.Plan(),
	}
}

// The steps that plans knows are all that package steps has.
func TestPlansAreComplete(t *testing.T) {
	var found []string
	for name := range exported(t, "../steps") {
		if step, ok := strings.CutSuffix(name, ".Plan"); ok {
			found = append(found, step)
		}
	}
	assert.Len(t, plans(), len(found), "package steps has the steps %v: hand their plans to the tests of checks.md", found)
}

var (
	checkHeading = regexp.MustCompile(`(?m)^### (\S+)$`)
	checkLink    = regexp.MustCompile(`\[([a-z0-9.-]+)\]\(#([a-z0-9.-]+)\)`)
	promise      = regexp.MustCompile(`^\s*\*([^*]+)\*( \(warning\))?\.`)
)

// checks.md describes the checks of each step, and no others. A check that
// several steps have is described at the first and named at the others.
func TestChecksPage(t *testing.T) {
	text := page(t, "checks.md")
	described := map[string]string{}
	for _, plan := range plans() {
		part := section(t, text, "## "+plan.Name)
		intro, _, _ := strings.Cut(part, "\n### ")
		var names []string
		if _, also, ok := strings.Cut(strings.Join(strings.Fields(intro), " "), "Also judged:"); ok {
			for _, m := range checkLink.FindAllStringSubmatch(also, -1) {
				names = append(names, m[1])
			}
		}
		for _, m := range checkHeading.FindAllStringSubmatch(part, -1) {
			names = append(names, m[1])
			require.Empty(t, described[m[1]], "%s is described twice", m[1])
			described[m[1]] = section(t, part, "### "+m[1])
		}
		var want []string
		for _, c := range plan.Checks {
			want = append(want, c.Name)
			m := promise.FindStringSubmatch(described[c.Name])
			if !assert.NotNil(t, m, "step %s: %s must begin with its promise, as *%s*", plan.Name, c.Name, c.Claim) {
				continue
			}
			assert.Equal(t, c.Claim, m[1], "step %s: the promise of %s", plan.Name, c.Name)
			assert.Equal(t, c.Warning, m[2] != "", "step %s: that %s is a warning", plan.Name, c.Name)
		}
		assert.ElementsMatch(t, want, names, "step %s: its checks, and those in checks.md", plan.Name)
		for name, value := range plan.Settings {
			if plan.Name == "explore-data" {
				assert.Contains(t, part, "`"+field(name)+"` "+value, "step %s: the default of %s", plan.Name, field(name))
			}
		}
	}
	links := checkLink.FindAllStringSubmatch(text, -1)
	require.NotEmpty(t, links)
	for _, m := range links {
		if described[m[1]] != "" {
			assert.Equal(t, m[1], m[2], "a check is linked to by its name")
		}
	}
}

// field is the Go name of a setting: max-std is MaxStd.
func field(setting string) string {
	words := strings.Split(setting, "-")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(slices.Clip(words), "")
}
