package fingerprint_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// users are the steps whose fingerprints depend on a declaration of the recipe's
// module. Those that are not here matter to none.
var users = map[string]string{
	"Swish": "o", "squash": "o", "beta": "o", "Scale": "o", "scales": "eor", "init": "eor",
	"Add": "o", "activate": "o", "Width": "o", "low": "o", "stack": "o", "Build": "o", "head": "o", "slope": "o",
	"Wide": "r", "pick": "r", "clip": "eor", "data": "eor", "source": "eor", "rows": "eor",
}

var goFiles = []string{testFile, dataFile, modelFile, blockFile, layerFile, scaleFile, "recipe/other_test.go", "recipe/unrelated/unrelated.go"}

// randomEdit makes one edit somewhere and says what it did and which steps must
// change.
func randomEdit(m *mutant, rng *rand.Rand) (what, steps string) {
	file := goFiles[rng.IntN(len(goFiles))]
	text := m.get(file)
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, text, parser.ParseComments)
	require.NoError(m.t, err)
	at := func(p token.Pos) int { return fset.Position(p).Offset }
	switch kind := rng.IntN(6); kind {
	case 0: // a comment, or white space, at the end of a line
		lines := strings.SplitAfter(text, "\n")
		i := rng.IntN(len(lines) - 1)
		lines[i] = strings.TrimSuffix(lines[i], "\n") + []string{" // here\n", "\n\n", "\n// there\n\n", " \t\n"}[rng.IntN(4)]
		m.put(file, strings.Join(lines, ""))
		return fmt.Sprintf("white space in %s:%d", file, i+1), ""
	case 1: // a declaration moves to the end
		d := f.Decls[rng.IntN(len(f.Decls))]
		if g, ok := d.(*ast.GenDecl); !ok || g.Tok != token.IMPORT {
			from, to := at(d.Pos()), at(d.End())
			m.put(file, text[:from]+text[to:]+"\n\n"+text[from:to]+"\n")
		}
		return "declaration moved in " + file, ""
	case 2: // a declaration that nobody uses
		m.put(file, text+fmt.Sprintf("\nfunc fresh%d(n int) int { return n + %d }\n", rng.IntN(1000), rng.IntN(1000)))
		return "function added to " + file, ""
	case 3: // a statement
		return statement(m, rng, file, text, f, at)
	}
	return number(m, rng, file, text, f, at)
}

// number changes a number of a declaration. Those of TestRecipe have edits of
// their own, see meaningful.
func number(m *mutant, rng *rand.Rand, file, text string, f *ast.File, at func(token.Pos) int) (what, steps string) {
	type place struct {
		lit  *ast.BasicLit
		decl string
	}
	var all []place
	for _, d := range f.Decls {
		for name, node := range declared(d) {
			ast.Inspect(node, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && (lit.Kind == token.INT || lit.Kind == token.FLOAT) && name != "TestRecipe" {
					all = append(all, place{lit, name})
				}
				return true
			})
		}
	}
	if len(all) == 0 {
		return "nothing in " + file, ""
	}
	p := all[rng.IntN(len(all))]
	if p.lit.Value == "0" || strings.Contains(text[max(0, at(p.lit.Pos())-20):at(p.lit.Pos())], "NewTensor(") {
		return "nothing in " + file, "" // would not run
	}
	from, to := at(p.lit.Pos()), at(p.lit.End())
	m.put(file, text[:from]+"1"+text[from:to]+text[to:])
	return fmt.Sprintf("%s in %s", p.lit.Value, p.decl), users[p.decl]
}

// statement puts a statement without effect at the beginning of a function.
func statement(m *mutant, rng *rand.Rand, file, text string, f *ast.File, at func(token.Pos) int) (what, steps string) {
	var all []*ast.FuncDecl
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			all = append(all, fn)
		}
	}
	if len(all) == 0 {
		return "nothing in " + file, ""
	}
	fn := all[rng.IntN(len(all))]
	i := at(fn.Body.Lbrace) + 1
	m.put(file, text[:i]+fmt.Sprintf("\n\tfresh := %d\n\t_ = fresh\n", rng.IntN(1000))+text[i:])
	return "statement in " + fn.Name.Name, users[fn.Name.Name]
}

func declared(d ast.Decl) map[string]ast.Node {
	all := map[string]ast.Node{}
	switch d := d.(type) {
	case *ast.FuncDecl:
		all[d.Name.Name] = d
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				all[v.Names[0].Name] = v
			}
		}
	}
	return all
}

// TestRandomEdits compares the decisions after a hundred random edits, each with
// go test as a user would, with what they must be.
func TestRandomEdits(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a hundred times")
	}
	m := newMutant(t)
	before := m.run()
	rng := rand.New(rand.NewPCG(1, 2))
	decisions, falseReuse, falseChange := 0, 0, 0
	for i := range 100 {
		m.reset()
		what, want := randomEdit(m, rng)
		got, why := changed(before, m.run())
		assert.Equal(t, want, got, "edit %d: %s\n%s", i, what, why)
		for _, letter := range "eor" {
			decisions++
			must, does := strings.ContainsRune(want, letter), strings.ContainsRune(got, letter)
			if must && !does {
				falseReuse++
			}
			if does && !must {
				falseChange++
			}
		}
	}
	t.Logf("%d decisions: %d falsely reused, %d falsely changed", decisions, falseReuse, falseChange)
}
