package fingerprint

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// effects finds the variables that a statement may change. Without types,
// everything that may be a pointer is taken for one, with these exceptions:
// results of operators, arguments of the packages of this module (which change
// nothing that is handed to them), and arguments of the built-in functions that
// only look.
type effects struct {
	f       *flattener
	affects map[string]bool
}

func (e effects) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		for _, x := range n.Lhs {
			e.root(x)
		}
		for _, x := range n.Rhs {
			e.alias(x)
		}
	case *ast.DeclStmt:
		e.declaration(n.Decl)
		return
	case *ast.IncDecStmt:
		e.root(n.X)
	case *ast.SendStmt:
		e.root(n.Chan)
		e.alias(n.Value)
	case *ast.ExprStmt:
		e.dropped(n.X)
	case *ast.GoStmt:
		e.dropped(n.Call)
	case *ast.DeferStmt:
		e.dropped(n.Call)
	}
	e.inside(n)
}

func (e effects) declaration(d ast.Decl) {
	g, ok := d.(*ast.GenDecl)
	if !ok {
		return
	}
	for _, spec := range g.Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			for _, id := range s.Names {
				e.affects[id.Name] = true
			}
			for _, v := range s.Values {
				e.alias(v)
				e.inside(v)
			}
		case *ast.TypeSpec:
			e.affects[s.Name.Name] = true
		}
	}
}

// inside finds what expressions change: by address, by call, by receiving.
func (e effects) inside(n ast.Node) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.BlockStmt:
			return false // atoms of their own
		case *ast.UnaryExpr:
			if n.Op == token.AND || n.Op == token.ARROW {
				e.root(n.X)
			}
		case *ast.CallExpr:
			e.call(n)
		}
		return true
	})
}

// call: the receiver, a function in a variable and the arguments may be changed.
func (e effects) call(c *ast.CallExpr) {
	kind := e.f.callee(c)
	switch fun := unindexed(c.Fun).(type) {
	case *ast.SelectorExpr:
		if kind == method {
			e.root(fun.X)
		}
	case *ast.Ident:
		if kind == variable {
			e.root(fun)
		}
	}
	if kind == looksOnly || kind == engine || kind == recipe || kind == harmless {
		return
	}
	if kind == function {
		if _, arguments := e.f.sideEffects(c); !arguments {
			return
		}
	}
	for _, arg := range c.Args {
		e.alias(arg)
	}
}

// dropped is a call for the sake of its effects, which may be outside.
func (e effects) dropped(x ast.Expr) {
	c, ok := x.(*ast.CallExpr)
	if !ok {
		return
	}
	switch kind := e.f.callee(c); kind {
	case recipe, engine, builtin, looksOnly, harmless:
	case function:
		if world, _ := e.f.sideEffects(c); world {
			e.affects[outside] = true
		}
	default:
		e.affects[outside] = true
	}
}

// root adds the variable that an expression is a part of.
func (e effects) root(x ast.Expr) {
	for {
		switch n := x.(type) {
		case *ast.Ident:
			if n.Name != "_" {
				e.affects[n.Name] = true
			}
			return
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && e.f.imported(id.Name) {
				e.affects[id.Name+"."+n.Sel.Name] = true
				return
			}
			x = n.X
		case *ast.IndexExpr:
			x = n.X
		case *ast.SliceExpr:
			x = n.X
		case *ast.StarExpr:
			x = n.X
		case *ast.ParenExpr:
			x = n.X
		case *ast.TypeAssertExpr:
			x = n.X
		case *ast.UnaryExpr:
			x = n.X
		case *ast.CallExpr: // what a call returns may be a part of its receiver and its arguments
			e.alias(n)
			return
		default:
			return
		}
	}
}

// alias adds the variables whose memory the value of an expression may share.
func (e effects) alias(x ast.Expr) {
	switch n := x.(type) {
	case *ast.BasicLit, *ast.BinaryExpr, *ast.FuncLit, nil:
	case *ast.CompositeLit:
		for _, el := range n.Elts {
			if kv, ok := el.(*ast.KeyValueExpr); ok {
				e.alias(kv.Key)
				el = kv.Value
			}
			e.alias(el)
		}
	case *ast.CallExpr:
		kind := e.f.callee(n)
		if kind == looksOnly || kind == recipe {
			return
		}
		if fun, ok := unindexed(n.Fun).(*ast.SelectorExpr); ok && kind == method {
			e.root(fun.X)
		}
		for _, arg := range n.Args {
			e.alias(arg)
		}
	default:
		e.root(x)
	}
}

func unindexed(x ast.Expr) ast.Expr {
	for {
		switch n := x.(type) {
		case *ast.IndexExpr:
			x = n.X
		case *ast.IndexListExpr:
			x = n.X
		case *ast.ParenExpr:
			x = n.X
		default:
			return x
		}
	}
}

// calleeKind is what can be known of a function without types.
type calleeKind int

const (
	variable  calleeKind = iota // a function in a variable, or anything else
	method                      // of a value
	function                    // of this package, or a conversion to one of its types
	foreign                     // of another package
	engine                      // of a package of this module
	recipe                      // of arttest: what it returns is the recipe itself
	harmless                    // prints, logs, asserts
	builtin                     // append, copy, delete, conversions: change arguments at most
	looksOnly                   // len, cap, …
)

// harmlessPackages change nothing on which a result could depend.
var harmlessPackages = []string{"fmt", "log", "log/slog", "testing", "github.com/stretchr/testify", "github.com/google/go-cmp", "gotest.tools"}

func (f *flattener) callee(c *ast.CallExpr) calleeKind {
	switch fun := unindexed(c.Fun).(type) {
	case *ast.Ident:
		switch {
		case f.d.locals[fun.Name]:
			return variable
		case len(f.d.pkg.decls[fun.Name]) > 0:
			if f.d.pkg.decls[fun.Name][0].tok == token.VAR {
				return variable
			}
			return function
		case slices.Contains([]string{"len", "cap", "new", "make", "min", "max", "print", "println", "panic", "real", "imag", "complex"}, fun.Name):
			return looksOnly
		case len(f.d.file.dots) > 0:
			return foreign
		default:
			return builtin
		}
	case *ast.SelectorExpr:
		id, ok := fun.X.(*ast.Ident)
		if ok && f.imported(id.Name) {
			return f.importedCallee(f.d.file.imports[id.Name], fun.Sel.Name)
		}
		if ok && f.isTest(id.Name) && !slices.Contains([]string{"Setenv", "Chdir", "Run"}, fun.Sel.Name) {
			return harmless
		}
		if ok && f.isTest(id.Name) && fun.Sel.Name == "Run" {
			return engine // what runs is in the literal
		}
		return method
	}
	return variable
}

// A call of fmt that reads is not harmless.
func (f *flattener) importedCallee(path, name string) calleeKind {
	switch {
	case path == f.r.art+"/arttest":
		return recipe
	case f.r.isEngine(path):
		return engine
	case strings.Contains(name, "scan") || strings.Contains(name, "Scan") || strings.HasPrefix(name, "Set"):
		return foreign
	case path == "fmt" && (strings.HasPrefix(name, "Fprint") || strings.HasPrefix(name, "Append")):
		return builtin // changes its argument
	}
	for _, p := range harmlessPackages {
		if path == p || strings.HasPrefix(path, p+"/") {
			return harmless
		}
	}
	return foreign
}

// imported reports whether a name is that of an import, here.
func (f *flattener) imported(name string) bool {
	return f.d.file.imports[name] != "" && !f.d.locals[name]
}

// isTest reports whether a name is that of the test itself.
func (f *flattener) isTest(name string) bool { return f.d.tests[name] }

// sideEffects looks into a function of this package: whether it changes what is
// outside, or what its arguments point to. Variables of the package are another
// matter, see [collector.writers]. One that calls itself counts as changing all.
func (f *flattener) sideEffects(c *ast.CallExpr) (world, arguments bool) {
	id, ok := unindexed(c.Fun).(*ast.Ident)
	if !ok {
		return true, true
	}
	for _, d := range f.d.pkg.decls[id.Name] {
		fn, ok := d.node.(*ast.FuncDecl)
		if !ok {
			continue // a conversion
		}
		if d.flattening || fn.Body == nil {
			return true, true
		}
		params := map[string]bool{}
		for _, field := range fn.Type.Params.List {
			for _, name := range field.Names {
				params[name.Name] = true
			}
		}
		for _, a := range f.r.flatten(d) {
			for name := range a.affects {
				world = world || name == outside
				arguments = arguments || params[name] && !d.tests[name]
			}
		}
	}
	return world, arguments
}
