package fingerprint

import (
	"fmt"
	"go/ast"
	"path/filepath"
	"runtime"
	"strings"
)

// Call is the place in the user's code from which a function of this module was
// called, with the calls that led there.
type Call struct {
	places []place
}

// Caller is the call of the function that calls Caller, or of one skip calls
// further up.
func Caller(skip int) Call {
	pcs := make([]uintptr, 64)
	for {
		n := runtime.Callers(skip+2, pcs)
		if n < len(pcs) {
			pcs = pcs[:n]
			break
		}
		pcs = make([]uintptr, 2*len(pcs))
	}
	var c Call
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		c.places = append(c.places, place{f.Function, filepath.FromSlash(f.File), f.Line})
		if !more {
			return c
		}
	}
}

// call adds what arguments of a call are made of: arguments first to last
// (counted from 0; last -1 for all from first on) of the innermost call in the
// user's code, and if those depend on parameters of the function around it, what
// was handed to that.
func (c *collector) call(call Call, first, last int) {
	for i := 1; i < len(call.places); i++ {
		at, callee := call.places[i], call.places[i-1].function
		switch c.r.origin(at.file) {
		case enginePkg:
			continue
		case unknown:
			c.fail(fmt.Errorf("%s is in %s", at.function, at.file))
			return
		case versioned:
			continue // a library that calls back
		}
		d, err := c.r.declAt(at.file, at.line)
		if err != nil {
			c.fail(err)
			return
		}
		c.touch(d.pkg)
		if !isFunc(d) { // a literal in a variable
			c.reach(d)
		} else if !c.arguments(d, at.line, callee, first, last) {
			return
		}
		first, last = 0, -1
	}
}

// arguments adds the arguments of the calls at a line. It reports whether they
// depend on parameters.
func (c *collector) arguments(d *decl, line int, callee string, first, last int) bool {
	s := c.sliceOf(d)
	s.add(outside)
	calls := c.r.callsAt(d, line, callee)
	if len(calls) == 0 {
		c.reach(d)
		return true
	}
	for _, call := range calls {
		args := call.Args
		if last >= 0 && last+1 < len(args) {
			args = args[:last+1]
		}
		args = args[min(first, len(args)):]
		c.resolve(d, s.root(call.Pos(), "call", args...))
		if first == 0 { // a method, or a function in a variable
			c.resolve(d, s.root(call.Pos(), "callee", call.Fun))
		}
	}
	c.resolve(d, s.grow())
	inLiteral, needed := c.r.literalParams(d, s, calls)
	if !inLiteral && s.params() { // followed up the stack, so other calls do not matter
		c.called[d], needed = true, true
	}
	return needed
}

// callsAt are the calls of a function at a line, or all that the line is in when
// none goes by its name.
func (r *Reader) callsAt(d *decl, line int, callee string) []*ast.CallExpr {
	name := lastName(callee)
	var named, all []*ast.CallExpr
	ast.Inspect(d.node, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || r.line(call.Pos()) > line || r.line(call.End()) < line {
			return true
		}
		all = append(all, call)
		if r.line(call.Lparen) == line || r.line(call.Pos()) == line {
			switch fun := unindexed(call.Fun).(type) {
			case *ast.Ident:
				if fun.Name == name {
					named = append(named, call)
				}
			case *ast.SelectorExpr:
				if fun.Sel.Name == name {
					named = append(named, call)
				}
			}
		}
		return true
	})
	if len(named) > 0 {
		return named
	}
	return innermost(r, all, line)
}

// innermost leaves out the calls of which another one lies in an argument that is
// a function literal around the line.
func innermost(r *Reader, calls []*ast.CallExpr, line int) (kept []*ast.CallExpr) {
	for _, call := range calls {
		within := false
		for _, arg := range call.Args {
			lit, ok := arg.(*ast.FuncLit)
			within = within || ok && r.line(lit.Pos()) < line && line < r.line(lit.End())
		}
		if !within {
			kept = append(kept, call)
		}
	}
	return kept
}

// lastName is the name of a function in the binary without package and receiver.
func lastName(function string) string {
	if i := strings.Index(function, "["); i >= 0 && strings.HasSuffix(function, "]") {
		function = function[:i]
	}
	return function[strings.LastIndex(function, ".")+1:]
}

// literalParams reports whether calls are inside function literals, and whether a
// slice needs a parameter of those.
func (r *Reader) literalParams(d *decl, s *slice, calls []*ast.CallExpr) (inside, needs bool) {
	ast.Inspect(d.node, func(n ast.Node) bool {
		lit, ok := n.(*ast.FuncLit)
		if !ok {
			return true
		}
		for _, call := range calls {
			if lit.Pos() > call.Pos() || call.End() > lit.End() {
				continue
			}
			inside = true
			for _, field := range lit.Type.Params.List {
				for _, id := range field.Names {
					needs = needs || s.names[id.Name]
				}
			}
		}
		return true
	})
	return inside, needs
}
