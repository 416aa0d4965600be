package archtest

import (
	"fmt"
	"path"
	"strings"
)

// Mod is what the rules need of a go.mod file.
type Mod struct {
	Dir      string // folder of go.mod, relative to the root
	Path     string // module path
	Requires []string
	Replaces []int // line numbers of replace directives
}

// File is the path of the go.mod file.
func (m *Mod) File() string { return path.Join(m.Dir, "go.mod") }

// parseMod reads the directives of a go.mod file, alone on a line or in a block.
func parseMod(dir, text string) (*Mod, error) {
	mod := &Mod{Dir: dir}
	block := ""
	for i, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			continue
		case words[0] == ")":
			block = ""
			continue
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		case block != "":
			words = append([]string{block}, words...)
		}
		if len(words) < 2 {
			return nil, fmt.Errorf("%s:%d: directive %q has no value", mod.File(), i+1, words[0])
		}
		switch words[0] {
		case "module":
			mod.Path = strings.Trim(words[1], `"`)
		case "require":
			mod.Requires = append(mod.Requires, words[1])
		case "replace":
			mod.Replaces = append(mod.Replaces, i+1)
		}
	}
	if mod.Path == "" {
		return nil, fmt.Errorf("%s: no module line", mod.File())
	}
	return mod, nil
}
