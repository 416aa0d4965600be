package loggers_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/loggers"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

func TestFilterAndTeePassEverything(t *testing.T) {
	recordtest.TestSink(t, func(*testing.T) (record.Sink, func() ([]record.Event, error)) {
		var all []record.Event
		var file bytes.Buffer
		sink := loggers.Tee(&loggers.Filter{Sink: record.NewWriter(&file)}, record.Discard)
		return sink, func() ([]record.Event, error) {
			for e, err := range record.NewReader(&file).All() {
				if err != nil {
					return nil, err
				}
				all = append(all, e)
			}
			return all, nil
		}
	})
}

func TestFilter(t *testing.T) {
	ms := func(n int) time.Time { return time.UnixMilli(int64(1_000_000 + n)) }
	scalar := func(name string, iteration, at int) record.Event {
		return record.Event{Kind: record.Scalar, Step: "s", Name: name, Iteration: iteration, Time: ms(at)}
	}
	var run []record.Event
	run = append(run, record.Event{Kind: record.StepStart, Step: "s"})
	for i := range 5 {
		run = append(run, scalar("loss", i, i*10), scalar("grad norm", i, i*10))
	}
	run = append(run, record.Event{Kind: record.Score, Step: "s", Name: "accuracy", Iteration: 1}, record.Event{Kind: record.Vector, Name: "lossy", Iteration: 3})
	for _, c := range []struct {
		name   string
		filter loggers.Filter
		want   string
	}{
		{"zero value", loggers.Filter{}, "step-start loss0 grad norm0 loss1 grad norm1 loss2 grad norm2 loss3 grad norm3 loss4 grad norm4 accuracy1 lossy3"},
		{"names", loggers.Filter{Names: []string{"loss", "acc*"}}, "step-start loss0 loss1 loss2 loss3 loss4 accuracy1"},
		{"kinds", loggers.Filter{Kinds: []record.Kind{record.Score, record.Vector}}, "accuracy1 lossy3"},
		{"every", loggers.Filter{Every: 2, Names: []string{"loss*", "accuracy"}}, "step-start loss0 loss2 loss4 accuracy1"},
		{"interval", loggers.Filter{Interval: 15 * time.Millisecond}, "step-start loss0 grad norm0 loss2 grad norm2 loss4 grad norm4 accuracy1 lossy3"},
		{"nothing matches", loggers.Filter{Names: []string{"none"}}, "step-start"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			c.filter.Sink = record.SinkFunc(func(e record.Event) error {
				if e.Name == "" {
					got = append(got, string(e.Kind))
				} else {
					got = append(got, fmt.Sprint(e.Name, e.Iteration))
				}
				return nil
			})
			recordtest.Emit(t, &c.filter, run...)
			assert.Equal(t, c.want, strings.Join(got, " "))
			require.NoError(t, c.filter.Close())
		})
	}
}

func TestFilterSurvivesAClockThatIsSetBack(t *testing.T) {
	n := 0
	f := &loggers.Filter{Interval: time.Second, Sink: record.SinkFunc(func(record.Event) error { n++; return nil })}
	for _, at := range []int64{1000, 1000, 5, 5, 1005} {
		recordtest.Emit(t, f, record.Event{Kind: record.Scalar, Name: "loss", Time: time.Unix(at, 0)})
	}
	assert.Equal(t, 3, n)
}

func TestFilterErrors(t *testing.T) {
	f := &loggers.Filter{Sink: record.Discard, Names: []string{"[a"}}
	err := f.Emit(record.Event{Seq: 3, Kind: record.Scalar, Name: "loss"})
	assert.ErrorContains(t, err, `Filter.Names has the pattern "[a": syntax error in pattern (see path.Match)`)
	f = &loggers.Filter{Sink: closer{}}
	assert.EqualError(t, f.Close(), "closed")
	assert.NoError(t, f.Close())
}

type closer struct{}

func (closer) Emit(record.Event) error { return nil }
func (closer) Close() error            { return errors.New("closed") }
