package archtest

import "fmt"

// Failure is one breach of a rule.
type Failure struct {
	Rule    string // name of the rule
	Where   string // file and line
	Problem string // what is wrong there
	Remedy  string // what to do
}

// String puts the failure on one line, in the form that editors jump to.
func (f Failure) String() string {
	return fmt.Sprintf("%s: %s: %s; %s", f.Where, f.Rule, f.Problem, f.Remedy)
}

// Rule is one rule over the source.
type Rule struct {
	Name  string
	Check func(*Tree) []Failure
}

// Rules are all rules over source, with the tables of this project.
func Rules() []Rule {
	return []Rule{
		{"imports", func(t *Tree) []Failure { return checkImports(t, Table) }},
		{"owners", func(t *Tree) []Failure { return checkOwners(t, Owners) }},
		{"testing", checkTesting},
		{"replace", checkReplace},
		{"package-comment", checkPackageComments},
		{"names", checkNames},
		{"file-length", func(t *Tree) []Failure { return checkFileLength(t, LongFiles) }},
		{"function-length", func(t *Tree) []Failure { return checkFunctionLength(t, LongFunctions) }},
		{"words", checkWords},
		{"random", checkRandom},
	}
}
