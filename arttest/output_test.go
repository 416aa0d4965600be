package arttest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// steady replaces what differs between two runs.
func (o outcome) steady() string {
	text := strings.ReplaceAll(o.raw, o.dir, "DIR")
	text = strings.ReplaceAll(text, module.dir, "MODULE")
	for _, r := range [][2]string{
		{`(run|show) [0-9A-Z]{8}\b`, "$1 RUNID"},
		{`DIR/([a-z0-9-]+)/[0-9A-Z]{8}`, "DIR/$1/RUNID"},
		{`\(\d+\.\d\ds\)`, "(TIME)"},
		{` (\d+ (µs|us|ms)|\d+\.\d s)\n`, " TIME\n"},
		{`(\.go:)\d+`, "${1}LINE"},
	} {
		text = regexp.MustCompile(r[0]).ReplaceAllString(text, r[1])
	}
	return text
}

// The reports, as people read them.
func TestReports(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, run string
		more      []string
	}{
		{"pass", "^TestGoldenPass$", nil},
		{"fail", "^TestGoldenFail$", nil},
		{"broken", "^TestGoldenBroken$", nil},
		{"dry", "^TestGoldenPass$", []string{"-test.short"}},
		{"inline", "^TestGoldenFail$/^overfit$", nil},
		{"ascii", "^TestGolden(Pass|Fail)$", []string{"LANG=C"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := recipes(t, tt.run, append(tt.more, "-test.v=true")...).steady()
			file := filepath.Join("testdata", "golden", tt.name+".txt")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
				return
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, string(want), got)
		})
	}
}

// In a locale that is not UTF-8 nothing but ASCII is printed, whatever is reported.
func TestASCII(t *testing.T) {
	t.Parallel()
	for locale, run := range map[string]string{
		"LANG=C":                    "^(TestGolden.*|TestArtifacts|TestPanic.*|TestLinear|TestMisuse|TestLast)$",
		"LC_ALL=POSIX":              "^(TestLinear|TestMisuse)$",
		"LC_CTYPE=de_DE.ISO-8859-1": "^(TestLinear|TestMisuse)$",
	} {
		o := recipes(t, run, locale)
		for _, e := range o.events {
			if strings.HasPrefix(e.Test, "TestMisuse/bad-name") {
				continue // the name is the user's, but see below
			}
			for i, b := range []byte(e.Output) {
				require.True(t, b < 0x7f, "%s: byte %d of %q", e.Test, i, e.Output)
			}
		}
		o.says("TestMisuse/bad-name", `"?ber fit"`)
		o.says("TestLinear/first", "ok one", "ok two")
		o.says("TestLinear/second", "XX broken first", "!! warned")
	}
	for _, locale := range []string{"LANG=", "LANG=de_DE.utf8", "LC_ALL=C.UTF-8"} {
		recipes(t, "^TestLinear$", locale).says("TestLinear/first", "✓ one")
	}
}

// Without -v a pass prints nothing of ours, and a failure all that is needed.
func TestQuietPass(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^(TestThree|TestTraining)$", "-test.v=false")
	assert.Equal(t, "PASS\n", o.raw)

	o = recipes(t, "^(TestThree|TestGoldenFail)$", "-test.v=false")
	for _, part := range []string{"the network cannot learn 16 samples by heart", "want      < 0.010", "got       2.31", "evidence  ", "likely    ", "try       ",
		"replay    go test ./recipes -run ", "files     ", "next: mend overfit one batch, then go test ", "output_test.go:"} {
		assert.Contains(t, o.raw, part)
	}
	assert.NotContains(t, o.raw, "ATTR")
	assert.NotContains(t, o.raw, "TestThree")
}

// The line a failure ends in, given to a shell in the module's folder, repeats it.
func TestReplay(t *testing.T) {
	if testing.Short() {
		t.Skip("starts go test")
	}
	t.Parallel()
	o := recipes(t, "^TestSeeded$", "-art.seed=13")
	o.expect("TestSeeded fail", "TestSeeded/draws fail", "TestSeeded/draws/seed-is-not-13 fail", "TestSeeded/next skip")
	replay := regexp.MustCompile(`replay +(go test .*)`).FindStringSubmatch(o.text("TestSeeded/draws/seed-is-not-13"))
	require.NotNil(t, replay)
	text, err := output(module.dir, "sh", "-c", replay[1])
	require.Error(t, err)
	assert.Contains(t, err.Error(), "--- FAIL: TestSeeded/draws/seed-is-not-13")
	assert.Contains(t, err.Error(), "seed 13")
	assert.NotContains(t, err.Error(), "SKIP", text)

	again := strings.Replace(replay[1], "-art.seed=13", "-art.seed=14", 1)
	_, err = output(module.dir, "sh", "-c", again)
	assert.NoError(t, err)
}
