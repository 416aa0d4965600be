package loggers

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "0.5": 500 * time.Millisecond, "NaN": 0, "Inf": 0, "-7": 0, "soon": 0, "99999999999": 0, "3601": 0, "3600": time.Hour,
		"Thu, 01 Jan 2026 12:00:30 GMT": 30 * time.Second, "Thu, 01 Jan 2026 11:00:30 GMT": 0, "Thu, 01 Jan 2099 11:00:30 GMT": 0,
	} {
		assert.Equal(t, want, retryAfter(value, now), value)
	}
}
