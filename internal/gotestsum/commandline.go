package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/internal/suggest"
)

// commandLine is what the user typed.
type commandLine struct {
	config  string // the settings file
	profile string // "" is none
	flags   []flag // gotestsum's; packages named behind "--" are here as --packages
	goTest  []string
}

// parseCommandLine splits the arguments into ours, gotestsum's and go test's. As
// in gotestsum, the first word that is not a flag ends the flags, with or without
// "--" before it.
func parseCommandLine(args []string) (commandLine, error) {
	line := commandLine{config: "gotestsum.json"}
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			break
		}
		name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name == "h" || name == "help" {
			return line, errHelp
		}
		if arg[:min(2, len(arg))] != "--" && name == "f" {
			name = "format"
		} else if err := checkFlag(arg, name); err != nil {
			return line, err
		}
		if spec := known[name]; !given && (spec.kind == toggle || spec.bare) {
			value, given = bareValue(spec), true
		}
		if !given {
			if len(args) == 0 {
				return line, fmt.Errorf("%s: the value is missing", arg)
			}
			value, args = args[0], args[1:]
		}
		switch name {
		case "config":
			line.config = value
		case "profile":
			line.profile = value
		default:
			line.flags = with(line.flags, flag{name, value})
		}
	}
	packages, rest := splitPackages(args)
	if len(packages) > 0 {
		line.flags = with(line.flags, flag{"packages", strings.Join(packages, " ")})
	}
	line.goTest = rest
	return line, nil
}

// bareValue is what gotestsum takes a flag without a value to mean.
func bareValue(s spec) string {
	if s.kind == toggle {
		return "true"
	}
	return "2" // --rerun-fails alone: two attempts
}

// checkFlag refuses what is neither ours nor gotestsum's.
func checkFlag(arg, name string) error {
	if name == "config" || name == "profile" {
		return nil
	}
	if _, ok := known[name]; ok && strings.HasPrefix(arg, "--") {
		return nil
	} else if ok {
		return fmt.Errorf("%s: write it with two dashes, --%s", arg, name)
	}
	names := slices.Sorted(maps.Keys(known))
	return fmt.Errorf("%s: not a flag of gotestsum (%s); flags of go test stand behind --",
		arg, suggest.Hint(name, append(names, "config", "profile")))
}

// splitPackages takes the packages out of the arguments of go test. Behind -args
// everything belongs to the test binary.
func splitPackages(args []string) (packages, rest []string) {
	leading := true
	for i, a := range args {
		if a == "-args" || a == "--args" {
			return packages, append(rest, args[i:]...)
		}
		leading = leading && !strings.HasPrefix(a, "-")
		if leading || isPath(a) {
			packages = append(packages, a)
		} else {
			rest = append(rest, a)
		}
	}
	return packages, rest
}

// isPath tells whether a word is written as packages are, and as names of tests,
// durations and counts are not.
func isPath(word string) bool {
	return word == "." || word == ".." || strings.HasPrefix(word, "./") || strings.HasPrefix(word, "../") ||
		(strings.HasSuffix(word, "/...") && !strings.HasPrefix(word, "-"))
}

// merge lays the command line over the settings.
func (s settings) merge(line commandLine) (flags []flag, goTest []string) {
	flags = slices.Clone(s.flags)
	for _, f := range line.flags {
		flags = with(flags, f)
	}
	return flags, slices.Concat(s.goTest, line.goTest)
}
