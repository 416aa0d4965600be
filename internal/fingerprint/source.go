package fingerprint

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"strings"
)

// Site is a call of arttest.New or arttest.Step in the user's code, and which of
// its arguments count: from First, counted from 0, to Last, -1 for all that
// follow.
type Site struct {
	Call        Call
	First, Last int
}

// Code is the source of everything that the arguments of the calls are made of,
// and of the functions and types in the values, with the plain data in those.
//
// Without any site, variables captured by function literals in the values are
// traced from where the literal stands: the statements around it that make them,
// and all calls of that function. With sites this is not needed: whatever a
// value captured was made on the way to a site.
func (r *Reader) Code(sites []Site, values ...any) ([]Ingredient, error) {
	c := r.newCollector()
	if err := c.underTest(); err != nil {
		c.fail(err)
	}
	for _, s := range sites {
		c.call(s.Call, s.First, s.Last)
	}
	var all []Ingredient
	for _, v := range values {
		w := walker{h: sha256.New(), visited: map[visit]int{}, typ: c.named,
			function: func(pc uintptr) string { return c.function(pc, len(sites) == 0) }}
		w.value(reflect.ValueOf(v))
		name := fmt.Sprintf("%T", v)
		all = append(all, Ingredient{Name: "fields of " + name, Digest: sum(w.h), Shown: name})
	}
	c.run()
	code, err := c.ingredients()
	if err != nil {
		return nil, err
	}
	all = append(append(all, code...), c.world()...)
	if c.err == nil {
		for _, m := range r.modules {
			if m.path != r.art {
				all = append(all, plain("language of module "+m.path, m.goLine))
			}
		}
	}
	return all, nil
}

// underTest reads the package under test: what it sets before tests run counts.
func (c *collector) underTest() error {
	if len(c.r.modules) == 0 || !strings.HasSuffix(c.r.info.Path, ".test") {
		return nil // not a test: the packages around the calls are read when they are met
	}
	dir := c.r.folder(strings.TrimSuffix(c.r.info.Path, ".test"))
	if dir == "" {
		return nil
	}
	p, err := c.r.load(dir)
	if err != nil {
		return err
	}
	c.touch(p)
	return nil
}

// named adds a type of the user's with its methods, which may be called.
func (c *collector) named(t reflect.Type) {
	path := t.PkgPath()
	name, _, _ := strings.Cut(t.Name(), "[")
	if c.r.isEngine(path) && !strings.HasSuffix(path, "_test") {
		return
	}
	dir := c.r.folder(path)
	if dir == "" {
		dir = c.r.folder(strings.TrimSuffix(path, "_test"))
	}
	if path == "main" && dir == "" {
		dir = c.r.folder(c.r.info.Path)
	}
	if dir == "" {
		if !c.r.knows(path) {
			c.fail(fmt.Errorf("type %s is in no module that is known", t))
		}
		return
	}
	p, err := c.r.load(dir)
	if err != nil {
		c.fail(err)
		return
	}
	c.name(p, name)
}
