package recipes

import (
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

// The line that must be blamed ends in a comment with the name of the case.
func TestMisuse(t *testing.T) {
	train1 := train.Data{Name: "half", Training: blobs().Training, Classes: blobs().Classes}
	scored := training{Model: train.Model{Name: "m"}, Iterations: 1}
	with := func(o arttest.Options) training { s := scored; s.Options = o; return s }
	start := func(t *testing.T) *arttest.R {
		t.Helper()
		return arttest.New(t, arttest.Recipe{Data: blobs(), Metrics: []train.Metric{hits()}})
	}
	cases := map[string]func(t *testing.T){
		"settings": func(t *testing.T) { arttest.New(t, plain()) },                                  // settings
		"no-data":  func(t *testing.T) { arttest.New(t, arttest.Recipe{}) },                         // no-data
		"no-name":  func(t *testing.T) { arttest.New(t, arttest.Recipe{Name: "…", Data: blobs()}) }, // no-name
		"batch-size": func(t *testing.T) {
			d := blobs()
			d.BatchSize = -1
			arttest.New(t, arttest.Recipe{Data: d}) // batch-size
		},
		"empty-metric": func(t *testing.T) { arttest.New(t, arttest.Recipe{Data: blobs(), Metrics: []train.Metric{{}}}) }, // empty-metric
		"metric-twice": func(t *testing.T) {
			arttest.New(t, arttest.Recipe{Data: blobs(), Metrics: []train.Metric{hits(), hits()}}) // metric-twice
		},
		"metric-loss": func(t *testing.T) {
			m := hits()
			m.Name = "loss"
			arttest.New(t, arttest.Recipe{Data: blobs(), Metrics: []train.Metric{m}}) // metric-loss
		},
		"metric-misfit": func(t *testing.T) {
			m := hits()
			m.New = func([]string) (train.Accumulator, error) { return nil, errPlanted }
			arttest.New(t, arttest.Recipe{Data: blobs(), Metrics: []train.Metric{m}}) // metric-misfit
		},
		"nil-logger":  func(t *testing.T) { arttest.New(t, arttest.Recipe{Data: blobs(), Loggers: []record.Sink{nil}}) }, // nil-logger
		"nil-step":    func(t *testing.T) { arttest.Step(start(t), nil) },                                                // nil-step
		"nil-pointer": func(t *testing.T) { arttest.Step(start(t), (*training)(nil)) },                                   // nil-pointer
		"nil-func":    func(t *testing.T) { arttest.Step(start(t), arttest.StepFunc{Name: "idle"}) },                     // nil-func
		"nameless":    func(t *testing.T) { arttest.Step(start(t), passes("")) },                                         // nameless
		"bad-name":    func(t *testing.T) { arttest.Step(start(t), passes("Über fit")) },                                 // bad-name
		"dots":        func(t *testing.T) { arttest.Step(start(t), passes("..")) },                                       // dots
		"file-name":   func(t *testing.T) { arttest.Step(start(t), passes("events.jsonl")) },                             // file-name
		"step-twice": func(t *testing.T) {
			r := start(t)
			arttest.Step(r, passes("one"))
			arttest.Step(r, passes("one")) // step-twice
		},
		"after-unknown": func(t *testing.T) {
			r := start(t)
			arttest.Step(r, passes("overfit"))
			arttest.Step(r, after("last", "overfti")) // after-unknown
		},
		"metric-unknown": func(t *testing.T) {
			arttest.Step(start(t), scored, checks.AtLeast("acuracy", "training", 0.5)) // metric-unknown
		},
		"stage-unknown": func(t *testing.T) {
			arttest.Step(start(t), scored, checks.AtLeast("accuracy", "trainig", 0.5)) // stage-unknown
		},
		"stage-unmeasured": func(t *testing.T) {
			arttest.Step(start(t), scored, checks.AtLeast("accuracy", "test", 0.5)) // stage-unmeasured
		},
		"stage-without-data": func(t *testing.T) {
			r := arttest.New(t, arttest.Recipe{Data: train1, Metrics: []train.Metric{hits()}})
			arttest.Step(r, scored, checks.AtLeast("accuracy", "validation", 0.5)) // stage-without-data
		},
		"measures-nothing": func(t *testing.T) {
			arttest.Step(start(t), passes("idle"), checks.AtLeast("accuracy", "training", 0.5)) // measures-nothing
		},
		"metric-left-out": func(t *testing.T) {
			arttest.Step(start(t), with(arttest.Options{WithoutMetrics: []string{"accuracy"}}), checks.AtLeast("accuracy", "training", 0.5)) // metric-left-out
		},
		"without-metrics-unknown": func(t *testing.T) {
			arttest.Step(start(t), with(arttest.Options{WithoutMetrics: []string{"acuracy"}})) // without-metrics-unknown
		},
		"without-checks-unknown": func(t *testing.T) {
			s := with(arttest.Options{WithoutChecks: []string{"loss-finit"}})
			s.Checks = []checks.Check{holds("loss-finite")}
			arttest.Step(start(t), s) // without-checks-unknown
		},
		"negative-batch": func(t *testing.T) { arttest.Step(start(t), with(arttest.Options{BatchSize: -8})) },    // negative-batch
		"check-twice":    func(t *testing.T) { arttest.Step(start(t), passes("one"), holds("it"), fails("it")) }, // check-twice
		"check-nameless": func(t *testing.T) { arttest.Step(start(t), passes("one"), checks.Check{}) },           // check-nameless
		"check-name":     func(t *testing.T) { arttest.Step(start(t), passes("one"), holds("It Holds")) },        // check-name
		"check-empty":    func(t *testing.T) { arttest.Step(start(t), passes("one"), checks.Check{Name: "it"}) }, // check-empty
	}
	for name, f := range cases {
		t.Run(name, f)
	}
}
