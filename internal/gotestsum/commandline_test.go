package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each row is the command line typed and the one gotestsum gets, given settings
// with a format, a junitfile, packages ./... and the go test flag -short.
func TestArguments(t *testing.T) {
	set := settings{
		flags:  []flag{{"format", "dots"}, {"junitfile", "r/a.xml"}, {"packages", "./..."}},
		goTest: []string{"-short"},
	}
	tests := []struct{ name, typed, want string }{
		{"nothing", "", "--format=dots --junitfile=r/a.xml --packages=./... -- -short"},
		{"flag replaces", "--format=testdox", "--format=testdox --junitfile=r/a.xml --packages=./... -- -short"},
		{"value apart", "--format testdox", "--format=testdox --junitfile=r/a.xml --packages=./... -- -short"},
		{"shorthand", "-f testdox", "--format=testdox --junitfile=r/a.xml --packages=./... -- -short"},
		{"flag adds", "--max-fails=2", "--format=dots --junitfile=r/a.xml --packages=./... --max-fails=2 -- -short"},
		{"bare toggle", "--no-color -- -race", "--format=dots --junitfile=r/a.xml --packages=./... --no-color=true -- -short -race"},
		{"bare rerun", "--rerun-fails --format=testdox", "--format=testdox --junitfile=r/a.xml --packages=./... --rerun-fails=2 -- -short"},
		{"packages replace", "-- ./record ./train", "--format=dots --junitfile=r/a.xml --packages=./record ./train -- -short"},
		{"packages without dashes", "./record -race", "--format=dots --junitfile=r/a.xml --packages=./record -- -short -race"},
		{"import path leads", "-- example.com/m/x -race", "--format=dots --junitfile=r/a.xml --packages=example.com/m/x -- -short -race"},
		{"packages behind flags", "-- -run TestA -race ./record", "--format=dots --junitfile=r/a.xml --packages=./record -- -short -run TestA -race"},
		{"pattern of import paths", "-- -race example.com/m/...", "--format=dots --junitfile=r/a.xml --packages=example.com/m/... -- -short -race"},
		{"path as a flag value", "-- -coverprofile=./c.out", "--format=dots --junitfile=r/a.xml --packages=./... -- -short -coverprofile=./c.out"},
		{"arguments of the test binary", "-- ./record -args ./data", "--format=dots --junitfile=r/a.xml --packages=./record -- -short -args ./data"},
		{"ours are not passed on", "-profile race --config=x.json -- -count=1", "--format=dots --junitfile=r/a.xml --packages=./... -- -short -count=1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			line, err := parseCommandLine(strings.Fields(tt.typed))
			require.NoError(t, err)
			assert.Equal(t, tt.want, strings.Join(arguments(set.merge(line)), " "))
		})
	}
	assert.Equal(t, flag{"format", "dots"}, set.flags[0], "merging must not change the settings")
}

func TestParseOurFlags(t *testing.T) {
	line, err := parseCommandLine([]string{"-profile", "race", "--config=a/b.json"})
	require.NoError(t, err)
	assert.Equal(t, commandLine{config: "a/b.json", profile: "race"}, line)

	line, err = parseCommandLine(nil)
	require.NoError(t, err)
	assert.Equal(t, commandLine{config: "gotestsum.json"}, line)
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ typed, want string }{
		{"-race", "-race: not a flag of gotestsum"},
		{"-race", "flags of go test stand behind --"},
		{"--fromat=dots", `--fromat=dots: not a flag of gotestsum (did you mean "format"?)`},
		{"--profil=race", `did you mean "profile"?`},
		{"-format=dots", "-format=dots: write it with two dashes, --format"},
		{"--raw-command", "--raw-command: not a flag of gotestsum"},
		{"--format", "--format: the value is missing"},
		{"-profile", "-profile: the value is missing"},
	}
	for _, tt := range tests {
		_, err := parseCommandLine(strings.Fields(tt.typed))
		assert.ErrorContains(t, err, tt.want)
	}
	for _, help := range []string{"-h", "--help"} {
		_, err := parseCommandLine([]string{help})
		assert.ErrorIs(t, err, errHelp)
	}
}
