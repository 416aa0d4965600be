package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// checkPackageComments verifies that each package has one package comment of more
// than a line. In a package of tests alone a test file carries it.
func checkPackageComments(t *Tree) []Failure {
	packages := map[string][]*File{}
	var dirs []string
	for _, f := range t.Files {
		if packages[f.Dir()] == nil {
			dirs = append(dirs, f.Dir())
		}
		packages[f.Dir()] = append(packages[f.Dir()], f)
	}
	var failures []Failure
	for _, dir := range dirs {
		files := slices.DeleteFunc(slices.Clone(packages[dir]), func(f *File) bool { return f.Test })
		if len(files) == 0 {
			files = packages[dir]
		}
		var first *File
		for _, f := range files {
			switch {
			case f.Generated || f.Syntax.Doc == nil:
			case first != nil:
				failures = append(failures, Failure{"package-comment", f.At(f.Syntax.Package), "second package comment, the first is in " + first.Path,
					"merge them; set a remark on one file apart from the package clause by a blank line"})
			default:
				first = f
				if strings.Count(strings.TrimSpace(f.Syntax.Doc.Text()), "\n") == 0 {
					failures = append(failures, Failure{"package-comment", f.At(f.Syntax.Package), "package comment of one line",
						"say what the package is for, where it stands in the flow and which packages are its neighbours"})
				}
			}
		}
		if first == nil {
			failures = append(failures, Failure{"package-comment", dir, "no package comment",
				"write one above the package clause of the main file, or in doc.go if it is longer than a screen"})
		}
	}
	return failures
}

// banned are names that say nothing of what is inside.
var banned = []string{"util", "utils", "common", "helper", "helpers", "types", "misc"}

// checkNames refuses folders and files named for nothing.
func checkNames(t *Tree) []Failure {
	var failures []Failure
	seen := map[string]bool{}
	for _, f := range t.Files {
		stem := strings.TrimSuffix(path.Base(f.Path), ".go")
		names := append(strings.Split(f.Dir(), "/"), strings.Split(stem, "_")...)
		for _, name := range names {
			where := f.Path
			if slices.Contains(strings.Split(f.Dir(), "/"), name) {
				where = f.Dir()
			}
			if slices.Contains(banned, strings.ToLower(name)) && !seen[where+name] {
				seen[where+name] = true
				failures = append(failures, Failure{"names", where, fmt.Sprintf("the name %q says nothing", name),
					"name it for the one concept it holds; if there is none, move the code to who uses it"})
			}
		}
	}
	return failures
}

// checkFileLength lists non-test files that are too long, but for the allowed ones.
func checkFileLength(t *Tree, allowed map[string]string) []Failure {
	var failures []Failure
	needed := map[string]bool{}
	for _, f := range t.Files {
		if f.Test || f.Generated || f.Lines() <= MaxFileLines {
			continue
		}
		needed[f.Path] = true
		if allowed[f.Path] == "" {
			failures = append(failures, Failure{"file-length", f.Path, fmt.Sprintf("%d lines, at most %d", f.Lines(), MaxFileLines),
				"split it by concept, or give a reason in LongFiles in internal/archtest/table.go"})
		}
	}
	return append(failures, stale("file-length", "LongFiles", allowed, needed)...)
}

// checkFunctionLength lists non-test functions that are too long, from func to the
// closing brace, but for the allowed ones.
func checkFunctionLength(t *Tree, allowed map[string]string) []Failure {
	var failures []Failure
	needed := map[string]bool{}
	for _, f := range t.Files {
		if f.Test || f.Generated {
			continue
		}
		for _, d := range f.Syntax.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := f.Line(fn.End()) - f.Line(fn.Pos()) + 1
			if lines <= MaxFuncLines {
				continue
			}
			key := f.Path + ": " + fn.Name.Name
			needed[key] = true
			if allowed[key] == "" {
				failures = append(failures, Failure{"function-length", f.At(fn.Pos()), fmt.Sprintf("%s has %d lines, at most %d", fn.Name.Name, lines, MaxFuncLines),
					"split it by what its parts do, or give a reason in LongFunctions in internal/archtest/table.go"})
			}
		}
	}
	return append(failures, stale("function-length", "LongFunctions", allowed, needed)...)
}

// stale lists the exceptions that nothing needs any more.
func stale(rule, list string, allowed map[string]string, needed map[string]bool) []Failure {
	var failures []Failure
	for key := range allowed {
		if !needed[key] {
			failures = append(failures, Failure{rule, "internal/archtest/table.go", fmt.Sprintf("%s allows %s, which is not too long", list, key),
				"delete the row"})
		}
	}
	slices.SortFunc(failures, func(a, b Failure) int { return strings.Compare(a.Problem, b.Problem) })
	return failures
}

// unfinished matches the marks of work put off; it is spelt so as not to match here.
var unfinished = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b`)

// checkWords refuses notes on unfinished work in Go files, tests included.
func checkWords(t *Tree) []Failure {
	var failures []Failure
	for _, f := range t.Files {
		for n, line := range strings.Split(f.Text, "\n") {
			if word := unfinished.FindString(line); word != "" {
				failures = append(failures, Failure{"words", fmt.Sprintf("%s:%d", f.Path, n+1), "the word " + word,
					"do it now, or open an issue and delete the note"})
			}
		}
	}
	return failures
}
