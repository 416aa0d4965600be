package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	span   = regexp.MustCompile("`([^`\n]+)`")
	goName = regexp.MustCompile(`\b([a-z][a-z0-9]*(?:/[a-z]+)*)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`)
)

// Names in code spans, like `train.Loop.Source`, exist if their package does.
func TestNamesExist(t *testing.T) {
	known := map[string]map[string]bool{}
	for _, name := range pages {
		for _, s := range span.FindAllStringSubmatch(prose(page(t, name)), -1) {
			for _, m := range goName.FindAllStringSubmatch(s[1], -1) {
				if known[m[1]] == nil {
					known[m[1]] = exported(t, filepath.Join("..", filepath.FromSlash(m[1])))
				}
				names := known[m[1]]
				if len(names) == 0 {
					continue // not a package of ours
				}
				assert.True(t, names[m[2]], "%s: package %s has no %s", name, m[1], m[2])
				if m[3] != "" {
					assert.True(t, names[m[2]+"."+m[3]], "%s: %s.%s has no %s", name, m[1], m[2], m[3])
				}
			}
		}
	}
}

// exported lists what a package exports: Name, Type.Field and Type.Method.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return names
	}
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".go" || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, e.Name()), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					addSpec(names, s)
				}
			}
		}
	}
	return names
}

// receiver is "Type." for a method, "" for a function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if id, ok := typ.(*ast.Ident); ok {
		return id.Name + "."
	}
	return "."
}

func addSpec(names map[string]bool, s ast.Spec) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, n := range s.Names {
			names[n.Name] = true
		}
	case *ast.TypeSpec:
		names[s.Name.Name] = true
		var fields *ast.FieldList
		switch typ := s.Type.(type) {
		case *ast.StructType:
			fields = typ.Fields
		case *ast.InterfaceType:
			fields = typ.Methods
		default:
			return
		}
		for _, f := range fields.List {
			for _, n := range f.Names {
				names[s.Name.Name+"."+n.Name] = true
			}
		}
	}
}
