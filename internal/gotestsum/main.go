// Gotestsum starts gotestsum with the settings of this project.
//
// Gotestsum takes flags and a few environment variables and reads no settings
// file. This program is the file's one reader: it decodes gotestsum.json, turns
// it into flags, and becomes gotestsum, at the version that tools/go.mod pins.
// `make test` and .ci/run start their tests through it:
//
//	go run ./internal/gotestsum [-config FILE] [-profile NAME] [gotestsum flags] [-- go test flags and packages]
//
// # The settings
//
// Each key of gotestsum.json is the name of a gotestsum flag, without dashes. A
// flag of one word is a JSON string, a count a number, a switch true or false,
// and what gotestsum takes as a list (hide-summary, packages) a list of strings.
// Two keys are ours:
//
//   - go-test-flags: a list of flags for go test, each "-name" or "-name=value".
//     -v and -json are refused: gotestsum sets -json itself, and -v on top of it
//     delays the result of every subtest to the end of its test and lets a line
//     that a test prints pass for an event of go test.
//   - profiles: named objects of the same keys but this one. With -profile NAME
//     each key of that profile replaces the same key outside it.
//
// An unknown key, a key given twice and a value of the wrong type are errors.
//
// # The command line
//
// A flag on the command line replaces the setting of the same name. Behind "--",
// words before the first flag, and words that are written as a path (".", "./...",
// "../x") or end in "/...", are packages and replace the list of the settings;
// everything else is handed to go test after go-test-flags. Write a flag value
// that is a path with "=": -coverprofile=./cover.out.
//
// The parent folders of report files are made before the tests start. Output,
// signals and exit code are gotestsum's own, since the process is: 0 when all tests
// passed, 1 or 2 from go test, 3 for a usage error of gotestsum, 2 for ours.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// usage is printed by -h, before what gotestsum itself can do.
const usage = `Starts gotestsum with the settings of gotestsum.json.

Usage: go run ./internal/gotestsum [-config FILE] [-profile NAME] [gotestsum flags] [-- go test flags and packages]

  -config FILE    the settings (default gotestsum.json in this folder)
  -profile NAME   a profile of the settings that replaces some of them
  -h              this text

A gotestsum flag (go tool -modfile=tools/go.mod gotestsum --help lists them) replaces the setting of its name.
`

// errHelp says that the command line asked for the usage.
var errHelp = errors.New("help wanted")

func main() {
	err := run(os.Args[1:])
	if errors.Is(err, errHelp) {
		fmt.Print(usage)
		return
	}
	fmt.Fprintln(os.Stderr, "gotestsum launcher:", err)
	os.Exit(2)
}

// run reads the settings, prepares the report folders and becomes gotestsum. It
// returns only when that could not be done, with the reason.
func run(args []string) error {
	line, err := parseCommandLine(args)
	if err != nil {
		return err
	}
	settings, err := readSettings(line.config, line.profile)
	if err != nil {
		return err
	}
	flags, goTest := settings.merge(line)
	if err := makeReportFolders(flags); err != nil {
		return err
	}
	tools := filepath.Join(filepath.Dir(line.config), "tools", "go.mod")
	return become(tools, arguments(flags, goTest))
}

// makeReportFolders creates the parent folder of each file that gotestsum is told
// to write: a folder that cannot be made should stop the run before the tests, not
// after them.
func makeReportFolders(flags []flag) error {
	for _, f := range flags {
		if !known[f.name].file || f.value == "" {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(f.value), 0o755); err != nil {
			return fmt.Errorf("--%s=%s: %w; name a file in a folder that can be written", f.name, f.value, err)
		}
	}
	return nil
}
