package fingerprint

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
)

// Ingredient is one thing on which the result of a step depends.
type Ingredient struct {
	// Name says what it is, and is unique in a print: "seed", "setting epochs",
	// "code models.buildMLP".
	Name string
	// Digest is a hash of the content, in hex.
	Digest string
	// Shown is what a person reads: a value, or where the code is. It is not part
	// of the print: a function that moved is the same function.
	Shown string `json:",omitempty"`
}

// Print is all on which the result of a step depends. The zero value is empty.
type Print struct{ Ingredients []Ingredient }

// Add puts ingredients in. Of those of one name all count.
func (p *Print) Add(in ...Ingredient) { p.Ingredients = append(p.Ingredients, in...) }

// Sum is the fingerprint: SHA-256 over names and digests, in hex. The order in
// which ingredients were added does not matter.
func (p Print) Sum() string {
	lines := make([]string, 0, len(p.Ingredients))
	for _, in := range p.Ingredients {
		lines = append(lines, in.Name+"\x00"+in.Digest)
	}
	slices.Sort(lines)
	return digest(lines...)
}

// Short is the beginning of Sum, for people: 12 digits.
func (p Print) Short() string { return p.Sum()[:12] }

// Change is a difference between two prints.
type Change struct {
	// Name is that of the ingredient.
	Name string
	// Text says it in words: "setting epochs: 60 became 80".
	Text string
}

// Diff lists what is different in new, in the order of names. It is empty if and
// only if the sums are equal.
func Diff(old, new Print) []Change {
	was, is := old.byName(), new.byName()
	var changes []Change
	for _, name := range slices.Sorted(maps.Keys(union(was, is))) {
		a, b := was[name], is[name]
		if a.Digest != b.Digest {
			changes = append(changes, Change{Name: name, Text: sentence(name, a, b)})
		}
	}
	return changes
}

// byName joins ingredients of one name.
func (p Print) byName() map[string]Ingredient {
	m := map[string]Ingredient{}
	sorted := slices.SortedFunc(slices.Values(p.Ingredients), func(a, b Ingredient) int { return strings.Compare(a.Digest, b.Digest) })
	for _, in := range sorted {
		if first, ok := m[in.Name]; ok {
			in.Digest = first.Digest + "+" + in.Digest
			in.Shown = first.Shown
		}
		m[in.Name] = in
	}
	return m
}

func union(a, b map[string]Ingredient) map[string]Ingredient {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// sentence says how an ingredient changed. An ingredient that was not there has
// no digest.
func sentence(name string, was, is Ingredient) string {
	code, isCode := strings.CutPrefix(name, codePrefix)
	switch {
	case isCode && was.Digest == "":
		return fmt.Sprintf("%s is used now (%s)", code, is.Shown)
	case isCode && is.Digest == "":
		return fmt.Sprintf("%s is no longer used (it was in %s)", code, was.Shown)
	case isCode:
		return fmt.Sprintf("%s changed (%s)", code, is.Shown)
	case was.Digest == "":
		return fmt.Sprintf("%s is new: %s", name, is.Shown)
	case is.Digest == "":
		return fmt.Sprintf("%s is gone: it was %s", name, was.Shown)
	case was.Shown == is.Shown:
		return fmt.Sprintf("%s changed (%s)", name, is.Shown)
	}
	return fmt.Sprintf("%s: %s became %s", name, was.Shown, is.Shown)
}

// digest hashes strings with their lengths, so that "a", "bc" differs from "ab", "c".
func digest(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		writeString(h, s)
	}
	return sum(h)
}

func writeString(h hash.Hash, s string) {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], uint64(len(s)))
	h.Write(n[:])
	h.Write([]byte(s))
}

func sum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
