package wandbtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// document is a parsed GraphQL request.
type document struct {
	operations []operation
	fragments  map[string]fragment
}

type operation struct {
	name      string
	variables []variable
	selection []selected
}

type variable struct {
	name     string
	kind     string // like "[String!]!"
	fallback any
	given    bool // whether there is a fallback
}

type fragment struct {
	on        string
	selection []selected
}

// selected is a field, or a fragment if name is empty.
type selected struct {
	alias, name string
	args        map[string]any
	directives  []directive
	selection   []selected
	on          string // type condition of an inline fragment, may be empty
	spread      string // name of a fragment
}

type directive struct {
	name string
	args map[string]any
}

// reference is a variable that stands where a value is expected; enum is a
// bare name.
type (
	reference string
	enum      string
)

var token = regexp.MustCompile(`^(?:\.\.\.|[!$&():=@\[\]{|}]|[_A-Za-z][_0-9A-Za-z]*|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|"(?:[^"\\\n]|\\.)*")`)

// parser reads the part of GraphQL that clients use: no block strings, no type
// definitions.
type parser struct {
	tokens []string
	err    error
}

func parse(text string) (document, error) {
	p := parser{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		for line = strings.TrimLeft(line, " \t\r\n,"); line != "" && line[0] != '#'; line = strings.TrimLeft(line, " \t\r\n,") {
			t := token.FindString(line)
			if t == "" {
				return document{}, fmt.Errorf("Syntax Error: Cannot parse the unexpected character %q.", line[0]) //nolint:staticcheck // the words of a server
			}
			p.tokens, line = append(p.tokens, t), line[len(t):]
		}
	}
	d := document{fragments: map[string]fragment{}}
	for p.err == nil && len(p.tokens) > 0 {
		if p.peek() == "fragment" {
			p.next()
			name := p.next()
			p.expect("on")
			on := p.next()
			p.directives()
			d.fragments[name] = fragment{on, p.selections()}
			continue
		}
		d.operations = append(d.operations, p.operation())
	}
	if p.err == nil && len(d.operations) == 0 {
		p.err = fmt.Errorf("Must provide an operation.") //nolint:staticcheck // the words of a server
	}
	return d, p.err
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	t := p.peek()
	if t == "" {
		p.fail("<EOF>")
		return ""
	}
	p.tokens = p.tokens[1:]
	return t
}

func (p *parser) fail(t string) {
	if p.err == nil {
		p.err = fmt.Errorf("Syntax Error: Unexpected %s.", t) //nolint:staticcheck // the words of a server
	}
	p.tokens = nil
}

func (p *parser) expect(want string) {
	if t := p.next(); t != want && p.err == nil {
		p.fail(strconv.Quote(t))
	}
}

// take removes the token if it is the next one.
func (p *parser) take(t string) bool {
	if p.peek() != t {
		return false
	}
	p.tokens = p.tokens[1:]
	return true
}

func (p *parser) operation() (o operation) {
	if p.peek() == "{" {
		return operation{selection: p.selections()}
	}
	if t := p.next(); t != "query" && t != "mutation" {
		p.fail(strconv.Quote(t))
		return o
	}
	if p.peek() != "(" && p.peek() != "{" {
		o.name = p.next()
	}
	if p.take("(") {
		for p.err == nil && !p.take(")") {
			p.expect("$")
			v := variable{name: p.next()}
			p.expect(":")
			v.kind = p.kind()
			if p.take("=") {
				v.fallback, v.given = p.value(), true
			}
			o.variables = append(o.variables, v)
		}
	}
	p.directives()
	o.selection = p.selections()
	return o
}

func (p *parser) kind() (k string) {
	if p.take("[") {
		k = "[" + p.kind() + "]"
		p.expect("]")
	} else {
		k = p.next()
	}
	if p.take("!") {
		k += "!"
	}
	return k
}

func (p *parser) selections() (all []selected) {
	p.expect("{")
	for p.err == nil && !p.take("}") {
		all = append(all, p.selected())
	}
	return all
}

func (p *parser) selected() (s selected) {
	if p.take("...") {
		switch t := p.peek(); {
		case t == "on":
			p.next()
			s.on = p.next()
		case t != "{" && t != "@":
			s.spread = p.next()
			s.directives = p.directives()
			return s
		}
		s.directives = p.directives()
		s.selection = p.selections()
		return s
	}
	s.name = p.next()
	s.alias = s.name
	if p.take(":") {
		s.name = p.next()
	}
	s.args = p.arguments()
	s.directives = p.directives()
	if p.peek() == "{" {
		s.selection = p.selections()
	}
	return s
}

func (p *parser) arguments() map[string]any {
	if !p.take("(") {
		return nil
	}
	return p.pairs(")")
}

func (p *parser) pairs(end string) map[string]any {
	all := map[string]any{}
	for p.err == nil && !p.take(end) {
		name := p.next()
		p.expect(":")
		all[name] = p.value()
	}
	return all
}

func (p *parser) directives() (all []directive) {
	for p.take("@") {
		all = append(all, directive{p.next(), p.arguments()})
	}
	return all
}

func (p *parser) value() any {
	switch t := p.next(); {
	case t == "$":
		return reference(p.next())
	case t == "{":
		return p.pairs("}")
	case t == "[":
		list := []any{}
		for p.err == nil && !p.take("]") {
			list = append(list, p.value())
		}
		return list
	case t == "null":
		return nil
	case t == "true", t == "false":
		return t == "true"
	case strings.HasPrefix(t, `"`):
		s, err := strconv.Unquote(t)
		if err != nil {
			p.fail(t)
		}
		return s
	default:
		if n, err := strconv.ParseFloat(t, 64); err == nil {
			return n
		}
		return enum(t)
	}
}
