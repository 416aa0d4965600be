package arttest_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Loggers can be asked for from outside, beside those of the recipe.
func TestLoggersAskedFor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		settings []string
		want     string
	}{
		{nil, ""},
		{[]string{"ART_LOGGERS=names"}, "default a"},
		{[]string{"-art.loggers= names,names ,"}, "default a"},
		{[]string{"-art.loggers=", "ART_LOGGERS=names"}, ""},
		{[]string{"ART_LOGGERS=names", "RECIPES_OWN=1"}, "own a"}, // which is set up as the recipe wants it
	} {
		o := recipes(t, "^TestLogged$", tt.settings...)
		o.expect("TestLogged pass", "TestLogged/a pass")
		for _, word := range []string{"default a", "own a"} {
			assert.Equal(t, word == tt.want, strings.Contains(o.raw, word+"\n"), "%v: %s", tt.settings, word)
		}
	}
}
