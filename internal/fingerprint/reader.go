package fingerprint

import (
	"crypto/sha256"
	"errors"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"
)

// artPath is the module of this package, whose packages are the engine.
const artPath = "github.com/actually-robust-training/art"

// Reader reads the source of the running test. It keeps what it parsed, so later
// steps are cheap; it is used by one goroutine at a time.
type Reader struct {
	info     *debug.BuildInfo
	art      string
	binary   string    // path of the executable
	built    time.Time // when it was linked: source that is newer is not what runs
	stands   string    // digest of the executable, when it was needed
	modules  []module
	requires map[string]requirement // by module path
	sums     map[string]string      // by module path and version
	fset     *token.FileSet
	packages map[string]*pkg
	standard string // folder of the standard library's source

	engine []Ingredient // found once
}

// NewReader looks at the running executable and at the module around the working
// folder, which go test makes that of the package under test.
func NewReader() (*Reader, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	binary, err := os.Executable()
	if err != nil {
		return nil, err
	}
	stat, err := os.Stat(binary)
	if err != nil {
		return nil, err
	}
	r := &Reader{info: info, art: artPath, binary: binary, built: stat.ModTime(), fset: token.NewFileSet(), packages: map[string]*pkg{},
		requires: map[string]requirement{}, sums: map[string]string{}}
	if dir, err := os.Getwd(); err == nil {
		r.find(dir)
	}
	if file := placeOf(funcPC(io.Copy)).file; filepath.IsAbs(file) {
		r.standard = filepath.Dir(filepath.Dir(file)) + string(filepath.Separator)
	}
	return r, nil
}

// find sets the modules if dir is in the module that was built.
func (r *Reader) find(dir string) {
	if r.info.Main.Path == "" {
		return
	}
	if root := above(dir, "go.mod"); root != "" && readModule(root).path == r.info.Main.Path {
		r.modules = r.modulesOf(root)
	}
}

// origin is where a file of the binary came from.
type origin int

const (
	unknown   origin = iota // cannot be told: the binary must stand for it
	users                   // source to be read
	enginePkg               // this module
	versioned               // the standard library, or a module with a version
)

func (r *Reader) origin(file string) origin {
	if r.standard != "" && strings.HasPrefix(file, r.standard) || strings.Contains(file, "@v") {
		return versioned
	}
	if !filepath.IsAbs(file) {
		return unknown
	}
	m, ok := r.moduleOf(file)
	if !ok { // the working folder may go by another name, or be elsewhere
		r.find(filepath.Dir(file))
		m, ok = r.moduleOf(file)
	}
	switch {
	case !ok:
		return unknown
	case strings.HasPrefix(file, filepath.Join(m.dir, "vendor")+string(filepath.Separator)):
		return versioned
	case m.path == r.art && !strings.HasSuffix(file, "_test.go"):
		return enginePkg
	}
	return users
}

// moduleOf is the innermost module that a file is in.
func (r *Reader) moduleOf(file string) (found module, ok bool) {
	for _, m := range r.modules {
		if strings.HasPrefix(file, m.dir+string(filepath.Separator)) && len(m.dir) > len(found.dir) {
			found, ok = m, true
		}
	}
	return found, ok
}

// isEngine reports whether an import is one of this module's packages.
func (r *Reader) isEngine(importPath string) bool {
	if importPath != r.art && !strings.HasPrefix(importPath, r.art+"/") {
		return false
	}
	for _, m := range r.modules {
		if len(m.path) > len(r.art) && (importPath == m.path || strings.HasPrefix(importPath, m.path+"/")) {
			return false
		}
	}
	return true
}

// standIn is the ingredient for code whose source cannot be read.
func (r *Reader) standIn(why string) (Ingredient, error) {
	if r.stands == "" {
		f, err := os.Open(r.binary)
		if err != nil {
			return Ingredient{}, errors.Join(errors.New("neither source nor test binary can be read: "+why), err)
		}
		defer func() { _ = f.Close() }()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return Ingredient{}, err
		}
		r.stands = sum(h)
	}
	return Ingredient{Name: "test binary", Digest: r.stands, Shown: "source not found (" + why + "): the test binary stands for it"}, nil
}
