package kernel

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The generator numbers the fields of the argument blocks by hand
// (gen/args.go): one word each, in the order of the structs.
func TestArgumentBlocksMatchTheGenerator(t *testing.T) {
	source, err := os.ReadFile("gen/args.go")
	require.NoError(t, err)
	fields := func(prefix string) int {
		return len(regexp.MustCompile(`(?m)^\t`+prefix+`[A-Z]\w*`).FindAllString(string(source), -1))
	}
	var a tileArgs
	assert.EqualValues(t, 8*fields("tile"), unsafe.Sizeof(a))
	assert.EqualValues(t, 6*8, unsafe.Offsetof(a.b))
	assert.EqualValues(t, 10*8, unsafe.Offsetof(a.tail))
	assert.EqualValues(t, 13*8, unsafe.Offsetof(a.biasM))
	assert.EqualValues(t, 15*8, unsafe.Offsetof(a.cursor))
	var d dotArgs
	assert.EqualValues(t, 8*fields("dot"), unsafe.Sizeof(d))
	assert.EqualValues(t, 3*8, unsafe.Offsetof(d.b))
	assert.EqualValues(t, 6*8, unsafe.Offsetof(d.c))
	assert.EqualValues(t, 13*8, unsafe.Offsetof(d.cursor))
	assert.EqualValues(t, 9*4, unsafe.Sizeof(adamCoefficients[float32]{}))
	assert.True(t, strings.Contains(string(source), "tileK      = 8 * iota"))
}
