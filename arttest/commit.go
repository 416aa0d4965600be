package arttest

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// repository is the folder above a folder, or itself, that git keeps; "" if none.
func repository(dir string) string {
	for root := dir; ; root = filepath.Dir(root) {
		if _, err := os.Stat(filepath.Join(root, ".git")); err == nil {
			return root
		}
		if root == filepath.Dir(root) {
			return ""
		}
	}
}

// commit is the commit that is checked out above a folder, read from the files of
// git, which may not be installed; "" if there is none. For what was changed since
// see [uncommitted].
func commit(dir string) string {
	root := repository(dir)
	if root == "" {
		return ""
	}
	git := filepath.Join(root, ".git")
	if text := line(git); strings.HasPrefix(text, "gitdir: ") { // a worktree or a submodule
		if git = strings.TrimPrefix(text, "gitdir: "); !filepath.IsAbs(git) {
			git = filepath.Join(root, git)
		}
	}
	head := line(filepath.Join(git, "HEAD"))
	ref, ok := strings.CutPrefix(head, "ref: ")
	if !ok {
		return hash(head)
	}
	shared := git
	if c := line(filepath.Join(git, "commondir")); c != "" {
		if shared = c; !filepath.IsAbs(c) {
			shared = filepath.Join(git, c)
		}
	}
	for _, folder := range []string{git, shared} {
		if h := hash(line(filepath.Join(folder, filepath.FromSlash(ref)))); h != "" {
			return h
		}
	}
	packed, err := os.ReadFile(filepath.Join(shared, "packed-refs"))
	if err != nil {
		return ""
	}
	for text := range strings.Lines(string(packed)) {
		if h, name, ok := strings.Cut(strings.TrimSpace(text), " "); ok && name == ref {
			return hash(h)
		}
	}
	return ""
}

// line is a file of one line, "" if it cannot be read.
func line(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// hash is a name of a commit, or "" if the text is none.
func hash(text string) string {
	if raw, err := hex.DecodeString(text); err != nil || len(raw) != 20 && len(raw) != 32 {
		return ""
	}
	return text
}

// checksum is that of a file, short, "" if it cannot be read.
func checksum(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// processor is the name of the CPU, its architecture where the system does not say.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for l := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(l, ":")
		switch strings.TrimSpace(name) {
		case "model name", "cpu model", "Hardware":
			if ok && strings.TrimSpace(value) != "" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
