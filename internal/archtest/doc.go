// Package archtest keeps the rules of the house: which package may import which,
// who owns an outside dependency, how long files and functions may be, what must be
// documented and which words are banned.
//
// table.go is the part to edit: the import table of docs/design.md and the lists of
// exceptions, each with its reason. Load reads the source of all modules of the
// repository, without building it and whatever the build tags say; each rule is a
// function from that Tree to Failures, which name the rule, the place and the
// remedy. The test of this package runs all rules over this repository and each over
// small trees in testdata that break it. Nothing imports this package.
package archtest
