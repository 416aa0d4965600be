package arttest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

type strictError struct{ strict bool }

func (strictError) Error() string  { return "the server is away" }
func (e strictError) Strict() bool { return e.strict }

func TestStrictErrorsOfLoggers(t *testing.T) {
	for _, tt := range []struct {
		err    error
		n      int
		strict bool
	}{
		{nil, 0, false},
		{errors.New("full"), 1, false},
		{strictError{false}, 1, false},
		{strictError{true}, 1, true},
		{fmt.Errorf("closing: %w", errors.Join(errors.New("full"), strictError{true})), 1, true},
	} {
		var f failures
		f.add(tt.err)
		assert.Equal(t, tt.n, f.n, "%v", tt.err)
		assert.Equal(t, tt.strict, f.strict, "%v", tt.err)
	}
}
