package fingerprint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// codePrefix begins the names of ingredients that are code.
const codePrefix = "code "

// collector gathers all declarations that some code can reach within the modules
// whose source is read.
type collector struct {
	r        *Reader
	seen     map[*decl]bool
	slices   map[*decl]*slice
	called   map[*decl]bool // functions of which all calls were added
	changing map[*decl]bool // those of them that change a variable
	vars     map[*decl]bool
	touched  map[*pkg]bool
	queue    []*decl
	err      error // the first reason why source does not do
}

func (r *Reader) newCollector() *collector {
	return &collector{r: r, seen: map[*decl]bool{}, slices: map[*decl]*slice{}, called: map[*decl]bool{}, changing: map[*decl]bool{}, vars: map[*decl]bool{}, touched: map[*pkg]bool{}}
}

func (c *collector) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// code computes digest and names of a declaration once.
func (r *Reader) code(d *decl) {
	if d.uses != nil {
		return
	}
	n := newCanon(false)
	n.token(d.tok)
	n.node(d.node)
	d.uses = n.uses
	d.code = digest(string(n.buf), d.surroundings(n.uses))
}

// surroundings are what decides about the meaning of a declaration from outside:
// build constraint, and paths of imports.
func (d *decl) surroundings(uses map[use]bool) string {
	var paths []string
	for u := range uses {
		if to := d.file.imports[u.name]; to != "" && u.sel != "" {
			paths = append(paths, u.name+"="+to)
		}
	}
	slices.Sort(paths)
	return d.file.constraint + "\n" + d.file.odd + strings.Join(d.file.dots, " ") + "\n" + strings.Join(slices.Compact(paths), "\n")
}

func (c *collector) reach(d *decl) {
	if !c.seen[d] {
		c.seen[d] = true
		c.queue = append(c.queue, d)
	}
}

// touch adds what runs before any test in a package and in all that it imports.
func (c *collector) touch(p *pkg) {
	if c.touched[p] {
		return
	}
	c.touched[p] = true
	for _, d := range p.initial {
		c.reach(d)
	}
	for _, f := range p.files {
		for _, spec := range f.syntax.Imports {
			if q := c.local(strings.Trim(spec.Path.Value, "\"`")); q != nil {
				c.touch(q)
			}
		}
	}
}

// local is the package of an import whose source is to be read, or nil.
func (c *collector) local(importPath string) *pkg {
	if importPath == "C" || c.r.isEngine(importPath) {
		return nil
	}
	dir := c.r.folder(importPath)
	if dir == "" {
		return nil
	}
	p, err := c.r.load(dir)
	if err != nil {
		c.fail(err)
		return nil
	}
	return p
}

// resolve reaches what names mean in a file.
func (c *collector) resolve(d *decl, uses map[use]bool) {
	for u := range uses {
		if u.sel == "" {
			c.name(d.pkg, u.name)
			for _, dot := range d.file.dots {
				if p := c.local(dot); p != nil {
					c.name(p, u.name)
				}
			}
			continue
		}
		if to := d.file.imports[u.name]; to != "" {
			if p := c.local(to); p != nil {
				c.touch(p)
				c.name(p, u.sel)
				if c.r.flatten(d); len(p.decls[u.sel]) == 0 && !d.locals[u.name] {
					c.fail(fmt.Errorf("%s.%s is not in %s", u.name, u.sel, p.dir))
				}
			}
			continue
		}
		for _, spec := range d.file.syntax.Imports { // the package's name may not be the end of its path
			if spec.Name == nil {
				if p := c.local(strings.Trim(spec.Path.Value, "\"`")); p != nil && p.name == u.name {
					c.name(p, u.sel)
				}
			}
		}
	}
}

func (c *collector) name(p *pkg, name string) {
	for _, d := range p.decls[name] {
		c.reach(d)
	}
}

// sliceOf is the slice of a function, to be added to.
func (c *collector) sliceOf(d *decl) *slice {
	c.r.flatten(d)
	c.touch(d.pkg)
	s := c.slices[d]
	if s == nil {
		s = newSlice(d)
		c.slices[d] = s
	}
	return s
}

// run follows everything to its end.
func (c *collector) run() {
	for again := true; again && c.err == nil; {
		again = false
		for len(c.queue) > 0 {
			d := c.queue[0]
			c.queue, again = c.queue[1:], true
			c.expand(d)
		}
		for _, d := range sortedDecls(c.slices) {
			s := c.slices[d]
			if s.dirty {
				again = true
				c.resolve(d, s.grow())
			}
			if s.params() && !c.called[d] {
				again = true
				c.callers(d, false)
			}
		}
	}
}

// expand reaches what a declaration needs.
func (c *collector) expand(d *decl) {
	c.touch(d.pkg)
	c.r.code(d)
	if err := c.r.embed(d); err != nil {
		c.fail(err)
	}
	c.resolve(d, d.uses)
	switch d.tok {
	case token.TYPE:
		for _, m := range d.pkg.methods[d.name] {
			c.reach(m)
		}
	case token.VAR:
		c.writers(d)
	case token.FUNC:
		if f := d.node.(*ast.FuncDecl); f.Body == nil && d.pkg.other == "" {
			c.fail(fmt.Errorf("%s has no body", d.name))
		}
	}
}

// writers adds the statements that change a variable of a package.
func (c *collector) writers(v *decl) {
	for _, name := range strings.Split(v.name, ",") {
		c.mentioners(v.pkg, name, func(d *decl, as string) {
			if c.r.flatten(d); d.tok == token.FUNC {
				for _, a := range d.atoms {
					if a.affects[as] {
						c.sliceOf(d).add(as)
						c.callers(d, true)
						return
					}
				}
			}
		})
	}
}

// callers adds all statements that mention a function whose parameters matter.
// With up, for a function that changes a variable, whether it is called at all
// counts, and so do those that mention the functions around these, and so on.
func (c *collector) callers(f *decl, up bool) {
	if c.changing[f] || c.called[f] && !up {
		return
	}
	c.called[f], c.changing[f] = true, up
	name := f.name
	method := strings.HasPrefix(name, "(")
	if method {
		name = name[strings.LastIndex(name, ".")+1:]
	}
	c.mentioners(f.pkg, name, func(d *decl, as string) {
		if d.tok != token.FUNC {
			if c.r.code(d); mentions(d.uses, as, method, name) {
				c.reach(d)
			}
			return
		}
		c.r.flatten(d)
		for i, a := range d.atoms {
			if mentions(a.uses, as, method, name) {
				s := c.sliceOf(d)
				fresh := map[use]bool{}
				s.choose(i, true, fresh)
				c.resolve(d, fresh)
				if up {
					c.callers(d, true)
				}
			}
		}
	})
}

func mentions(uses map[use]bool, as string, method bool, name string) bool {
	for u := range uses {
		if u.sel == "" && u.name == as || u.sel != "" && (u.name+"."+u.sel == as || method && u.sel == name) {
			return true
		}
	}
	return false
}

// mentioners calls f for each function and variable that mentions a name of a
// package, with the name as it is written there, and for some more.
func (c *collector) mentioners(p *pkg, name string, f func(d *decl, as string)) {
	for _, d := range c.r.containing(p, name) {
		f(d, name)
	}
	if !ast.IsExported(name) {
		return
	}
	for _, q := range c.linked() {
		if q == p {
			continue
		}
		for _, d := range c.r.containing(q, name) {
			for local, to := range d.file.imports {
				if to == p.path {
					f(d, local+"."+name)
				}
			}
			if slices.Contains(d.file.dots, p.path) {
				f(d, name)
			}
			f(d, p.name+"."+name)
		}
	}
}

// containing lists the functions and variables of a package in whose text a name
// stands.
func (r *Reader) containing(p *pkg, name string) (found []*decl) {
	in := map[*file]bool{}
	for _, f := range p.files {
		in[f] = bytes.Contains(f.text, []byte(name))
	}
	p.each(func(d *decl) {
		if !in[d.file] || d.tok != token.FUNC && d.tok != token.VAR {
			return
		}
		at := r.fset.File(d.node.Pos())
		if bytes.Contains(d.file.text[at.Offset(d.node.Pos()):at.Offset(d.node.End())], []byte(name)) {
			found = append(found, d)
		}
	})
	return found
}

// linked are the packages that the package under test and those around the calls
// import, directly or not: all that can be in the binary.
func (c *collector) linked() []*pkg {
	var all []*pkg
	for p := range c.touched {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *pkg) int { return strings.Compare(a.dir, b.dir) })
	return all
}

func sortedDecls(m map[*decl]*slice) []*decl {
	var all []*decl
	for d := range m {
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b *decl) int { return int(a.node.Pos() - b.node.Pos()) })
	return all
}

// ingredients are one for each declaration and slice that was reached.
func (c *collector) ingredients() ([]Ingredient, error) {
	if c.err != nil {
		in, err := c.r.standIn(c.err.Error())
		return []Ingredient{in}, err
	}
	var all []Ingredient
	others := map[*pkg]bool{}
	add := func(d *decl, name, code string) {
		where := fmt.Sprintf("%s:%d", filepath.Base(d.file.path), d.line)
		all = append(all, Ingredient{Name: codePrefix + c.label(d.pkg) + "." + name, Digest: code, Shown: where})
		if d.pkg.other != "" && !others[d.pkg] {
			others[d.pkg] = true
			all = append(all, Ingredient{Name: codePrefix + c.label(d.pkg) + " assembly", Digest: d.pkg.other, Shown: c.label(d.pkg)})
		}
	}
	for d := range c.seen {
		add(d, d.name, digest(d.code, d.embedded))
	}
	for d, s := range c.slices {
		if text := s.text(); text != "" && !c.seen[d] {
			add(d, d.name+" (part)", digest(text, d.surroundings(s.uses())))
		}
	}
	slices.SortFunc(all, func(a, b Ingredient) int { return strings.Compare(a.Name+a.Digest, b.Name+b.Digest) })
	return all, nil
}

// uses are the names in the slice that could be imports.
func (s *slice) uses() map[use]bool {
	all := map[use]bool{}
	for name := range s.names {
		if x, sel, ok := strings.Cut(name, "."); ok {
			all[use{x, sel}] = true
		}
	}
	return all
}

// label is the path of a package within its module.
func (c *collector) label(p *pkg) string {
	best, label := -1, p.path
	for _, m := range c.r.modules {
		if rest, ok := strings.CutPrefix(p.path, m.path); ok && len(m.path) > best {
			best, label = len(m.path), path.Join(path.Base(m.path), rest)
		}
	}
	return label
}
