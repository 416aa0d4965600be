package archtest

import (
	"go/ast"
	"slices"
)

// seeded are the names of math/rand/v2 that do not touch the global source.
var seeded = []string{"New", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}

// checkRandom refuses the global random source, in tests too: nothing that uses it
// can be replayed from a seed.
func checkRandom(t *Tree) []Failure {
	var failures []Failure
	for _, f := range t.Root() {
		for _, i := range f.Imports() {
			if i.Path == "math/rand" {
				failures = append(failures, Failure{"random", i.At, "imports math/rand",
					"use math/rand/v2 with a seed that is handed in"})
			}
		}
		name := randName(f)
		if name == "" {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			// A local variable of the same name would be taken for the package;
			// a variable that hides a package is worth renaming anyway.
			if x, ok := s.X.(*ast.Ident); ok && x.Name == name && !slices.Contains(seeded, s.Sel.Name) {
				failures = append(failures, Failure{"random", f.At(s.Pos()), name + "." + s.Sel.Name + " draws from the global source",
					"draw from a *rand.Rand made of a seed that is handed in"})
			}
			return true
		})
	}
	return failures
}

// randName is the name under which a file uses math/rand/v2, "" if it does not.
func randName(f *File) string {
	for n, i := range f.Imports() {
		if i.Path != "math/rand/v2" {
			continue
		}
		if name := f.Syntax.Imports[n].Name; name != nil {
			return name.Name
		}
		return "rand"
	}
	return ""
}
