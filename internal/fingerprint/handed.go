package fingerprint

import (
	"go/ast"
	"go/token"
	"slices"
)

// handed is the type of a variable, where it is one of those that this module and
// package testing hand to a function. Most methods of these change nothing on which
// the result of another step could depend.
type handed int

const (
	unknownType handed = iota
	aTest              // *testing.T and its kin
	aNode              // nn.Node, or a number that one of its methods returned
	aScope             // *arttest.Scope
)

// handedNames are the names in a function that are only ever of one of these types.
type handedNames map[string]handed

// reports are the methods of a Scope that run no code of the user's.
var reports = []string{"Data", "Decorators", "Dry", "Emit", "Logf", "Metrics", "Passes", "Progress", "Score", "Seed", "Step"}

// only reports whether a method belongs to a type that was handed in and changes
// at most its arguments.
func (h handedNames) only(method *ast.SelectorExpr) bool {
	id, ok := method.X.(*ast.Ident)
	return h.chain(method) || ok && h[id.Name] == aScope && slices.Contains(reports, method.Sel.Name)
}

// chain reports whether a method is one of nn.Node: of a variable, or of what
// such a method returned. Apply is none, it calls a layer of the user's.
func (h handedNames) chain(method *ast.SelectorExpr) bool {
	if method.Sel.Name == "Apply" {
		return false
	}
	switch x := method.X.(type) {
	case *ast.Ident:
		return h[x.Name] == aNode
	case *ast.CallExpr:
		inner, ok := x.Fun.(*ast.SelectorExpr)
		return ok && h.chain(inner)
	}
	return false
}

// locals are all names that a function declares, in whatever scope, and the types
// of those that only ever have one.
func (r *Reader) locals(in *file, f *ast.FuncDecl) (names map[string]bool, types handedNames) {
	for { // a node that is declared by a chain on another
		before := len(types)
		names, types = r.declared(in, f, types)
		if len(types) <= before {
			return names, types
		}
	}
}

// declared is what locals finds when it knows some types.
func (r *Reader) declared(in *file, f *ast.FuncDecl, known handedNames) (names map[string]bool, types handedNames) {
	names, types = map[string]bool{}, handedNames{}
	add := func(e ast.Expr, t handed) {
		id, ok := e.(*ast.Ident)
		if !ok {
			return
		}
		if old := types[id.Name]; names[id.Name] && old != t {
			t = unknownType
		}
		names[id.Name], types[id.Name] = true, t
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, e := range n.Lhs {
				if n.Tok == token.DEFINE {
					add(e, known.of(n, i))
				}
			}
		case *ast.RangeStmt:
			add(n.Key, unknownType)
			add(n.Value, unknownType)
		case *ast.Field:
			for _, id := range n.Names {
				add(id, r.typeOf(in, n.Type))
			}
		case *ast.ValueSpec:
			for _, id := range n.Names {
				add(id, unknownType)
			}
		case *ast.TypeSpec:
			add(n.Name, unknownType)
		}
		return true
	})
	for name, t := range types {
		if t == unknownType {
			delete(types, name)
		}
	}
	return names, types
}

// of is the type of the variable that an assignment declares at an index.
func (h handedNames) of(n *ast.AssignStmt, i int) handed {
	if len(n.Lhs) != len(n.Rhs) {
		return unknownType
	}
	if call, ok := n.Rhs[i].(*ast.CallExpr); ok {
		if method, ok := call.Fun.(*ast.SelectorExpr); ok && h.chain(method) {
			return aNode
		}
	}
	return unknownType
}

func (r *Reader) typeOf(in *file, t ast.Expr) handed {
	star, pointer := t.(*ast.StarExpr)
	if pointer {
		t = star.X
	}
	s, ok := t.(*ast.SelectorExpr)
	if !ok {
		return unknownType
	}
	x, ok := s.X.(*ast.Ident)
	switch {
	case !ok:
	case x.Name == "testing":
		return aTest
	case !pointer && in.imports[x.Name] == r.art+"/nn" && s.Sel.Name == "Node":
		return aNode
	case pointer && in.imports[x.Name] == r.art+"/arttest" && s.Sel.Name == "Scope":
		return aScope
	}
	return unknownType
}
