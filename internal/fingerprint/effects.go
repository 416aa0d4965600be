package fingerprint

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// effects finds the variables that a statement may change. Without types,
// everything that may be a pointer is taken for one, with these exceptions:
// results of operators, and arguments of functions that only look: those of most
// packages of this module, of packages that print or assert, and of the
// package under test where their code shows it.
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
		if onlyErrors(n.Lhs) {
			e.dropped(n.Rhs[0])
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
	case *ast.ReturnStmt:
		for _, x := range n.Results {
			e.dropped(x) // an error, as often as not
		}
	case *ast.GoStmt:
		e.dropped(n.Call)
	case *ast.DeferStmt:
		e.dropped(n.Call)
	}
	e.inside(n)
}

// onlyErrors reports whether a call is made for more than what is assigned here.
func onlyErrors(lhs []ast.Expr) bool {
	for _, x := range lhs {
		if id, ok := x.(*ast.Ident); !ok || id.Name != "_" && id.Name != "err" {
			return false
		}
	}
	return true
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
		world, arguments := e.f.sideEffects(c)
		if world {
			e.affects[outside] = true
		}
		if !arguments {
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
	switch e.f.callee(c) {
	case recipe, engine, builtin, looksOnly, harmless, function: // for functions see call
	default:
		e.affects[outside] = true
	}
}

// root adds the variable that an expression is a part of.
func (e effects) root(x ast.Expr) {
	for {
		switch n := x.(type) {
		case *ast.Ident:
			if n.Name != "_" && !e.f.fixed(n.Name) {
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
	engine                      // of this module, and changes nothing that is handed to it
	recipe                      // of arttest: what it returns is the recipe itself
	harmless                    // prints, logs, asserts
	builtin                     // changes its arguments at most: append, sort.Ints
	looksOnly                   // len, cap, …
)

// harmlessPackages change nothing on which a result could depend.
var harmlessPackages = []string{"fmt", "log", "log/slog", "testing", "github.com/stretchr/testify", "github.com/google/go-cmp", "gotest.tools"}

// trusted are packages of this module that change nothing that is handed to them.
// Not among them are nn, which can load weights, and train.
var trusted = []string{"baselines", "checks", "datasets", "decorators", "loggers", "metrics", "steps"}

// contained are packages whose functions change their arguments and nothing else.
var contained = []string{"bytes", "cmp", "encoding/binary", "encoding/json", "errors", "maps", "math", "math/bits", "math/cmplx",
	"slices", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8"}

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
		if f.d.handed.only(fun) {
			return builtin
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
		if slices.Contains(trusted, strings.TrimPrefix(path, f.r.art+"/")) {
			return engine
		}
		return builtin
	case strings.Contains(name, "scan") || strings.Contains(name, "Scan") || strings.HasPrefix(name, "Set"):
		return foreign
	case slices.Contains(contained, path):
		return builtin
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

// fixed reports whether a name is that of a function, type or constant of the
// package, which nothing changes.
func (f *flattener) fixed(name string) bool {
	decls := f.d.pkg.decls[name]
	return len(decls) > 0 && decls[0].tok != token.VAR && !f.d.locals[name]
}

// isTest reports whether a name is that of the test itself.
func (f *flattener) isTest(name string) bool { return f.d.handed[name] == aTest }

// called are the declarations of a function whose source is read.
func (f *flattener) called(c *ast.CallExpr) []*decl {
	switch fun := unindexed(c.Fun).(type) {
	case *ast.Ident:
		return f.d.pkg.decls[fun.Name]
	case *ast.SelectorExpr:
		if id, ok := fun.X.(*ast.Ident); ok && f.imported(id.Name) {
			if p := f.local(f.d.file.imports[id.Name]); p != nil {
				return p.decls[fun.Sel.Name]
			}
		}
	}
	return nil
}

// local is the package of an import whose source is read, or nil.
func (f *flattener) local(importPath string) *pkg {
	dir := f.r.folder(importPath)
	if dir == "" || f.r.isEngine(importPath) {
		return nil
	}
	p, err := f.r.load(dir)
	if err != nil {
		return nil // to be found out by whoever needs it
	}
	return p
}

// sideEffects looks into a function whose source is read: whether it changes what is
// outside, or what its arguments point to. Variables of the package are another
// matter, see [collector.writers]. One that calls itself counts as changing all.
func (f *flattener) sideEffects(c *ast.CallExpr) (world, arguments bool) {
	for _, d := range f.called(c) {
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
				arguments = arguments || params[name] && d.handed[name] != aTest
			}
		}
	}
	return world, arguments
}
