package archtest

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Deps asks the go command what a package and all it imports link, tests left out.
func Deps(root, dir string) ([]string, error) {
	list := exec.Command("go", "list", "-deps", "./"+dir)
	list.Dir = root
	out, err := list.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(list.Args, " "), err, exit.Stderr)
	}
	return strings.Fields(string(out)), err
}

// checkDeps verifies that a package a recipe imports brings nothing unwanted along.
func checkDeps(dir string, deps []string, unwanted []Owner) []Failure {
	var failures []Failure
	for _, dep := range deps {
		if o, ok := ownerOf(dep, unwanted); ok {
			failures = append(failures, Failure{"user-binary", dir, "links " + dep,
				fmt.Sprintf("find the way with: go list -deps -f '{{.ImportPath}}: {{.Imports}}' ./%s | grep %s; %s", dir, dep, o.Why)})
		}
	}
	return failures
}
