package main

// kind is the JSON type of a setting.
type kind string

const (
	text   kind = "a string"
	count  kind = "a whole number"
	toggle kind = "true or false"
	list   kind = "a list of strings"
)

// spec describes one flag of gotestsum v1.13.0.
type spec struct {
	kind kind
	// separator joins the elements of a list on the command line.
	separator string
	// file marks the name of a file that gotestsum writes.
	file bool
	// bare marks a flag that may stand without a value although it takes one.
	bare bool
	// byHand marks flags that make sense on a command line but not in a file.
	byHand bool
}

// known holds, by name, every flag that the help of gotestsum v1.13.0 shows, but
// for --raw-command, which replaces the go test that all settings are about. It is
// read only; a test compares it with the help of the pinned version.
var known = map[string]spec{
	"debug":                          {kind: toggle, byHand: true},
	"format":                         {kind: text},
	"format-hide-empty-pkg":          {kind: toggle},
	"format-icons":                   {kind: text},
	"hide-summary":                   {kind: list, separator: ","},
	"jsonfile":                       {kind: text, file: true},
	"jsonfile-timing-events":         {kind: text, file: true},
	"junitfile":                      {kind: text, file: true},
	"junitfile-hide-empty-pkg":       {kind: toggle},
	"junitfile-hide-skipped-tests":   {kind: toggle},
	"junitfile-project-name":         {kind: text},
	"junitfile-testcase-classname":   {kind: text},
	"junitfile-testsuite-name":       {kind: text},
	"max-fails":                      {kind: count},
	"no-color":                       {kind: toggle},
	"packages":                       {kind: list, separator: " "},
	"post-run-command":               {kind: text},
	"rerun-fails":                    {kind: count, bare: true},
	"rerun-fails-abort-on-data-race": {kind: toggle},
	"rerun-fails-max-failures":       {kind: count},
	"rerun-fails-report":             {kind: text, file: true},
	"rerun-fails-run-root-test":      {kind: toggle},
	"version":                        {kind: toggle, byHand: true},
	"watch":                          {kind: toggle, byHand: true},
	"watch-chdir":                    {kind: toggle, byHand: true},
	"watch-clear":                    {kind: toggle, byHand: true},
}

// flag is a gotestsum flag with its value in the form the command line takes.
type flag struct{ name, value string }

// with returns flags with f in place of the flag of the same name, or at the end.
func with(flags []flag, f flag) []flag {
	for i := range flags {
		if flags[i].name == f.name {
			flags[i] = f
			return flags
		}
	}
	return append(flags, f)
}

// arguments writes flags and the arguments of go test as gotestsum reads them.
func arguments(flags []flag, goTest []string) []string {
	var args []string
	for _, f := range flags {
		args = append(args, "--"+f.name+"="+f.value)
	}
	return append(append(args, "--"), goTest...)
}
