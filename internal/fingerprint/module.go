package fingerprint

import (
	"os"
	"path/filepath"
	"strings"
)

// module is a tree of packages whose source is read: the module under test, or one
// that stands beside it in a local folder.
type module struct {
	path, dir string
	goLine    string // language version and debug settings of go.mod
}

// requirement is a module that the main module is built with.
type requirement struct {
	version, sum string
	local        string // its folder, when it is replaced by one
}

// modulesOf finds the module above dir, and those that it uses from local
// folders by replace or go.work. The build information of a test binary does not
// list the modules in it, so versions are those of go.mod.
func (r *Reader) modulesOf(root string) []module {
	main := readModule(root)
	all := []module{main}
	if work := above(root, "go.work"); work != "" && os.Getenv("GOWORK") != "off" {
		for _, use := range directive(filepath.Join(work, "go.work"), "use") {
			if used := readModule(resolve(work, use)); used.path != "" && used.path != main.path {
				all = append(all, used)
			}
		}
		r.readSums(filepath.Join(work, "go.work.sum"))
		r.readReplaces(filepath.Join(work, "go.work"))
	}
	for _, m := range all {
		r.readRequires(filepath.Join(m.dir, "go.mod"))
		r.readSums(filepath.Join(m.dir, "go.sum"))
	}
	r.readReplaces(filepath.Join(root, "go.mod"))
	for path, q := range r.requires {
		if q.local != "" {
			all = append(all, module{path: path, dir: q.local, goLine: readModule(q.local).goLine})
		}
	}
	return all
}

// readRequires takes the higher of two versions, as texts: which one it is does
// not matter, only that another one shows.
func (r *Reader) readRequires(file string) {
	for _, line := range directive(file, "require") {
		if f := strings.Fields(line); len(f) == 2 {
			q := r.requires[f[0]]
			q.version = max(q.version, f[1])
			r.requires[f[0]] = q
		}
	}
}

func (r *Reader) readReplaces(file string) {
	for _, line := range directive(file, "replace") {
		from, to, ok := strings.Cut(line, "=>")
		f, t := strings.Fields(from), strings.Fields(to)
		if !ok || len(f) == 0 || len(t) == 0 {
			continue
		}
		q, known := r.requires[f[0]]
		if !known || len(f) == 2 && f[1] != q.version {
			continue
		}
		if len(t) == 1 {
			q = requirement{local: resolve(filepath.Dir(file), t[0])}
		} else {
			q = requirement{version: t[0] + " " + t[1], sum: r.sums[t[0]+" "+t[1]]}
		}
		r.requires[f[0]] = q
	}
}

func (r *Reader) readSums(file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) == 3 {
			r.sums[f[0]+" "+f[1]] = f[2]
		}
	}
}

// folder is where the source of a package is, "" for packages of the standard
// library and of modules with a version.
func (r *Reader) folder(importPath string) string {
	best, dir := "", ""
	for _, m := range r.modules {
		rest, ok := strings.CutPrefix(importPath, m.path)
		if ok && m.path != "" && len(m.path) > len(best) && (rest == "" || rest[0] == '/') {
			best, dir = m.path, filepath.Join(m.dir, filepath.FromSlash(rest))
		}
	}
	if dir == "" || r.versioned(importPath, len(best)) {
		return ""
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// versioned reports whether a package belongs to a module of the build list with a
// version, whose path is longer than that of the local module it seemed to be in.
func (r *Reader) versioned(importPath string, longerThan int) bool {
	for path, q := range r.requires {
		rest, ok := strings.CutPrefix(importPath, path)
		if ok && q.local == "" && !r.local(path) && len(path) > longerThan && (rest == "" || rest[0] == '/') {
			return true
		}
	}
	return false
}

// importPath is the path of a folder, as far as it is inside a known module.
func (r *Reader) importPath(dir string) string {
	best, path := -1, ""
	for _, m := range r.modules {
		rel, err := filepath.Rel(m.dir, dir)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) && len(m.dir) > best {
			best, path = len(m.dir), strings.TrimSuffix(m.path+"/"+filepath.ToSlash(rel), "/.")
		}
	}
	return path
}

// above is the nearest folder from dir upwards that has the file, "" for none.
func above(dir, file string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

func resolve(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, filepath.FromSlash(path))
}

func readModule(dir string) module {
	file := filepath.Join(dir, "go.mod")
	m := module{dir: dir}
	if paths := directive(file, "module"); len(paths) > 0 {
		m.path = paths[0]
	}
	m.goLine = strings.Join(append(directive(file, "go"), directive(file, "godebug")...), " ")
	return m
}

// directive lists the arguments of one directive of a go.mod or go.work file.
func directive(file, name string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	var values []string
	inside := false
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "//")
		line = strings.TrimSpace(line)
		rest, ok := strings.CutPrefix(line, name)
		switch {
		case inside && line == ")":
			inside = false
		case inside && line != "":
			values = append(values, strings.Trim(line, "\"`"))
		case ok && strings.TrimSpace(rest) == "(":
			inside = true
		case ok && rest != "" && (rest[0] == ' ' || rest[0] == '\t'):
			values = append(values, strings.Trim(strings.TrimSpace(rest), "\"`"))
		}
	}
	return values
}
