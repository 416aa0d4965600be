package arttest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Asking git what was changed takes some milliseconds; a repository in which it takes
// longer than this goes without.
const gitPatience = time.Second

// uncommitted says what differs from the commit that is checked out above a folder:
// "clean", or the number of files and a hash of them, changed ones and new Go
// files. It is "" where there is no repository, no git, or no answer in time.
func uncommitted(dir string, patience time.Duration) string {
	root := repository(dir)
	if root == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	git := exec.CommandContext(ctx, "git", "--no-optional-locks", "-c", "core.fsmonitor=false",
		"status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames")
	git.Dir, git.WaitDelay = root, patience/10
	out, err := git.Output()
	if err != nil {
		return ""
	}
	sum, files := sha256.New(), 0
	for entry := range bytes.SplitSeq(out, []byte{0}) { // "XY path", X and Y say how it differs
		if len(entry) < 4 {
			continue
		}
		state, path := string(entry[:2]), string(entry[3:])
		if state == "??" && !strings.HasSuffix(path, ".go") {
			continue
		}
		files++
		_, _ = fmt.Fprintf(sum, "%s %d %s\n", state, len(path), path) // a hash takes all
		addFile(sum, filepath.Join(root, filepath.FromSlash(path)))
	}
	if files == 0 {
		return "clean"
	}
	return fmt.Sprintf("%s, %s", count(files, "file"), hex.EncodeToString(sum.Sum(nil)[:8]))
}

// addFile adds the content of a file to a hash, of a large one size and date.
func addFile(sum io.Writer, name string) {
	const large = 16 << 20
	stat, err := os.Lstat(name)
	switch {
	case err != nil:
		return // deleted
	case !stat.Mode().IsRegular() || stat.Size() > large:
		_, _ = fmt.Fprintln(sum, stat.Mode(), stat.Size(), stat.ModTime().UnixNano())
		return
	}
	f, err := os.Open(name)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	_, _ = fmt.Fprintln(sum, stat.Mode(), stat.Size())
	_, _ = io.Copy(sum, f) // what cannot be read is not of the state either
}
