package loggers

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// wandbState is how far a run has come, kept with the position of its spool.
// Values are JSON texts.
type wandbState struct {
	// History, Console and Events are the numbers of lines that the service has.
	History int `json:"history"`
	Console int `json:"console"`
	Events  int `json:"events,omitempty"`
	// Output is the length in bytes of the console, as a file.
	Output int64 `json:"output,omitempty"`
	// Next is the _step of the next row.
	Next int64 `json:"next"`
	// Started is the time of the first event; Base the seconds that earlier
	// processes took, Runtime those of all.
	Started time.Time         `json:"started"`
	Base    float64           `json:"base,omitempty"`
	Runtime float64           `json:"runtime,omitempty"`
	Time    float64           `json:"time,omitempty"` // of the last row, Unix seconds
	Config  map[string]string `json:"config"`
	Summary map[string]string `json:"summary"`
	// Own is what other clients have put beside the config of a resumed run.
	Own     map[string]string `json:"own,omitempty"`
	Metrics []wandbMetric     `json:"metrics,omitempty"`
	Tags    []string          `json:"tags,omitempty"`
	Ended   bool              `json:"ended,omitempty"`
}

// wandbMetric is a metric and the place, from 1, of the one that is its axis; 0 is
// none.
type wandbMetric struct {
	Name string `json:"n"`
	Axis int    `json:"a,omitempty"`
}

func loadWandBState(p position) (s wandbState, err error) {
	err = json.Unmarshal([]byte(p.Remote["state"]), &s)
	if s.Config == nil {
		s.Config = map[string]string{}
	}
	if s.Summary == nil {
		s.Summary = map[string]string{}
	}
	return s, err
}

// keep puts the state into the position.
func (s *wandbState) keep(p *position) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	p.Remote["state"] = string(b)
	return nil
}

// maxMetrics bounds the metrics that are given an axis.
const maxMetrics = 2000

// configJSON is the config as the service takes it: every value wrapped, and what
// clients keep for themselves under _wandb. A run without its t counts as never
// begun when it is resumed.
func (s *wandbState) configJSON() string {
	wrapped := make(map[string]string, len(s.Config)+1)
	for name, value := range s.Config {
		wrapped[name] = `{"value":` + value + `}`
	}
	own := map[string]string{"t": `{}`, "cli_version": `"art-go"`, "m": s.metricsJSON()}
	for name, value := range s.Own {
		own[name] = value
	}
	wrapped["_wandb"] = `{"value":` + string(appendFields(nil, own)) + `}`
	return string(appendFields(nil, wrapped))
}

// metricsJSON defines the axes of metrics. The numbers of fields are those of the
// protocol: 1 name, 5 the place of the axis, 6 options, of which 3 is "defined by
// the user", 7 kinds of summaries.
func (s *wandbState) metricsJSON() string {
	b := []byte{'['}
	for i, m := range s.Metrics {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"1":`...), m.Name)
		if m.Axis > 0 {
			b = strconv.AppendInt(append(b, `,"5":`...), int64(m.Axis), 10)
			b = append(b, `,"6":[3],"7":[]}`...)
		} else {
			b = append(b, `,"6":[],"7":[]}`...)
		}
	}
	return string(append(b, ']'))
}

// summaryJSON is the whole summary, in a line.
func (s *wandbState) summaryJSON() string {
	all := make(map[string]string, len(s.Summary)+4)
	for name, value := range s.Summary {
		all[name] = value
	}
	if s.Next > 0 {
		all["_step"] = fmt.Sprint(s.Next - 1)
	}
	if s.Time > 0 {
		all["_timestamp"] = string(appendNumber(nil, s.Time))
	}
	all["_runtime"] = string(appendNumber(nil, s.Runtime))
	all["_wandb"] = fmt.Sprintf(`{"runtime":%d}`, int64(s.Runtime))
	return string(appendFields(nil, all))
}

// elapsed is the run's own time, which clocks that are set back do not turn back.
func (s *wandbState) elapsed(t time.Time) float64 {
	if !t.IsZero() {
		if s.Started.IsZero() {
			s.Started = t
		}
		s.Runtime = max(s.Runtime, s.Base+t.Sub(s.Started).Seconds())
	}
	return s.Runtime
}

// settingJSON is a setting as JSON: a number or a truth if it reads as one.
func settingJSON(value string) string {
	if v, err := strconv.ParseFloat(value, 64); err == nil && !math.IsInf(v, 0) && !math.IsNaN(v) && !strings.ContainsAny(value, "xX_pP") {
		return string(appendNumber(nil, v))
	}
	if value == "true" || value == "false" {
		return value
	}
	return string(appendText(nil, value))
}
