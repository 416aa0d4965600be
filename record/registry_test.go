package record_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/record"
)

func TestRegister(t *testing.T) {
	assert.Nil(t, record.Open("run"))
	record.Register("run", func() record.Sink { return &record.Run{} })
	assert.Equal(t, []string{"run"}, record.Registered())
	a, b := record.Open("run"), record.Open("run")
	assert.NotSame(t, a, b, "each is a new one")
	assert.Panics(t, func() { record.Register("run", func() record.Sink { return record.Discard }) }, "the name is taken")
	assert.Panics(t, func() { record.Register("none", nil) })
	assert.Panics(t, func() { record.Register("", func() record.Sink { return record.Discard }) })
	assert.Equal(t, []string{"run"}, record.Registered())
}
