package arttest

import (
	"os"
	"path/filepath"
	"time"
)

// uncachedFile lies in the folder .art of the module.
const uncachedFile = "uncached"

// keepUncached keeps go test from answering "(cached)" without running the test:
// the go command knows the files that a test opened, but only those inside the
// module, so that it would not see that data elsewhere changed, or that runs were
// deleted. It does not cache a test that opened a file younger than 2 seconds, so
// every recipe opens one that will be that young for ever.
//
// Where the file cannot be made, the answer of go test may be an old one.
func keepUncached(module, root string) {
	folder := filepath.Join(module, ".art")
	if rel, err := filepath.Rel(module, root); err == nil && filepath.IsLocal(rel) {
		folder = root
	}
	file := filepath.Join(folder, uncachedFile)
	if f, err := os.Open(file); err == nil {
		stat, err := f.Stat()
		_ = f.Close() // only read
		if err == nil && stat.ModTime().After(time.Now().AddDate(0, 1, 0)) {
			return
		}
	}
	if os.MkdirAll(folder, 0o755) != nil || ignored(folder) != nil {
		return
	}
	const text = "The date of this file lies in the future, so that go test runs recipes always\nand never answers (cached). It may be deleted.\n"
	if os.WriteFile(file, []byte(text), 0o644) == nil {
		future := time.Now().AddDate(50, 0, 0)
		_ = os.Chtimes(file, future, future) // a young file does for a test that is quick
	}
}
