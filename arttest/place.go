package arttest

import (
	"os"
	"path/filepath"
)

// place is where the test is: go test runs it in the folder of its package.
type place struct {
	// module is the folder of the nearest go.mod above the package, or the
	// package's own if there is none.
	module string
	// pkg is the package as go test takes it in the module's folder: "./models".
	pkg string
}

func findPlace() place {
	dir, err := os.Getwd()
	if err != nil {
		return place{module: ".", pkg: "."}
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			rel, err := filepath.Rel(d, dir)
			if err != nil || rel == "." {
				return place{module: d, pkg: "."}
			}
			return place{module: d, pkg: "./" + filepath.ToSlash(rel)}
		}
		if d == filepath.Dir(d) {
			return place{module: dir, pkg: "."}
		}
	}
}
