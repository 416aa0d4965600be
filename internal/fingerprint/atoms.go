package fingerprint

import (
	"go/ast"
	"go/token"
)

// atom is a statement without the statements inside it: an assignment, a call,
// the head of a loop. A slice of a function is a choice of its atoms.
type atom struct {
	text     []byte // canonical, with what is inside left out
	uses     map[use]bool
	affects  map[string]bool // variables that it may change, or make another name for; outside for the world
	parent   int             // index of the atom around it, -1 for none
	loop     bool            // what is inside may run several times
	jump     bool            // return, break, continue: decides whether what follows runs
	literals bool            // what is inside are bodies of its function literals
	from, to token.Pos
}

// outside stands among variables for all that is in no variable of the function:
// settings of other packages, the environment.
const outside = "*"

// flatten makes the atoms of a function's body.
func (r *Reader) flatten(d *decl) []atom {
	f, ok := d.node.(*ast.FuncDecl)
	if d.atoms != nil || d.flattening || !ok || f.Body == nil {
		return d.atoms
	}
	d.flattening = true
	d.locals, d.handed = r.locals(d.file, f)
	fl := flattener{r: r, d: d}
	fl.block(f.Body.List, -1)
	d.atoms, d.flattening = fl.atoms, false
	return d.atoms
}

type flattener struct {
	r     *Reader
	d     *decl
	atoms []atom
}

func (f *flattener) block(list []ast.Stmt, parent int) {
	for _, s := range list {
		f.stmt(s, parent)
	}
}

// add appends an atom of the given nodes, which are what is not inside.
func (f *flattener) add(s ast.Node, parent int, kind string, nodes ...ast.Node) int {
	c := newCanon(true)
	c.buf = append(c.buf, kind...)
	a := atom{uses: c.uses, affects: map[string]bool{}, parent: parent, from: s.Pos(), to: s.End()}
	for _, n := range nodes {
		c.node(n)
	}
	a.text = c.buf
	at := len(f.atoms)
	e := effects{f: f, affects: a.affects}
	for _, n := range nodes {
		e.node(n)
	}
	a.literals = len(c.inner) > 0
	f.atoms = append(f.atoms, a)
	for _, lit := range c.inner {
		f.block(lit.Body.List, at)
	}
	return at
}

func (f *flattener) stmt(s ast.Stmt, parent int) {
	switch s := s.(type) {
	case nil, *ast.EmptyStmt:
	case *ast.BlockStmt:
		f.block(s.List, parent)
	case *ast.LabeledStmt:
		f.stmt(s.Stmt, f.add(s, parent, "label "+s.Label.Name))
	case *ast.IfStmt:
		f.stmt(s.Init, parent)
		at := f.add(s, parent, "if", s.Cond)
		f.block(s.Body.List, at)
		if s.Else != nil {
			f.stmt(s.Else, f.add(s.Else, at, "else"))
		}
	case *ast.ForStmt:
		f.stmt(s.Init, parent)
		at := f.add(s, parent, "for", nonNil(s.Cond)...)
		f.atoms[at].loop = true
		f.stmt(s.Post, at)
		f.block(s.Body.List, at)
	case *ast.RangeStmt:
		f.ranges(s, parent)
	case *ast.SwitchStmt:
		f.stmt(s.Init, parent)
		f.cases(s.Body, f.add(s, parent, "switch", append(nonNil(s.Tag), lists(s.Body)...)...))
	case *ast.TypeSwitchStmt:
		f.stmt(s.Init, parent)
		f.cases(s.Body, f.add(s, parent, "switch", append(nonNil(s.Assign), lists(s.Body)...)...))
	case *ast.SelectStmt:
		f.cases(s.Body, f.add(s, parent, "select"))
	case *ast.ReturnStmt, *ast.BranchStmt:
		if b, ok := s.(*ast.BranchStmt); ok && b.Tok == token.GOTO {
			f.d.jumps = true
		}
		f.atoms[f.add(s, parent, "", s)].jump = true
	case *ast.ExprStmt:
		if lit := f.subtest(s.X); lit != nil {
			f.add(s, parent, "subtest", lit)
			return
		}
		f.add(s, parent, "", s)
	default:
		f.add(s, parent, "", s)
	}
}

// subtest is the function of t.Run(name, func…), whose name does not matter.
func (f *flattener) subtest(x ast.Expr) *ast.FuncLit {
	if c, ok := x.(*ast.CallExpr); ok && len(c.Args) == 2 {
		if s, ok := c.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Run" {
			lit, _ := c.Args[1].(*ast.FuncLit)
			if id, ok := s.X.(*ast.Ident); ok && f.isTest(id.Name) {
				return lit
			}
		}
	}
	return nil
}

func (f *flattener) ranges(s *ast.RangeStmt, parent int) {
	at := f.add(s, parent, "range "+s.Tok.String(), append(append(nonNil(s.Key), nonNil(s.Value)...), s.X)...)
	a := &f.atoms[at]
	a.loop = true
	e := effects{f: f, affects: a.affects}
	e.root(s.Key)
	e.root(s.Value)
	e.alias(s.X) // elements may be pointers
	f.block(s.Body.List, at)
}

// cases adds the clauses of a switch, whose conditions are in its head already.
func (f *flattener) cases(body *ast.BlockStmt, head int) {
	for _, clause := range body.List {
		switch c := clause.(type) {
		case *ast.CaseClause:
			f.block(c.Body, f.add(c, head, "case"))
		case *ast.CommClause:
			at := f.add(c, head, "case")
			f.stmt(c.Comm, at)
			f.block(c.Body, at)
		}
	}
}

func lists(body *ast.BlockStmt) (all []ast.Node) {
	for _, clause := range body.List {
		if c, ok := clause.(*ast.CaseClause); ok {
			for _, e := range c.List {
				all = append(all, e)
			}
		}
	}
	return all
}

func nonNil[N interface {
	ast.Node
	comparable
}](n N) []ast.Node {
	var none N
	if n == none {
		return nil
	}
	return []ast.Node{n}
}
