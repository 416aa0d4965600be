package recipes

import (
	"context"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

func TestLinear(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, passes("first"), holds("one"), holds("two"))
	arttest.Step(r, passes("second"), fails("broken-first"), holds("whole"), checks.Check{Name: "panics",
		Judge: func(*record.StepRun) record.Verdict { panic("in a check") }}, checks.Warn(fails("warned")), fails("broken-last"))
	arttest.Step(r, passes("third"), holds("never"))
	arttest.Step(r, passes("fourth"))
}

func TestGraph(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, passes("root"), fails("root-fails"))
	arttest.Step(r, after("free"))
	arttest.Step(r, after("of-free", "free"))
	arttest.Step(r, after("of-root", "root"))
	arttest.Step(r, after("of-of-root", "of-root"))
	arttest.Step(r, after("of-both", "root", "free"))
}

func TestContinue(t *testing.T) {
	r := arttest.New(t, plain())
	first := passes("fails")
	first.Options.ContinueOnFailure = true
	second := does("breaks", func(context.Context, *arttest.Scope) error { return errPlanted })
	second.Options.ContinueOnFailure = true
	arttest.Step(r, first, fails("not-so"))
	arttest.Step(r, second)
	arttest.Step(r, passes("goes-on"))
}

func TestNeeds(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, passes("a"), holds("a-holds"))
	arttest.Step(r, passes("b"), holds("b-holds"), fails("b-warns-only-when-asked"))
}

func TestThree(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, passes("a"), holds("a-holds"))
	arttest.Step(r, passes("b"), holds("b-holds"))
	arttest.Step(r, passes("c"), holds("c-holds"))
}

func TestNeedFails(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, passes("a"), fails("a-fails"))     // a
	arttest.Step(r, passes("b"))                       // b
	arttest.Step(r, after("c", "b"), holds("c-holds")) // c
	arttest.Step(r, after("d", "c"), holds("d-holds")) // d
}

func TestNeedBreaks(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, does("a", func(context.Context, *arttest.Scope) error { panic("in a need") }))
	arttest.Step(r, passes("b")) // b breaks
}

func TestParallelOne(t *testing.T) { parallel(t) }
func TestParallelTwo(t *testing.T) { parallel(t) }

func parallel(t *testing.T) {
	t.Helper()
	t.Parallel()
	r := arttest.New(t, arttest.Recipe{Name: "same", Data: blobs()})
	arttest.Step(r, passes("a"))
	arttest.Step(r, passes("b"), holds("b-holds"))
}

const odd = `a/b "c" 'd' (e|f) [g] $h ü .*`

func TestNested(t *testing.T) {
	for _, name := range []string{"group", odd} {
		t.Run(name, func(t *testing.T) {
			r := arttest.New(t, plain())
			arttest.Step(r, passes("a"))
			arttest.Step(r, passes("b"), fails("b-fails"))
		})
	}
}

// TestDry counts the batches that steps see.
func TestDry(t *testing.T) {
	r := arttest.New(t, arttest.Recipe{Data: blobs(), Metrics: []train.Metric{hits()}})
	arttest.Step(r, does("count", func(ctx context.Context, s *arttest.Scope) error {
		d := s.Data()
		for _, stage := range d.Stages() {
			source, err := d.Stage(stage)
			if err != nil {
				return err
			}
			n, _, err := train.Count(ctx, source, train.Pass{BatchSize: 8})
			if err != nil {
				return err
			}
			s.Score(stage, "batches", float64(n))
		}
		return nil
	}), fails("judged"))
}

// TestEmpty has no steps.
func TestEmpty(t *testing.T) { arttest.New(t, plain()) }
