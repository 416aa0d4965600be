package recordtest_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/record/recordtest"
)

// memory is a sink without a fault, with switches for faults.
type memory struct {
	events []record.Event
	closed int
	fault  string
}

func (m *memory) Emit(e record.Event) error {
	switch {
	case m.closed > 0 && m.fault != "late":
		return os.ErrClosed
	case m.fault == "zero" && e.Kind == record.Scalar && e.Value == 0,
		m.fault == "NaN" && e.Value != e.Value,
		m.fault == "huge" && len(e.Text) >= record.MaxLine:
		return nil
	case m.fault == "minus zero" && e.Value == 0:
		e.Value = 0
	case m.fault == "float32":
		e.Value = float64(float32(e.Value))
	case m.fault == "order" && len(m.events) == 20:
		m.events = append(m.events, m.events[19])
		m.events[19] = e
		return nil
	}
	if m.fault != "shared" {
		e.Values, e.Shape = append([]float64(nil), e.Values...), append([]int(nil), e.Shape...)
		if e.Settings != nil {
			settings := map[string]string{}
			for name, value := range e.Settings {
				settings[name] = value
			}
			e.Settings = settings
		}
		if e.Artifact != nil {
			a := *e.Artifact
			a.Shape = append([]int(nil), a.Shape...)
			e.Artifact = &a
		}
		if e.Verdict != nil {
			v := *e.Verdict
			for _, list := range []*[]string{&v.Evidence, &v.Likely, &v.Try, &v.Files} {
				*list = append([]string(nil), *list...)
			}
			e.Verdict = &v
		}
	}
	m.events = append(m.events, e)
	return nil
}

func (m *memory) Close() error {
	if m.closed++; m.fault == "close" && m.closed > 1 {
		return errors.New("closed twice")
	}
	return nil
}

func open(fault string) recordtest.Open {
	return func(*testing.T) (record.Sink, func() ([]record.Event, error)) {
		m := &memory{fault: fault}
		return m, func() ([]record.Event, error) { return m.events, nil }
	}
}

func TestSinkPassesASoundSink(t *testing.T) { recordtest.TestSink(t, open("")) }

// Each fault makes the suite fail. The suite runs in a process of its own, so
// that its failures are not this test's.
func TestSinkFindsFaults(t *testing.T) {
	const fault = "RECORDTEST_FAULT"
	if f := os.Getenv(fault); f != "" {
		recordtest.TestSink(t, open(f))
		return
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	for f, found := range map[string]string{
		"zero": "every_number", "NaN": "every_number", "minus zero": "every_number", "float32": "every_number", "order": "a_whole_recipe",
		"shared": "what_is_passed_is_copied", "huge": "a_refused_event_hurts_no_other", "late": "after_Close", "close": "nothing",
	} {
		t.Run(f, func(t *testing.T) {
			cmd := exec.Command(exe, "-test.run=^TestSinkFindsFaults$")
			cmd.Env = append(os.Environ(), fault+"="+f)
			out, err := cmd.CombinedOutput()
			assert.Error(t, err, "the suite passed")
			assert.Contains(t, string(out), "--- FAIL: TestSinkFindsFaults/"+found)
		})
	}
}
