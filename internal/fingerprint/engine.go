package fingerprint

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// buildSettings are those of the build that can change what a program computes.
// GOAMD64 and its like decide whether products and sums are fused.
var buildSettings = []string{"-tags", "-ldflags", "-gcflags", "GOEXPERIMENT", "GOARCH", "GO386", "GOAMD64", "GOARM", "GOARM64", "GOMIPS", "GOMIPS64",
	"GOPPC64", "GORISCV64", "GOWASM", "DefaultGODEBUG"}

// bystanders are modules that are linked into tests and compute nothing there.
var bystanders = []string{"github.com/stretchr/", "github.com/google/go-cmp", "github.com/davecgh/go-spew", "github.com/pmezard/go-difflib",
	"gopkg.in/yaml.", "go.yaml.in/yaml", "gotest.tools/", "github.com/go-analyze/", "github.com/go-fonts/", "github.com/golang/freetype",
	"github.com/go-resty/", "resty.dev/", "golang.org/x/net", "golang.org/x/sys", "golang.org/x/term"}

// Engine is everything below the user's code: the Go release, the architecture
// with the build settings that change numbers, and version and checksum of every
// module in the test binary, but for those that only assert, draw or talk. This
// module itself, where it has no version because it is being worked on, is the
// content of its packages. Features of the CPU are not part of it: a result is
// meant to hold on every machine, though its last bits may not.
func (r *Reader) Engine() ([]Ingredient, error) {
	if r.engine != nil {
		return r.engine, nil
	}
	all := []Ingredient{plain("Go", runtime.Version()), plain("GODEBUG", os.Getenv("GODEBUG")), plain("architecture", runtime.GOARCH)}
	for _, s := range r.info.Settings {
		if slices.Contains(buildSettings, s.Key) && s.Value != "" {
			all = append(all, plain("build setting "+s.Key, s.Value))
		}
	}
	modules, err := r.builtWith()
	if err != nil {
		return nil, err
	}
	r.engine = append(all, modules...)
	return r.engine, nil
}

// builtWith lists the modules that the main module requires.
func (r *Reader) builtWith() (all []Ingredient, err error) {
	if len(r.modules) == 0 {
		in, err := r.standIn("no go.mod of " + r.info.Main.Path + " found")
		return []Ingredient{in}, err
	}
	for _, m := range r.modules {
		if _, err := r.read(filepath.Join(m.dir, "go.mod")); err != nil {
			in, err := r.standIn(err.Error())
			return []Ingredient{in}, err
		}
	}
	art := r.modules[0].path == r.art
	for path, q := range r.requires {
		switch {
		case slices.ContainsFunc(bystanders, func(p string) bool { return strings.HasPrefix(path, p) }):
		case path == r.art && r.local(path):
			art = true
		case q.local != "": // others than the user's code may import it, too
			h := sha256.New()
			if err := r.hashTree(h, q.local, q.local, compiled); err != nil {
				in, err := r.standIn(err.Error())
				return []Ingredient{in}, err
			}
			all = append(all, Ingredient{Name: "module " + path, Digest: sum(h), Shown: "in a local folder"})
		case r.local(path): // of the workspace: source is read
		default:
			sum := r.sums[path+" "+q.version]
			if q.sum != "" {
				sum = q.sum
			}
			vendored, err := r.vendored(path)
			if err != nil {
				return nil, err
			}
			all = append(all, Ingredient{Name: "module " + path, Digest: digest(q.version, sum, vendored), Shown: q.version})
		}
	}
	if art {
		in, err := r.developed()
		if err != nil {
			return nil, err
		}
		all = append(all, in)
	}
	return all, nil
}

func (r *Reader) local(path string) bool {
	return slices.ContainsFunc(r.modules, func(m module) bool { return m.path == path })
}

// vendored is a digest of a module's files in the folder vendor, which nobody
// compares with the module's checksum; empty if there is no such folder.
func (r *Reader) vendored(path string) (string, error) {
	dir := filepath.Join(r.modules[0].dir, "vendor", filepath.FromSlash(path))
	if _, err := os.Stat(dir); err != nil {
		return "", nil
	}
	h := sha256.New()
	err := r.hashTree(h, dir, dir, nil)
	return sum(h), err
}

// compiled reports whether a file is a source of a package that can be imported.
func compiled(name string) bool {
	ext := filepath.Ext(name)
	return (ext == ".go" || ext == ".s" || ext == ".h" || ext == ".c") && !strings.HasSuffix(name, "_test.go")
}

// engineRoots are the packages of this module that a recipe is made of.
var engineRoots = []string{"arttest", "steps", "nn", "baselines", "datasets", "decorators", "metrics", "checks", "train", "record"}

// developed is the content of the packages of this module, comments and all: Go
// files that are not tests, and assembly.
func (r *Reader) developed() (Ingredient, error) {
	root := ""
	for _, m := range r.modules {
		if m.path == r.art {
			root = m.dir
		}
	}
	if root == "" {
		return r.standIn("the folder of " + r.art + " is not found")
	}
	seen, queue := map[string]bool{}, slices.Clone(engineRoots)
	var lines []string
	for len(queue) > 0 {
		pkg := queue[0]
		queue = queue[1:]
		if seen[pkg] {
			continue
		}
		seen[pkg] = true
		found, imports, err := r.contents(filepath.Join(root, filepath.FromSlash(pkg)), pkg)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r.standIn(err.Error())
		}
		lines, queue = append(lines, found...), append(queue, imports...)
	}
	slices.Sort(lines)
	return Ingredient{Name: "module " + r.art, Digest: digest(lines...), Shown: fmt.Sprintf("in development, %d files", len(lines))}, nil
}

// contents hashes the files of a folder and lists the packages of this module
// that they import.
func (r *Reader) contents(dir, pkg string) (lines, imports []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		name, ext := e.Name(), filepath.Ext(e.Name())
		if ext != ".go" && ext != ".s" && ext != ".h" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := r.read(filepath.Join(dir, name))
		if err != nil {
			return nil, nil, err
		}
		lines = append(lines, digest(pkg, name, string(text)))
		if ext != ".go" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly|parser.SkipObjectResolution)
		if err != nil {
			return nil, nil, err
		}
		for _, spec := range f.Imports {
			if rel, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), r.art+"/"); ok {
				imports = append(imports, rel)
			}
		}
	}
	return lines, imports, nil
}
