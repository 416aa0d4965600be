package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// testSupport tells whether a folder is a conformance suite for its parent, as
// record/recordtest is: imported by tests alone, so test code although its files
// are not named so.
func testSupport(dir string) bool {
	return path.Base(dir) == path.Base(path.Dir(dir))+"test"
}

// checkImports compares the imports between packages of the root module with the
// table. Examples stand for users: they may not import internal packages.
func checkImports(t *Tree, table []Row) []Failure {
	rows := map[string]Row{}
	for _, row := range table {
		rows[row.Package] = row
	}
	var failures []Failure
	reported := map[string]bool{}
	for _, f := range t.Root() {
		dir := f.Dir()
		row, ok := rows[dir]
		if !ok && !reported[dir] {
			reported[dir] = true
			failures = append(failures, Failure{"imports", dir, "package has no row in the import table",
				"add it to Table in internal/archtest/table.go and to docs/design.md, with as few imports as it can do with"})
		}
		for _, i := range f.Imports() {
			switch {
			case i.Ours == "" || !ok:
			case f.Test && dir == "examples_test" && strings.HasPrefix(i.Ours, "internal/"):
				failures = append(failures, Failure{"imports", i.At, "an example imports " + i.Ours,
					"write it with what a user can import"})
			case f.Test || i.Ours == dir || slices.Contains(row.Imports, i.Ours):
			default:
				failures = append(failures, Failure{"imports", i.At, fmt.Sprintf("%s imports %s", dir, i.Ours),
					fmt.Sprintf("%s may import %s: declare what it needs as an interface or a function field, or argue for the arrow in docs/design.md and add it to Table",
						dir, orNothing(row.Imports))})
			}
		}
	}
	return failures
}

// orNothing lists words for a sentence.
func orNothing(words []string) string {
	if len(words) == 0 {
		return "nothing of ours"
	}
	return strings.Join(words, ", ")
}

// checkOwners verifies that the non-test code of the root module imports an outside
// module from its owners or, if it has no row, from one package.
func checkOwners(t *Tree, owners []Owner) []Failure {
	var failures []Failure
	first := map[string]Import{} // by module without a row
	user := map[string]string{}  // the package of that import
	for _, f := range t.Root() {
		if f.Test || testSupport(f.Dir()) {
			continue
		}
		for _, i := range f.Imports() {
			if i.Ours != "" || !strings.Contains(strings.Split(i.Path, "/")[0], ".") {
				continue // ours, or of the standard library
			}
			if o, ok := ownerOf(i.Path, owners); ok {
				if !slices.Contains(o.Packages, f.Dir()) {
					failures = append(failures, Failure{"owners", i.At, fmt.Sprintf("%s imports %s", f.Dir(), i.Path),
						fmt.Sprintf("%s may import %s: %s", onlyFrom(o.Packages), o.Module, o.Why)})
				}
				continue
			}
			module := moduleOf(i.Path, t.Mods[0].Requires)
			if u, ok := user[module]; !ok {
				user[module], first[module] = f.Dir(), i
			} else if u != f.Dir() {
				failures = append(failures, Failure{"owners", i.At, fmt.Sprintf("%s imports %s, and so does %s (%s)", f.Dir(), module, u, first[module].At),
					"a dependency has one importing package: use it through that one, or add a row with a reason to Owners in internal/archtest/table.go"})
			}
		}
	}
	return failures
}

// ownerOf returns the row of an import path.
func ownerOf(to string, owners []Owner) (Owner, bool) {
	for _, o := range owners {
		if within(to, o.Module) {
			return o, true
		}
	}
	return Owner{}, false
}

// within tells whether an import path is a module or lies below it.
func within(to, module string) bool {
	return to == module || strings.HasPrefix(to, module+"/")
}

// moduleOf returns the longest required module that an import path lies in, or the
// path itself.
func moduleOf(to string, requires []string) string {
	best := ""
	for _, module := range requires {
		if within(to, module) && len(module) > len(best) {
			best = module
		}
	}
	if best == "" {
		return to
	}
	return best
}

// onlyFrom begins the sentence on who may import a module.
func onlyFrom(packages []string) string {
	if len(packages) == 0 {
		return "only test code"
	}
	return "outside of tests only " + strings.Join(packages, " and ")
}

// checkTesting verifies that only the front door and conformance suites link the
// testing package into a program.
func checkTesting(t *Tree) []Failure {
	var failures []Failure
	for _, f := range t.Root() {
		if f.Test || f.Dir() == "arttest" || testSupport(f.Dir()) {
			continue
		}
		for _, i := range f.Imports() {
			if within(i.Path, "testing") {
				failures = append(failures, Failure{"testing", i.At, fmt.Sprintf("%s imports %s in non-test code", f.Dir(), i.Path),
					"return an error or a verdict; only arttest and the …test suites hold a *testing.T"})
			}
		}
	}
	return failures
}

// checkReplace refuses replace directives, which users of a module do not get.
func checkReplace(t *Tree) []Failure {
	var failures []Failure
	for _, m := range t.Mods {
		for _, line := range m.Replaces {
			failures = append(failures, Failure{"replace", fmt.Sprintf("%s:%d", m.File(), line), "go.mod replaces a module",
				"require a released version: a replacement does not reach those who import this module"})
		}
	}
	return failures
}
