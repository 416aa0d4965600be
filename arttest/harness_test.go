package arttest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

var update = flag.Bool("update", false, "rewrite the expected reports in testdata")

// The recipes under testdata run in a module of their own, as a user's do: once
// compiled as a test binary, which most tests start with flags of their choice, and
// through the go command where that is the point.

// scratch is that module. Its parts are made when first asked for.
type scratch struct {
	dir    string // holds go.mod; package recipes is in a folder below
	module func() error
	binary func() (string, error)
	racing func() (string, error)
	events func() (string, error) // the program test2json
}

var module scratch

func TestMain(m *testing.M) {
	flag.Parse()
	dir, err := os.MkdirTemp("", "arttest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if err := os.Setenv("ART_DIR", filepath.Join(dir, "runs")); err != nil { // of the examples of this package
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	module = newScratch(filepath.Join(dir, "mod"))
	// Most tests wait for a process, which waits for a deadline or a signal.
	if err := flag.Set("test.parallel", fmt.Sprint(4*runtime.GOMAXPROCS(0))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func newScratch(dir string) scratch {
	s := scratch{dir: dir}
	s.module = sync.OnceValue(func() error { return writeModule(dir) })
	build := func(name string, flags ...string) func() (string, error) {
		return sync.OnceValues(func() (string, error) {
			if err := s.module(); err != nil {
				return "", err
			}
			file := filepath.Join(dir, name)
			_, err := output(dir, append([]string{"go", "test", "-c", "-vet=off", "-o", file}, append(flags, "./recipes")...)...)
			return file, err
		})
	}
	s.binary, s.racing = build("recipes.test"), build("racing.test", "-race")
	s.events = sync.OnceValues(func() (string, error) { return output(".", "go", "tool", "-n", "test2json") })
	return s
}

// writeModule writes a module that uses this one from its folder.
func writeModule(dir string) error {
	root, err := filepath.Abs("..")
	if err != nil {
		return err
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	const path = "github.com/actually-robust-training/art"
	own := strings.Replace(string(mod), "module "+path, "module example.com/user", 1) +
		fmt.Sprintf("\nrequire %s v0.0.0\n\nreplace %s => %s\n", path, path, root)
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil { // the folders recipes and other
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(own), 0o644); err != nil {
		return err
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644)
}

// output runs a program in a folder and returns what it prints.
func output(dir string, args ...string) (string, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, environment()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return strings.TrimSpace(string(out)), err
}

// environment is that of this process without what would change a recipe, and with
// more, which counts where it says something else.
func environment(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return strings.HasPrefix(name, "ART_") || strings.HasPrefix(name, "LC_") ||
			slices.Contains([]string{"LANG", "CI", "GOFLAGS", "TERM"}, name)
	})
	return append(append(env, "GOFLAGS=-mod=mod", "LANG=C.UTF-8"), more...)
}

// event is a line of the stream of test2json.
type event struct {
	Action, Package, Test, Output, Key, Value, Path string
}

// outcome is what a run of recipes did.
type outcome struct {
	t      *testing.T
	events []event
	raw    string // the stream
	code   int    // exit status
	dir    string // ART_DIR
}

// recipes runs tests of package recipes that a pattern selects, with flags of the
// test binary and environment ("NAME=value") as given.
func recipes(t *testing.T, run string, more ...string) outcome {
	t.Helper()
	binary, err := module.binary()
	require.NoError(t, err)
	return start(t, binary, run, more...).wait()
}

// process is a running test binary.
type process struct {
	outcome
	cmd *exec.Cmd
	out *buffer
	// ended is closed when the process has.
	ended chan struct{}
}

func start(t *testing.T, binary, run string, more ...string) *process {
	t.Helper()
	return startAt(t, filepath.Join(module.dir, "recipes"), binary, run, more...)
}

func startAt(t *testing.T, dir, binary, run string, more ...string) *process {
	t.Helper()
	p := &process{outcome: outcome{t: t, dir: filepath.Join(t.TempDir(), "art")}, out: &buffer{}, ended: make(chan struct{})}
	flags := []string{"-test.paniconexit0", "-test.v=test2json", "-test.run=" + run}
	env := []string{"ART_DIR=" + p.dir}
	for _, m := range more {
		if strings.HasPrefix(m, "-") {
			flags = append(flags, m)
		} else {
			env = append(env, m)
		}
	}
	if !slices.ContainsFunc(flags, func(f string) bool { return strings.HasPrefix(f, "-test.timeout") }) {
		flags = append(flags, "-test.timeout=1m")
	}
	p.cmd = exec.Command(binary, flags...)
	p.cmd.Dir, p.cmd.Env = dir, environment(env...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait() // how it ended is in its ProcessState
		close(p.ended)
	}()
	return p
}

// ready waits until a recipe prints READY.
func (p *process) ready() {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return strings.Contains(p.out.String(), "READY") }, 20*time.Second, 2*time.Millisecond, "%s", p.out)
}

func (p *process) wait() outcome {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(time.Minute):
		_ = p.cmd.Process.Kill()
		require.Fail(p.t, "the recipes do not end", "%s", p.out)
	}
	p.code = p.cmd.ProcessState.ExitCode()
	convert, err := module.events()
	require.NoError(p.t, err)
	cmd := exec.CommandContext(context.Background(), convert)
	cmd.Stdin = strings.NewReader(p.out.String())
	stream, err := cmd.Output()
	require.NoError(p.t, err)
	p.raw = p.out.String()
	p.events = decode(p.t, stream)
	return p.outcome
}

func decode(t *testing.T, stream []byte) []event {
	t.Helper()
	var events []event
	for line := range bytes.Lines(stream) {
		var e event
		require.NoError(t, json.Unmarshal(line, &e), "%s", line)
		events = append(events, e)
	}
	return events
}

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// results are the tests that ended, with how: "pass", "fail", "skip".
func (o outcome) results() map[string]string {
	r := map[string]string{}
	for _, e := range o.events {
		if e.Test != "" && slices.Contains([]string{"pass", "fail", "skip"}, e.Action) {
			r[e.Test] = e.Action
		}
	}
	return r
}

// expect compares results with "test result" lines, all of them.
func (o outcome) expect(lines ...string) {
	o.t.Helper()
	want := map[string]string{}
	for _, line := range lines {
		test, result, _ := strings.Cut(line, " ")
		want[test] = result
	}
	assert.Equal(o.t, want, o.results(), "%s", o.raw)
}

// text is the output of one test, those below it left out.
func (o outcome) text(test string) string {
	var b strings.Builder
	for _, e := range o.events {
		if e.Action == "output" && e.Test == test {
			b.WriteString(e.Output)
		}
	}
	return b.String()
}

// says expects parts in the output of a test, in order.
func (o outcome) says(test string, parts ...string) {
	o.t.Helper()
	text := o.text(test)
	for _, part := range parts {
		_, rest, ok := strings.Cut(text, part)
		if !assert.True(o.t, ok, "%s does not say %q after what is before it:\n%s", test, part, o.text(test)) {
			return
		}
		text = rest
	}
}

// attrs are the attributes of a test.
func (o outcome) attrs(test string) map[string]string {
	a := map[string]string{}
	for _, e := range o.events {
		if e.Action == "attr" && e.Test == test {
			a[e.Key] = e.Value
		}
	}
	return a
}

// runs are the runs that were recorded, those of a recipe, or all for "*".
func (o outcome) runs(recipe string) []*record.Run {
	o.t.Helper()
	files, err := filepath.Glob(filepath.Join(o.dir, recipe, "*", "events.jsonl"))
	require.NoError(o.t, err)
	var runs []*record.Run
	for _, file := range files {
		runs = append(runs, o.read(file))
	}
	return runs
}

// read is the run of an event file.
func (o outcome) read(file string) *record.Run {
	o.t.Helper()
	f, err := os.Open(file)
	require.NoError(o.t, err)
	defer f.Close()
	run, err := record.Fold(f)
	require.NoError(o.t, err)
	assert.Equal(o.t, filepath.Base(filepath.Dir(file)), run.ID)
	assert.Equal(o.t, filepath.Dir(file), run.Settings["directory"])
	return run
}

// run is the only run.
func (o outcome) run() *record.Run {
	o.t.Helper()
	runs := o.runs("*")
	require.Len(o.t, runs, 1, "%s", o.raw)
	return runs[0]
}

// outcomes are how the steps of a run ended, in the order in which they began.
func outcomes(run *record.Run) (list []string) {
	for _, s := range run.Steps {
		list = append(list, s.Name+" "+string(s.Outcome))
	}
	return list
}

// line is "file:line" of the comment that a source of package recipes has there,
// within the function named.
func line(t *testing.T, file, function, comment string) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("testdata", "recipes", file))
	require.NoError(t, err)
	inside := false
	for i, text := range strings.Split(string(source), "\n") {
		if strings.HasPrefix(text, "func ") {
			inside = strings.HasPrefix(text, "func "+function+"(")
		}
		if inside && strings.HasSuffix(text, "// "+comment) {
			return fmt.Sprintf("%s:%d: ", file, i+1)
		}
	}
	require.Fail(t, "no such line", "%s: %s: // %s", file, function, comment)
	return ""
}
