package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Tree is the Go source of a repository.
type Tree struct {
	Mods  []*Mod  // the root module first
	Files []*File // in the order of their paths
}

// File is one Go file. Files that the go command ignores by name (under testdata or
// vendor, or with a name that begins with a dot or an underscore) are not in a Tree.
type File struct {
	Path      string // slash-separated, relative to the root
	Mod       *Mod
	Test      bool // name ends in _test.go
	Generated bool // marked as generated code in the way of go generate
	Text      string
	Syntax    *ast.File
	positions *token.FileSet
}

// Dir is the folder of the file, relative to the root; "." is the root.
func (f *File) Dir() string { return path.Dir(f.Path) }

// Line is the line, from 1, of a place in the file.
func (f *File) Line(p token.Pos) int { return f.positions.Position(p).Line }

// Lines is the number of lines of the file.
func (f *File) Lines() int { return strings.Count(f.Text, "\n") }

// At is a place in the file as compilers write it.
func (f *File) At(p token.Pos) string { return fmt.Sprintf("%s:%d", f.Path, f.Line(p)) }

// Import is one import of a file.
type Import struct {
	Path string // as imported
	Ours string // the folder below the root module, or "" for all else
	At   string
}

// Imports lists the imports of the file in order.
func (f *File) Imports() []Import {
	var imports []Import
	for _, spec := range f.Syntax.Imports {
		to, err := strconv.Unquote(spec.Path.Value)
		if err != nil { // the parser has accepted it
			panic(err)
		}
		i := Import{Path: to, At: f.At(spec.Pos())}
		if to == f.Mod.Path {
			i.Ours = "."
		} else if sub, ok := strings.CutPrefix(to, f.Mod.Path+"/"); ok {
			i.Ours = sub
		}
		imports = append(imports, i)
	}
	return imports
}

// Load reads the Go files and go.mod files below the root of fsys.
func Load(fsys fs.FS) (*Tree, error) {
	tree := &Tree{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && ignored(d.Name()):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			return tree.addMod(fsys, name)
		case strings.HasSuffix(name, ".go"):
			return tree.addFile(fsys, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(tree.Mods) == 0 || tree.Mods[0].Dir != "." {
		return nil, fmt.Errorf("no go.mod at the root of the tree")
	}
	return tree, nil
}

// ignored tells whether the go command passes over a file or folder of this name.
func ignored(name string) bool {
	return name == "testdata" || name == "vendor" || name[0] == '.' || name[0] == '_'
}

// addMod reads the go.mod of a folder, if it has one.
func (t *Tree) addMod(fsys fs.FS, dir string) error {
	data, err := fs.ReadFile(fsys, path.Join(dir, "go.mod"))
	if err != nil {
		return nil // not the root of a module
	}
	mod, err := parseMod(dir, string(data))
	t.Mods = append(t.Mods, mod)
	return err
}

// addFile parses a Go file.
func (t *Tree) addFile(fsys fs.FS, name string) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, name, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	f := &File{
		Path:      name,
		Test:      strings.HasSuffix(name, "_test.go"),
		Generated: ast.IsGenerated(syntax),
		Text:      string(data),
		Syntax:    syntax,
		positions: set,
	}
	for _, m := range t.Mods { // nested modules come later and win
		if m.Dir == "." || strings.HasPrefix(name, m.Dir+"/") {
			f.Mod = m
		}
	}
	if f.Mod == nil {
		return fmt.Errorf("%s belongs to no module", name)
	}
	t.Files = append(t.Files, f)
	return nil
}

// Root lists the files of the root module.
func (t *Tree) Root() []*File {
	var files []*File
	for _, f := range t.Files {
		if f.Mod == t.Mods[0] {
			files = append(files, f)
		}
	}
	return files
}
