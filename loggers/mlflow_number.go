package loggers

import (
	"encoding/json"
	"math"
	"strings"
)

// mlflowMetric is one number as the API has it.
type mlflowMetric struct {
	Key       string       `json:"key"`
	Value     mlflowNumber `json:"value"`
	Timestamp int64        `json:"timestamp"` // milliseconds since 1970
	Step      int64        `json:"step"`
}

// mlflowPoint identifies a metric of one key.
type mlflowPoint struct {
	bits            uint64
	timestamp, step int64
}

func (m mlflowMetric) point() mlflowPoint {
	v := float64(m.Value)
	switch {
	case math.IsNaN(v):
		v = math.NaN()
	case math.IsInf(v, 0):
		v = math.Copysign(math.MaxFloat64, v) // as servers keep them
	case v == 0:
		v = 0 // and -0
	}
	return mlflowPoint{math.Float64bits(v), m.Timestamp, m.Step}
}

// mlflowNumber is a double in the JSON of protocol buffers.
type mlflowNumber float64

// MarshalJSON writes NaN and infinities as strings.
func (n mlflowNumber) MarshalJSON() ([]byte, error) {
	switch v := float64(n); {
	case math.IsNaN(v):
		return []byte(`"NaN"`), nil
	case math.IsInf(v, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(v, -1):
		return []byte(`"-Infinity"`), nil
	default:
		return json.Marshal(v)
	}
}

// UnmarshalJSON reads both.
func (n *mlflowNumber) UnmarshalJSON(b []byte) error {
	switch strings.Trim(string(b), `"`) {
	case "NaN":
		*n = mlflowNumber(math.NaN())
	case "Infinity":
		*n = mlflowNumber(math.Inf(1))
	case "-Infinity":
		*n = mlflowNumber(math.Inf(-1))
	default:
		return json.Unmarshal(b, (*float64)(n))
	}
	return nil
}
