package fingerprint

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"hash"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// pkg is a folder of Go source: all files, whatever their build constraints and
// whether tests or not, for more than was compiled is harmless and less is not.
type pkg struct {
	dir, path string
	name      string // of the package clause, without _test
	files     []*file
	decls     map[string][]*decl // by name; several under build constraints and in tests
	methods   map[string][]*decl // by name of the receiver's type
	initial   []*decl            // what runs before any test: init, TestMain, var _ = …
	other     string             // digest of assembly
}

type file struct {
	path       string
	syntax     *ast.File
	text       []byte
	imports    map[string]string // local name → path
	dots       []string          // paths of dot imports
	odd        string            // paths whose local name the path does not tell
	constraint string            // what decides whether the file is compiled
}

// decl is a declaration at the level of the package: a function, a method, or one
// constant, variable or type.
type decl struct {
	pkg  *pkg
	file *file
	name string // "buildMLP", "(Block).Forward"
	node ast.Node
	tok  token.Token // FUNC, VAR, CONST, TYPE
	doc  *ast.CommentGroup
	line int

	code string // digest
	// embedded is a digest of the files that go:embed puts in.
	embedded string

	uses  map[use]bool
	atoms []atom
	jumps bool // there is a goto in it
	// flattening is true while the atoms are being made.
	flattening bool
	locals     map[string]bool // names declared inside
	handed     handedNames     // those of them of which the type is known
}

// changed is the error for a file that is not what was compiled.
type changed struct{ name string }

func (c changed) Error() string { return c.name + " was changed after the test binary was built" }

// load parses a folder once.
func (r *Reader) load(dir string) (*pkg, error) {
	if p, ok := r.packages[dir]; ok {
		return p, nil
	}
	names, err := filepath.Glob(filepath.Join(escape(dir), "*"))
	if err != nil {
		return nil, err
	}
	p := &pkg{dir: dir, path: r.importPath(dir), decls: map[string][]*decl{}, methods: map[string][]*decl{}}
	for _, name := range names {
		switch strings.ToLower(filepath.Ext(name)) {
		case ".go":
			if err := r.parse(p, name); err != nil {
				return nil, err
			}
		case ".s", ".h", ".syso":
			text, err := r.read(name)
			if err != nil {
				return nil, err
			}
			p.other = digest(p.other, filepath.Base(name), string(text))
		}
	}
	if len(p.files) == 0 {
		return nil, fmt.Errorf("no Go files in %s", dir)
	}
	r.packages[dir] = p
	return p, nil
}

func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}

// read returns the content of a file that is as old as the test binary.
func (r *Reader) read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.ModTime().After(r.built) && !r.built.Equal(time.Time{}) {
		return nil, changed{filepath.Base(name)}
	}
	return os.ReadFile(name)
}

func (r *Reader) parse(p *pkg, name string) error {
	text, err := r.read(name)
	if err != nil {
		return err
	}
	mode := parser.SkipObjectResolution
	if bytes.Contains(text, []byte("//go:embed")) || bytes.Contains(text, []byte(`"C"`)) {
		mode |= parser.ParseComments
	}
	syntax, err := parser.ParseFile(r.fset, name, text, mode)
	if err != nil {
		return err
	}
	f := &file{path: name, syntax: syntax, text: text, imports: map[string]string{}, constraint: constraint(name, text)}
	for _, spec := range syntax.Imports {
		f.add(spec)
	}
	if f.imports["C"] == "C" || bytes.Contains(text, []byte("\n//go:linkname")) {
		return fmt.Errorf("%s uses cgo or linkname", filepath.Base(name))
	}
	p.files = append(p.files, f)
	if clause := strings.TrimSuffix(syntax.Name.Name, "_test"); p.name == "" || !strings.HasSuffix(name, "_test.go") {
		p.name = clause
	}
	for _, d := range syntax.Decls {
		p.add(r.fset, f, d)
	}
	return nil
}

func (f *file) add(spec *ast.ImportSpec) {
	to := strings.Trim(spec.Path.Value, "\"`")
	last := path.Base(to)
	switch {
	case spec.Name != nil && spec.Name.Name == ".":
		f.dots = append(f.dots, to)
	case spec.Name != nil && spec.Name.Name == "_":
	case spec.Name != nil:
		f.imports[spec.Name.Name] = to
	case strings.ContainsAny(last, ".-") || strings.HasPrefix(last, "v") && strings.Trim(last[1:], "0123456789") == "":
		f.odd += to + " "
		f.imports[guess(to)] = to
	default:
		f.imports[last] = to
	}
}

// guess is the usual name of a package whose path ends in a version or has dots
// and dashes.
func guess(importPath string) string {
	dir, last := path.Split(importPath)
	if strings.HasPrefix(last, "v") && strings.Trim(last[1:], "0123456789") == "" {
		last = path.Base(dir)
	}
	last, _, _ = strings.Cut(last, ".")
	last = strings.TrimSuffix(strings.TrimPrefix(last, "go-"), "-go")
	return strings.ReplaceAll(last, "-", "")
}

// systems are the endings of file names that are build constraints.
var systems = strings.Fields("aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris wasip1 windows unix " +
	"386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm")

func constraint(name string, text []byte) string {
	found := ""
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("package ")) {
			break
		}
		if bytes.HasPrefix(line, []byte("//go:build ")) {
			found += strings.Join(strings.Fields(string(line)), " ")
		}
	}
	for _, part := range strings.Split(strings.TrimSuffix(filepath.Base(name), ".go"), "_")[1:] {
		if slices.Contains(systems, part) {
			found += " " + part
		}
	}
	return found
}

func (p *pkg) add(fset *token.FileSet, f *file, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		n := &decl{pkg: p, file: f, name: d.Name.Name, node: d, tok: token.FUNC, line: fset.Position(d.Pos()).Line}
		if d.Recv != nil && len(d.Recv.List) > 0 {
			receiver := typeName(d.Recv.List[0].Type)
			n.name = "(" + receiver + ")." + d.Name.Name
			p.methods[receiver] = append(p.methods[receiver], n)
			return
		}
		if d.Name.Name == "init" || d.Name.Name == "TestMain" {
			p.initial = append(p.initial, n)
		}
		p.decls[n.name] = append(p.decls[n.name], n)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			p.addSpec(fset, f, d, spec)
		}
	}
}

func (p *pkg) addSpec(fset *token.FileSet, f *file, d *ast.GenDecl, spec ast.Spec) {
	n := &decl{pkg: p, file: f, node: spec, tok: d.Tok, doc: d.Doc, line: fset.Position(spec.Pos()).Line}
	var names []*ast.Ident
	switch s := spec.(type) {
	case *ast.TypeSpec:
		names = []*ast.Ident{s.Name}
	case *ast.ValueSpec:
		names = s.Names
		if s.Doc != nil {
			n.doc = s.Doc
		}
		if d.Tok == token.CONST && (len(s.Values) == 0 || mentionsIota(s)) {
			n.node = d // its value depends on its place in the group
		}
	}
	for _, id := range names {
		n.name = strings.TrimPrefix(n.name+","+id.Name, ",")
		if id.Name == "_" {
			p.initial = append(p.initial, n)
		} else {
			p.decls[id.Name] = append(p.decls[id.Name], n)
		}
	}
}

func mentionsIota(n ast.Node) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && id.Name == "iota"
		return !found
	})
	return found
}

// typeName is the name of a receiver's type, without pointer and parameters.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.ParenExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// embed hashes the files that go:embed puts into a variable.
func (r *Reader) embed(d *decl) error {
	if d.doc == nil || d.embedded != "" {
		return nil
	}
	h := sha256.New()
	for _, c := range d.doc.List {
		patterns, ok := strings.CutPrefix(c.Text, "//go:embed ")
		if !ok {
			continue
		}
		for _, pattern := range strings.Fields(patterns) {
			pattern = strings.Trim(strings.TrimPrefix(strings.Trim(pattern, "\"`"), "all:"), "\"`")
			names, err := filepath.Glob(filepath.Join(escape(d.pkg.dir), filepath.FromSlash(pattern)))
			if err != nil {
				return err
			}
			for _, name := range names {
				if err := r.hashTree(h, d.pkg.dir, name, nil); err != nil {
					return err
				}
			}
		}
	}
	d.embedded = sum(h)
	return nil
}

// hashTree writes names and contents of all files in a folder for which keep,
// if not nil, is true.
func (r *Reader) hashTree(h hash.Hash, base, name string, keep func(name string) bool) error {
	return filepath.WalkDir(name, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || keep != nil && !keep(name) {
			return err
		}
		text, err := r.read(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(base, name)
		writeString(h, filepath.ToSlash(rel))
		writeString(h, string(text))
		return err
	})
}
