package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asLauncher makes the test binary behave as the program, so that the tests below
// start the code under test as a process of its own.
const asLauncher = "GOTESTSUM_LAUNCHER_UNDER_TEST"

func TestMain(m *testing.M) {
	if os.Getenv(asLauncher) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// module writes a module with one test package, the settings and the pinned tools,
// and returns its root.
func module(t *testing.T, settings, tests string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"go.mod":         "module example.com/tiny\n\ngo 1.26\n",
		"tiny_test.go":   "package tiny\n\n" + tests,
		"gotestsum.json": settings,
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "tools", name))
		require.NoError(t, err)
		files[filepath.Join("tools", name)] = string(data)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

// launcher prepares the program in dir. Its environment is free of what an outer
// gotestsum or go test may have set.
func launcher(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, args...)
	cmd.Dir = dir
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, "GOTESTSUM_") || strings.HasPrefix(s, "GOFLAGS=") || strings.HasPrefix(s, "PWD=")
	})
	cmd.Env = append(cmd.Env, asLauncher+"=1", "GOWORK=off", "GOFLAGS=")
	return cmd
}

const twoTests = `import "testing"

func TestGood(t *testing.T) { t.Attr("score", "0.97") }
func TestBad(t *testing.T)  { t.Error("loss 0.52 is not less than 0.1") }
`

// junit is the part of the JUnit format that is looked at here.
type junit struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Cases    []struct {
		Name    string `xml:"name,attr"`
		Failure string `xml:"failure"`
	} `xml:"testsuite>testcase"`
}

func TestRunForReal(t *testing.T) {
	if testing.Short() {
		t.Skip("builds gotestsum and starts go test")
	}
	dir := module(t, `{
		"format": "testname",
		"junitfile": "reports/deep/tests.xml",
		"junitfile-project-name": "tiny",
		"jsonfile": "reports/tests.json",
		"packages": ["./..."],
		"profiles": {"good": {"go-test-flags": ["-run=TestGood"]}}
	}`, twoTests)

	out, err := launcher(t, dir).CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", out)
	assert.Equal(t, 1, exit.ExitCode(), "the exit code of go test\n%s", out)
	assert.Contains(t, string(out), "loss 0.52 is not less than 0.1")

	data, err := os.ReadFile(filepath.Join(dir, "reports", "deep", "tests.xml"))
	require.NoError(t, err)
	var report junit
	require.NoError(t, xml.Unmarshal(data, &report))
	assert.Equal(t, "tiny", report.Name)
	assert.Equal(t, 2, report.Tests)
	assert.Equal(t, 1, report.Failures)
	failed := map[string]bool{}
	for _, c := range report.Cases {
		failed[c.Name] = c.Failure != ""
	}
	assert.Equal(t, map[string]bool{"TestGood": false, "TestBad": true}, failed)
	assert.Contains(t, string(data), `<property name="score" value="0.97">`)

	assert.Equal(t, map[string]string{"TestGood": "pass", "TestBad": "fail"}, outcomes(t, filepath.Join(dir, "reports", "tests.json")))

	out, err = launcher(t, dir, "-profile", "good", "--jsonfile=good.json", "--", "-count=1").CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, map[string]string{"TestGood": "pass"}, outcomes(t, filepath.Join(dir, "good.json")))
}

// outcomes reads a stream of go test -json: the last word on each test.
func outcomes(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	got := map[string]string{}
	for d := json.NewDecoder(f); d.More(); {
		var event struct{ Action, Test, Output string }
		require.NoError(t, d.Decode(&event))
		assert.NotContains(t, event.Output, "=== NAME", "only -v prints this line")
		if event.Test != "" && slices.Contains([]string{"pass", "fail", "skip"}, event.Action) {
			got[event.Test] = event.Action
		}
	}
	return got
}

// An interrupt must reach gotestsum once: it then writes its reports and exits with
// 128 and the number of the signal.
func TestInterrupt(t *testing.T) {
	if testing.Short() {
		t.Skip("builds gotestsum and starts go test")
	}
	dir := module(t, `{"format": "standard-verbose", "junitfile": "tests.xml"}`, `import (
	"os"
	"testing"
	"time"
)

func TestSlow(t *testing.T) {
	os.WriteFile("started", nil, 0o644)
	time.Sleep(2 * time.Second)
}
`)
	cmd := launcher(t, dir)
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		_, err := os.Stat(filepath.Join(dir, "started"))
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, 130, exit.ExitCode())
	assert.FileExists(t, filepath.Join(dir, "tests.xml"))
}

func TestMisuse(t *testing.T) {
	dir := module(t, `{"junitfile": "go.mod/tests.xml"}`, twoTests)
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"flag of go test", []string{"-race"}, "gotestsum launcher: -race: not a flag of gotestsum"},
		{"no such settings", []string{"-config", "none.json"}, "no settings none.json in "},
		{"report folder is a file", nil, "--junitfile=go.mod/tests.xml: mkdir go.mod: not a directory; name a file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := launcher(t, dir, tt.args...).CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, 2, exit.ExitCode())
			assert.Contains(t, string(out), tt.want)
		})
	}
	out, err := launcher(t, dir, "-h").Output()
	require.NoError(t, err)
	assert.Equal(t, usage, string(out))
}

// The table of flags is that of the pinned version.
func TestKnownFlags(t *testing.T) {
	if testing.Short() {
		t.Skip("builds gotestsum")
	}
	cmd := exec.Command("go", "tool", "-modfile=tools/go.mod", "gotestsum", "--help")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	require.NoError(t, err)
	shown := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\s+(?:-\w, )?--([a-z-]+)(?: ([a-z-]+))?`).FindAllStringSubmatch(string(out), -1) {
		shown[m[1]] = m[2]
	}
	delete(shown, "raw-command")
	types := map[string]kind{"": toggle, "int": count, "string": text, "summary": list, "list": list, "field-format": text, "command": text}
	for name, placeholder := range shown {
		assert.Equal(t, types[placeholder], known[name].kind, "--%s %s", name, placeholder)
	}
	assert.Len(t, known, len(shown))
}
