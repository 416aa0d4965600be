package arttest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Misuse fails at once, at the user's line, and says what to do.
func TestMisuse(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestMisuse$")
	want := map[string]string{
		"settings":                "",
		"no-data":                 `arttest.New: the recipe has no training data: set Recipe.Data, as in datasets.Iris()`,
		"no-name":                 `arttest.New: the recipe's name has no letter or digit: set Recipe.Name`,
		"batch-size":              `arttest.New: data "blobs": the batch size -1 is negative`,
		"empty-metric":            `arttest.New: metric 0 of the recipe is empty: it needs a Name and New`,
		"metric-twice":            `arttest.New: two metrics of the recipe are named "accuracy"`,
		"metric-loss":             `arttest.New: two metrics of the recipe are named "loss" (the loss is always measured)`,
		"metric-misfit":           `arttest.New: metric "accuracy" does not fit data "blobs": planted`,
		"nil-logger":              `arttest.New: logger 0 of the recipe is nil`,
		"nil-step":                `arttest.Step: the step is nil: pass a step such as steps.Overfit{Model: m} or arttest.StepFunc{Name: …, Func: …}`,
		"nil-pointer":             `arttest.Step: *recipes.training.Plan: panic: value method example.com/user/recipes.training.Plan called using nil *training pointer`,
		"nil-func":                `arttest.Step: step "idle" does nothing: set arttest.StepFunc.Func`,
		"nameless":                `arttest.Step: arttest.StepFunc has no name: set Options.Name`,
		"bad-name":                `the name "Über fit" must have a-z, 0-9, dots and dashes only, so that -run takes it as it is: call it "ber-fit"`,
		"dots":                    `the name ".." must have a-z, 0-9, dots and dashes only, so that -run takes it as it is: call it "first-step"`,
		"file-name":               `the name "events.jsonl" is that of a file of the run`,
		"step-twice":              `two steps are named "one": give one another name, as in arttest.StepFunc{Options: arttest.Options{Name: "one-2"}}`,
		"after-unknown":           `step "last": its After names "overfti", which is no step before it: did you mean "overfit"?`,
		"metric-unknown":          `check "acuracy-training-at-least-0.5": the step measures no metric "acuracy": did you mean "accuracy"? (metrics are listed in Recipe.Metrics)`,
		"stage-unknown":           `the step measures "accuracy" on training and validation data, not on "trainig"`,
		"stage-unmeasured":        `the step measures "accuracy" on training and validation data, not on "test"`,
		"stage-without-data":      `data "half" has no validation data: set the field of that name in train.Data`,
		"measures-nothing":        `it reads the metric "accuracy" on training data, and the step measures nothing: let the check read what is recorded`,
		"metric-left-out":         `the step does not measure "accuracy": Options.WithoutMetrics leaves it out`,
		"without-metrics-unknown": `WithoutMetrics names "acuracy", which is no metric of the recipe: did you mean "accuracy"?`,
		"without-checks-unknown":  `WithoutChecks names "loss-finit", which is no check of the step's own: did you mean "loss-finite"?`,
		"negative-batch":          `Options.BatchSize is -8: it must be 1 or more`,
		"check-twice":             `two checks are named "it": give one another name, or leave out the step's own with Options.WithoutChecks`,
		"check-nameless":          `step "one": a check has no name: set checks.Check.Name`,
		"check-name":              `step "one": check "It Holds": a name has only a-z, 0-9, dots and dashes, as "it-holds"`,
		"check-empty":             `step "one": check "it" has no function: set checks.Check.Judge`,
	}
	results := o.results()
	for name, message := range want {
		test := "TestMisuse/" + name
		if name == "settings" {
			assert.Equal(t, "pass", results[test])
			continue
		}
		assert.Equal(t, "fail", results[test], name)
		o.says(test, line(t, "misuse_test.go", "TestMisuse", name), message)
		assert.Equal(t, 1, strings.Count(o.text(test), "misuse_test.go:"), "one message: %s", o.text(test))
	}
	for test := range results {
		name := strings.Split(test, "/")
		assert.True(t, len(name) == 1 || want[name[1]] != "" || name[1] == "settings", "case %s is not in the table", name)
	}
}

// Settings that cannot be read are misuse, too.
func TestBadSettings(t *testing.T) {
	t.Parallel()
	at := line(t, "misuse_test.go", "TestMisuse", "settings")
	for _, tt := range []struct{ setting, want string }{
		{"ART_SEED=one", `ART_SEED="one" is not a seed: seeds are whole numbers from 1 to 18446744073709551615`},
		{"ART_SEED=0", `ART_SEED="0" is not a seed`},
		{"ART_SEED=-1", `ART_SEED="-1" is not a seed`},
		{"-art.seed=0", `-art.seed=0 is not a seed: seeds are whole numbers from 1 on`},
		{"ART_QUIET=maybe", `ART_QUIET="maybe" is neither true nor false: set it to 1 or leave it out`},
		{"ART_DIR=/dev/null/runs", `runs cannot be kept in /dev/null/runs: mkdir /dev/null: not a directory; choose another folder with -art.dir or ART_DIR`},
		{"ART_LOGGERS=nams", `ART_LOGGERS="nams": no logger is named "nams": did you mean "names"?`},
		{"-art.loggers=names,breaks", `-art.loggers=names,breaks: logger breaks: panic: no such server`},
		{"-art.dir=/dev/null/runs", `runs cannot be kept in /dev/null/runs`},
	} {
		t.Run(tt.setting, func(t *testing.T) {
			t.Parallel()
			o := recipes(t, "^TestMisuse$/^settings$", tt.setting)
			o.expect("TestMisuse fail", "TestMisuse/settings fail")
			o.says("TestMisuse/settings", at+"arttest.New: "+tt.want)
		})
	}
}

// A flag comes before the environment, and both before the recipe.
func TestSeedSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		settings []string
		want     string
	}{
		{nil, "1"},
		{[]string{"ART_SEED=5"}, "5"},
		{[]string{"-art.seed=6", "ART_SEED=5"}, "6"},
		{[]string{"-art.seed=18446744073709551615", "ART_SEED=x"}, "18446744073709551615"},
	} {
		o := recipes(t, "^TestSeeded$", tt.settings...)
		o.says("TestSeeded", " seed "+tt.want+" ")
		assert.Equal(t, tt.want, o.attrs("TestSeeded/draws")["art.seed"])
	}
	o := recipes(t, "^TestGoldenPass$") // its own seed
	o.says("TestGoldenPass", " seed 7 ")
}

// Messages name the line of the user's that called Step, however many functions
// of the user's are between.
func TestUserLine(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestHelper$")
	o.says("TestHelper/a/a-fails", line(t, "output_test.go", "TestHelper", "a")+"does not hold: a fails")
	o.says("TestHelper/b", line(t, "output_test.go", "TestHelper", "b")+"needs a, which failed")
	o.says("TestHelper/c", line(t, "output_test.go", "TestHelper", "c")+"needs a, which failed")
	o.says("TestHelper/d/d-fails", line(t, "output_test.go", "TestHelper", "d")+"does not hold: d fails")
	o.says("TestHelper", line(t, "output_test.go", "TestHelper", "twice")+`arttest.Step: two steps are named "d"`)

	o = recipes(t, "^TestHelper$/^b$") // a fails within b
	o.says("TestHelper/b", line(t, "output_test.go", "TestHelper", "b")+"a: does not hold: a fails")
}
