package fingerprint

import (
	"flag"
	"go/ast"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
)

// world are flags, arguments and environment, as far as the code that was reached
// reads them. Values of the environment are hashed and never shown. Where the
// binary stands for the code flags and arguments count in any case, and of the
// environment what the code reads that was found.
func (c *collector) world() []Ingredient {
	found := map[string]Ingredient{}
	if c.err != nil {
		found["flags"], found["args"] = flags(), arguments()
	}
	look := func(d *decl) {
		for u := range d.uses {
			switch c.r.importOf(d, u.name) + "." + u.sel {
			case "os.Args":
				found["args"] = arguments()
			case "os.Environ", "os.ExpandEnv", "syscall.Getenv", "syscall.Environ":
				found["env"] = environment("", os.Environ()...)
			case "os.Getenv", "os.LookupEnv":
				for _, in := range c.r.variables(d) {
					found[in.Name] = in
				}
			default:
				if u.sel != "" && d.file.imports[u.name] == "flag" {
					found["flags"] = flags()
				}
			}
		}
	}
	for d := range c.seen {
		look(d)
	}
	for d := range c.slices {
		c.r.code(d)
		look(d)
	}
	var all []Ingredient
	for _, in := range found {
		all = append(all, in)
	}
	slices.SortFunc(all, func(a, b Ingredient) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (r *Reader) importOf(d *decl, name string) string { return d.file.imports[name] }

// variables are the environment variables that a declaration reads by name; all
// of them, if it reads one whose name is computed.
func (r *Reader) variables(d *decl) (all []Ingredient) {
	ast.Inspect(d.node, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		s, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || s.Sel.Name != "Getenv" && s.Sel.Name != "LookupEnv" || len(call.Args) != 1 {
			return true
		}
		if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, err := strconv.Unquote(lit.Value)
			if err == nil {
				value, set := os.LookupEnv(name)
				all = append(all, environment(" "+name, value, strconv.FormatBool(set)))
				return true
			}
		}
		all = append(all, environment("", os.Environ()...))
		return true
	})
	if len(all) == 0 { // the function is handed on
		all = append(all, environment("", os.Environ()...))
	}
	return all
}

func environment(name string, values ...string) Ingredient {
	values = slices.Clone(values)
	slices.Sort(values)
	return Ingredient{Name: "environment" + name, Digest: digest(values...), Shown: "read by the code"}
}

// own are the prefixes of flags that change how a test is run, not what it does.
var own = []string{"test.", "art."}

func isOwn(name string) bool {
	return slices.ContainsFunc(own, func(p string) bool { return strings.HasPrefix(name, p) })
}

func flags() Ingredient {
	var values []string
	flag.VisitAll(func(f *flag.Flag) {
		if !isOwn(f.Name) {
			values = append(values, f.Name+"="+f.Value.String())
		}
	})
	return list("flags", append(values, flag.Args()...))
}

func arguments() Ingredient {
	args := slices.DeleteFunc(slices.Clone(os.Args[min(1, len(os.Args)):]), func(a string) bool { return isOwn(strings.TrimLeft(a, "-")) })
	return list("arguments", args)
}
