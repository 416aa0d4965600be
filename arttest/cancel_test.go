package arttest_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
)

// A step that heeds its context stops before the deadline and says where it was.
func TestDeadline(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^(TestHeeds|TestLast)$", "-test.timeout=2s")
	assert.Equal(t, "fail", o.results()["TestHeeds/training"])
	text := o.text("TestHeeds/training")
	assert.Regexp(t, regexp.MustCompile(regexp.QuoteMeta(line(t, "cancel_test.go", "TestHeeds", "here"))+
		`step training did not come to its end \(model mlp\): iteration \d+ \(epoch \d+\): `+
		`stopped, because the deadline of the test is only [0-9.]+m?s away: raise -timeout\n`), text)
	assert.Contains(t, text, "again     go test ./recipes -run '^TestHeeds$/^training$'")
	assert.NotContains(t, text, "replay")
	o.says("TestHeeds", "was stopped", "next: type the same again to go on with training: go test ./recipes -run '^TestHeeds$' -art.seed=1 -v\n")
	assert.NotContains(t, o.raw, "panic: test timed out")
	assert.NotContains(t, o.results(), "TestHeeds/training/never-judged")
	assert.Equal(t, "broken", string(o.runs("heeds")[0].Steps[0].Outcome))
	assert.NotEmpty(t, o.runs("heeds")[0].Steps[0].Series)
}

// A step that only returns is not judged by half of its work.
func TestDeadlineReturnsNil(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestReturnsNil$", "-test.timeout=2s")
	o.expect("TestReturnsNil fail", "TestReturnsNil/it fail")
	o.says("TestReturnsNil/it", line(t, "cancel_test.go", "TestReturnsNil", "here"), "stopped, because the deadline", "raise -timeout, after 7 of 9 iterations\n")
}

// A step that does not heed its context is left behind, before go test panics.
func TestDeadlineIgnored(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestIgnores$", "-test.timeout=2s")
	o.expect("TestIgnores fail", "TestIgnores/it fail", "TestIgnores/next skip")
	assert.Regexp(t, regexp.MustCompile(regexp.QuoteMeta(line(t, "cancel_test.go", "TestIgnores", "here"))+
		`step it did not come to its end: stopped, because the deadline of the test is only .* away: raise -timeout`+
		`, after \d+ iterations; it did not heed its context and was left behind\n`), o.text("TestIgnores/it"))
	assert.NotContains(t, o.raw, "panic: test timed out")
	o.says("TestIgnores/next", "needs it, which was stopped\n")
	assert.Equal(t, []string{"it broken", "next skip"}, outcomes(o.run()))
	assert.Equal(t, "fail", string(o.run().Outcome))
}

// A logger that does not return holds up neither the report nor the event file.
func TestHungLogger(t *testing.T) {
	t.Parallel()
	const gone = "Emit of the logger *recipes.hangs does not return: a logger that may be slow must buffer for itself"
	for _, tt := range []struct {
		test, below, says string
		steps             []string
	}{
		{"TestHungIteration", "/training", ", after 10 of 50 iterations; it did not heed its context and was left behind; " + gone, []string{"training broken", "next skip"}},
		{"TestHungRunStart", "", "arttest.New: " + gone, nil},
		{"TestHungStepEnd", "/training", gone, []string{"training pass", "next skip"}},
		{"TestHungClose", "", strings.Replace(gone, "Emit", "Close", 1), []string{"training pass", "next pass"}},
	} {
		t.Run(tt.test+tt.below, func(t *testing.T) {
			t.Parallel()
			o := recipes(t, "^"+tt.test+"$", "-test.timeout=3s")
			assert.Equal(t, "fail", o.results()[tt.test+tt.below])
			o.says(tt.test+tt.below, line(t, "cancel_test.go", tt.test, "here"), tt.says)
			assert.NotContains(t, o.raw, "panic: test timed out")
			assert.Equal(t, tt.steps, outcomes(o.run()))
		})
	}
}

// The first signal ends the step and all that would come after it, and what was
// recorded is whole.
func TestSignals(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := start(t, binary, "^(TestHeeds|TestLast)$")
			p.ready()
			require.NoError(t, p.cmd.Process.Signal(signal))
			o := p.wait()
			o.expect("TestHeeds fail", "TestHeeds/training fail", "TestHeeds/free fail", "TestLast fail")
			o.says("TestHeeds/training", line(t, "cancel_test.go", "TestHeeds", "here"), "iteration ", "interrupted (signal "+signal.String()+")\n")
			o.says("TestHeeds/free", "not begun: interrupted")
			o.says("TestLast", "arttest.New: not begun: interrupted")
			assert.Equal(t, 1, o.code)
			assert.Equal(t, []string{"training broken", "free broken"}, outcomes(o.run()))
			assert.Equal(t, "fail", string(o.run().Outcome))
		})
	}
}

// The second signal kills, even when the step heeds none.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	p := start(t, binary, "^TestIgnores$")
	p.ready()
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	time.Sleep(300 * time.Millisecond)
	select {
	case <-p.ended:
		t.Fatal("the first signal killed")
	default:
	}
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	o := p.wait()
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	assert.True(t, status.Signaled() && status.Signal() == syscall.SIGINT, "%v", p.cmd.ProcessState)
	assert.NotEmpty(t, o.run().Steps[0].Series)
}

// os.Exit and a kill leave the events that were written.
func TestExitInStep(t *testing.T) {
	t.Parallel()
	o := recipes(t, "^TestExit$")
	assert.Equal(t, 3, o.code)
	s := o.run().Step("it")
	p, ok := s.Score("loss", "training")
	assert.True(t, ok)
	assert.Equal(t, 0.25, p.Value)
	assert.Empty(t, s.Outcome)
	assert.Empty(t, o.run().Outcome)
}

func TestKill(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	kills := 40
	if testing.Short() {
		kills = 3
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range kills {
		p := start(t, binary, "^TestBusy$")
		p.ready()
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		require.NoError(t, p.cmd.Process.Kill())
		<-p.ended
		files, err := filepath.Glob(filepath.Join(p.dir, "busy", "*", "events.jsonl"))
		require.NoError(t, err)
		require.Len(t, files, 1)
		f, err := os.Open(files[0])
		require.NoError(t, err)
		reader := record.NewReader(f)
		n := int64(0)
		for e, err := range reader.All() {
			require.NoError(t, err)
			require.Equal(t, n+1, e.Seq, "no gap")
			if n = e.Seq; n > 2 {
				require.Equal(t, float64(n-2), e.Value)
			}
		}
		require.Greater(t, n, int64(5))
		f.Close()
	}
}
