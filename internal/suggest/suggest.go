// Package suggest finds what a person may have meant by a misspelt name: a
// metric that a check asks for, a step named in After, a key of a settings file.
// Error messages end in what it returns.
package suggest

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the known name nearest to word, or "" when none is near
// enough to be meant: more than a third of its letters would have to change.
func Nearest(word string, known []string) string {
	best, least := "", len(word)/3+2
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// Hint is the end of a sentence about an unknown word: the nearest known name,
// or all of them.
func Hint(word string, known []string) string {
	switch nearest := Nearest(word, known); {
	case nearest != "":
		return fmt.Sprintf("did you mean %q?", nearest)
	case len(known) == 0:
		return "there are none"
	default:
		return "there are " + strings.Join(known, ", ")
	}
}
