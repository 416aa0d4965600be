package arttest_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var otherRun = regexp.MustCompile(`\.\./[0-9A-Z]{8}/`)

// bitsOf are the events of one run, wherever its parts were computed.
func (o outcome) bitsOf(recipe, run string) []string {
	o.t.Helper()
	one := o
	one.dir = o.t.TempDir()
	require.NoError(o.t, os.CopyFS(filepath.Join(one.dir, recipe, run), os.DirFS(filepath.Join(o.dir, recipe, run))))
	lines := one.bits(recipe)[0]
	for i, line := range lines {
		line = regexp.MustCompile(`^\{Seq:\d+ `).ReplaceAllString(otherRun.ReplaceAllString(line, ""), "")
		lines[i] = regexp.MustCompile(`(StepStart|Kind:step-start)(.*) Text:[0-9A-Z]*`).ReplaceAllString(line, "$1$2")
	}
	return lines
}

// A recipe killed at any moment, again and again until it ends, ends with the same
// bits: curves, scores, weights, moments of the optimizer, in a step of the user's, in
// those that train on one batch, with several seeds, with variants that stop early.
// The short suite kills it some times and lets it end.
func TestResumeAfterKill(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	whole := recipes(t, "^TestResume$")
	require.Equal(t, 0, whole.code, "%s", whole.raw)
	want := whole.bitsOf("resume", whole.newest("resume").ID)
	require.Greater(t, len(want), 400)

	rounds, most := 6, 300
	if testing.Short() {
		rounds, most = 1, 3
	}
	random := rand.New(rand.NewPCG(3, 4))
	for range rounds {
		dir := filepath.Join(t.TempDir(), "art")
		kills, wentOn := 0, 0
		for {
			p := start(t, binary, "^TestResume$", "ART_DIR="+dir)
			p.dir = dir
			select {
			case <-p.ended:
			case <-patience(kills < most, time.Duration(20+random.IntN(300))*time.Millisecond):
				require.NoError(t, p.cmd.Process.Kill())
				<-p.ended
				kills++
				wentOn += strings.Count(p.out.String(), "goes on at iteration")
				continue
			}
			o := p.wait()
			require.Equal(t, 0, o.code, "%s", o.raw)
			got := o.bitsOf("resume", o.newest("resume").ID)
			require.Empty(t, cmp.Diff(want, got))
			t.Logf("%d kills, went on %d times", kills, wentOn+strings.Count(o.raw, "goes on at iteration"))
			assert.Positive(t, kills)
			assert.Less(t, kills, 300, "it never ended while it was killed")
			assert.True(t, testing.Short() || wentOn > 0)
			left, err := filepath.Glob(filepath.Join(dir, "resume", "checkpoints", "*"))
			require.NoError(t, err)
			assert.Empty(t, left, "checkpoints are deleted when the step has a verdict")
			break
		}
	}
}

// patience ends after a time, or never.
func patience(ends bool, after time.Duration) <-chan time.Time {
	if !ends {
		return nil
	}
	return time.After(after)
}

// What a signal or the deadline stops goes on where it was, though no time for a
// checkpoint had come.
func TestResumeAfterStop(t *testing.T) {
	t.Parallel()
	binary, err := module.binary()
	require.NoError(t, err)
	const seldom, long = "RECIPES_EVERY=1000000", "RECIPES_EPOCHS=800"
	whole := recipes(t, "^TestResume$/^weights$", seldom, long)
	require.Equal(t, 0, whole.code, "%s", whole.raw)
	want := whole.bitsOf("resume", whole.newest("resume").ID)
	for name, stop := range map[string]func(p *process){
		"signal":   func(p *process) { p.ready(); time.Sleep(40 * time.Millisecond); _ = p.cmd.Process.Signal(os.Interrupt) },
		"deadline": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "art")
			args := []string{"ART_DIR=" + dir, seldom, long}
			if stop == nil {
				args = append(args, "-test.timeout=2s")
			}
			p := start(t, binary, "^TestResume$/^weights$", args...)
			p.dir = dir
			if stop != nil {
				stop(p)
			}
			first := p.wait()
			require.Equal(t, 1, first.code, "%s", first.raw)
			o := again(t, dir, "^TestResume$/^weights$", seldom, long)
			assert.Regexp(t, `▸ weights goes on at iteration \d+ of \d+ \(run `+first.newest("resume").ID+` was interrupted\)\n`, o.text("TestResume/weights"))
			assert.Empty(t, cmp.Diff(want, o.bitsOf("resume", o.newest("resume").ID)))

			fresh := again(t, dir, "^TestResume$/^weights$", seldom, long, "-art.fresh")
			assert.NotContains(t, fresh.raw, "goes on")
		})
	}
}
