package fingerprint

import (
	"go/ast"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// slice is the part of a function on which certain values depend: the
// statements that declare or change the variables from which they are made, what
// those are made from in turn, and the heads of the loops and branches around
// them. Everything goes by name: two variables of one name are one.
type slice struct {
	d      *decl
	names  map[string]bool // variables that matter
	chosen map[int]bool    // atoms in the slice; true: with all inside
	roots  []root
	around map[int]bool // atoms around the roots
	dirty  bool
}

// root is an expression whose value is wanted.
type root struct {
	pos  token.Pos
	text []byte
}

func newSlice(d *decl) *slice {
	return &slice{d: d, names: map[string]bool{}, chosen: map[int]bool{}, around: map[int]bool{}}
}

// want adds the names that code mentions.
func (s *slice) want(uses map[use]bool) {
	for u := range uses {
		name := u.name
		if u.sel != "" {
			if s.d.file.imports[u.name] == "" {
				continue
			}
			name += "." + u.sel
		}
		s.add(name)
	}
}

func (s *slice) add(name string) {
	if !s.names[name] && s.d.handed[name] != aTest {
		s.names[name], s.dirty = true, true
	}
}

// root adds expressions at a place in the function.
func (s *slice) root(pos token.Pos, label string, nodes ...ast.Expr) map[use]bool {
	c := newCanon(false)
	c.buf = append(c.buf, label...)
	for _, n := range nodes {
		c.node(n)
	}
	for _, r := range s.roots {
		if r.pos == pos && string(r.text) == string(c.buf) {
			return nil
		}
	}
	s.roots = append(s.roots, root{pos, c.buf})
	for i, a := range s.d.atoms {
		if a.from <= pos && pos < a.to {
			s.around[i] = true
		}
	}
	s.want(c.uses)
	s.dirty = true
	return c.uses
}

// grow chooses atoms until nothing more is needed. It returns what the newly
// chosen ones mention.
func (s *slice) grow() map[use]bool {
	fresh := map[use]bool{}
	for s.dirty {
		s.dirty = false
		for i, a := range s.d.atoms {
			if s.d.jumps { // a goto makes loops that are not seen
				s.choose(i, true, fresh)
			}
			if _, in := s.chosen[i]; !in && a.jump && s.repeats(a.parent) {
				s.choose(i, true, fresh)
			}
			if !s.chosen[i] && s.touches(a) {
				s.choose(i, !s.around[i], fresh)
			}
		}
	}
	return fresh
}

func (s *slice) touches(a atom) bool {
	for name := range a.affects {
		if s.names[name] {
			return true
		}
	}
	return false
}

// repeats reports whether a chosen loop or function literal is around: a jump in
// it decides how often the rest runs.
func (s *slice) repeats(at int) bool {
	for ; at >= 0; at = s.d.atoms[at].parent {
		a := s.d.atoms[at]
		if _, in := s.chosen[at]; in && (a.loop || a.literals && !s.around[at]) {
			return true
		}
	}
	return false
}

func (s *slice) choose(i int, whole bool, fresh map[use]bool) {
	was, in := s.chosen[i]
	if in && (was || !whole) {
		return
	}
	a := s.d.atoms[i]
	s.chosen[i], s.dirty = whole, true
	maps.Copy(fresh, a.uses)
	s.want(a.uses)
	for name := range a.affects {
		if name != outside {
			s.add(name)
		}
	}
	if a.parent >= 0 {
		s.choose(a.parent, false, fresh)
	}
	if whole && a.literals {
		for j := i + 1; j < len(s.d.atoms) && s.d.atoms[j].from < a.to; j++ {
			s.choose(j, true, fresh)
		}
	}
}

// text is the slice in the order of the source.
func (s *slice) text() string {
	slices.SortFunc(s.roots, func(a, b root) int {
		if a.pos != b.pos {
			return int(a.pos - b.pos)
		}
		return strings.Compare(string(a.text), string(b.text))
	})
	roots, ordinal := s.roots, map[int]int{-1: 0}
	var out []byte
	for i, a := range s.d.atoms {
		if _, in := s.chosen[i]; !in {
			continue
		}
		for len(roots) > 0 && roots[0].pos < a.from {
			out, roots = append(append(out, "\nroot "...), roots[0].text...), roots[1:]
		}
		ordinal[i] = len(ordinal)
		out = strconv.AppendInt(append(out, '\n'), int64(ordinal[a.parent]), 10)
		out = append(append(out, ' '), a.text...)
	}
	for _, r := range roots {
		out = append(append(out, "\nroot "...), r.text...)
	}
	return string(out)
}

// params reports whether the slice needs a parameter or the receiver of its
// function, and so the calls of that function.
func (s *slice) params() bool {
	f, ok := s.d.node.(*ast.FuncDecl)
	if !ok {
		return false
	}
	lists := []*ast.FieldList{f.Type.Params, f.Recv}
	for _, l := range lists {
		if l == nil {
			continue
		}
		for _, field := range l.List {
			for _, id := range field.Names {
				if s.names[id.Name] {
					return true
				}
			}
		}
	}
	return false
}
