package fingerprint

import (
	"go/ast"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

// use is a name that code mentions: an identifier, or one selected from another
// (pkg.Name, value.Field).
type use struct{ name, sel string }

// canon writes code so that two texts are equal if and only if the code is equal
// but for comments, white space, line breaks, redundant parentheses and the
// place of a declaration. It collects the names on the way.
type canon struct {
	buf  []byte
	uses map[use]bool
	// elide leaves out what happens inside: bodies of function literals, and the
	// blocks of control statements.
	elide bool
	// inner are the function literals whose bodies were left out.
	inner []*ast.FuncLit

	closing []bool // one for each open node: write the end mark
}

func newCanon(elide bool) *canon { return &canon{uses: map[use]bool{}, elide: elide} }

func (c *canon) node(n ast.Node) { ast.Inspect(n, c.visit) }

func (c *canon) visit(n ast.Node) bool {
	if n == nil {
		last := len(c.closing) - 1
		if c.closing[last] {
			c.buf = append(c.buf, ')')
		}
		c.closing = c.closing[:last]
		return false
	}
	switch n := n.(type) {
	case *ast.CommentGroup:
		return false
	case *ast.ParenExpr: // the tree holds the order already
		c.closing = append(c.closing, false)
		return true
	case *ast.BlockStmt:
		if c.elide {
			c.buf = append(c.buf, "(…)"...)
			return false
		}
	case *ast.FuncLit:
		if c.elide {
			c.inner = append(c.inner, n)
		}
	case *ast.SelectorExpr:
		c.buf = append(c.buf, "(."...)
		c.node(n.X)
		if x, ok := n.X.(*ast.Ident); ok {
			c.uses[use{x.Name, n.Sel.Name}] = true
		}
		c.buf = append(append(c.buf, n.Sel.Name...), ')')
		return false
	}
	c.buf = append(append(append(c.buf, '('), reflect.TypeOf(n).Elem().Name()...), ' ')
	c.detail(n)
	c.closing = append(c.closing, true)
	return true
}

// detail writes what is not in the children of a node, and which of several
// optional children are there.
func (c *canon) detail(n ast.Node) {
	switch n := n.(type) {
	case *ast.Ident:
		c.uses[use{name: n.Name}] = true
		c.buf = append(c.buf, n.Name...)
	case *ast.BasicLit:
		c.buf = append(append(c.buf, n.Kind.String()...), literal(n)...)
	case *ast.BinaryExpr:
		c.token(n.Op)
	case *ast.UnaryExpr:
		c.token(n.Op)
	case *ast.AssignStmt:
		c.token(n.Tok)
		c.count(len(n.Lhs))
	case *ast.IncDecStmt:
		c.token(n.Tok)
	case *ast.BranchStmt:
		c.token(n.Tok)
	case *ast.GenDecl:
		c.token(n.Tok)
	case *ast.ChanType:
		c.count(int(n.Dir))
	case *ast.CallExpr:
		c.flags(n.Ellipsis.IsValid())
	case *ast.Field:
		c.count(len(n.Names))
	case *ast.CaseClause:
		c.count(len(n.List))
	case *ast.TypeSpec:
		c.flags(n.Assign.IsValid(), n.TypeParams != nil)
	case *ast.ValueSpec:
		c.count(len(n.Names))
		c.flags(n.Type != nil)
	default:
		c.optional(n)
	}
}

func (c *canon) optional(n ast.Node) {
	switch n := n.(type) {
	case *ast.SliceExpr:
		c.flags(n.Low != nil, n.High != nil, n.Max != nil)
	case *ast.TypeAssertExpr:
		c.flags(n.Type != nil)
	case *ast.CompositeLit:
		c.flags(n.Type != nil)
	case *ast.ArrayType:
		c.flags(n.Len != nil)
	case *ast.FuncType:
		c.flags(n.TypeParams != nil, n.Params != nil, n.Results != nil)
	case *ast.FuncDecl:
		c.flags(n.Recv != nil, n.Body != nil)
	case *ast.IfStmt:
		c.flags(n.Init != nil, n.Else != nil)
	case *ast.ForStmt:
		c.flags(n.Init != nil, n.Cond != nil, n.Post != nil)
	case *ast.RangeStmt:
		c.token(n.Tok)
		c.flags(n.Key != nil, n.Value != nil)
	case *ast.SwitchStmt:
		c.flags(n.Init != nil, n.Tag != nil)
	case *ast.TypeSwitchStmt:
		c.flags(n.Init != nil)
	case *ast.CommClause:
		c.flags(n.Comm != nil)
	}
}

func (c *canon) token(t token.Token) { c.buf = append(append(c.buf, t.String()...), ' ') }

func (c *canon) count(n int) { c.buf = append(strconv.AppendInt(c.buf, int64(n), 10), ' ') }

func (c *canon) flags(set ...bool) {
	for _, b := range set {
		if b {
			c.buf = append(c.buf, '+')
		} else {
			c.buf = append(c.buf, '-')
		}
	}
	c.buf = append(c.buf, ' ')
}

// literal is the text of a literal as gofmt writes it: 0XFF is 0xff.
func literal(n *ast.BasicLit) string {
	if n.Kind == token.STRING || n.Kind == token.CHAR {
		return n.Value
	}
	return strings.ToLower(n.Value)
}
