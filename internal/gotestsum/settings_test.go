package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const example = `{
  "format": "testname",
  "hide-summary": ["skipped", "output"],
  "junitfile": "reports/short.xml",
  "no-color": true,
  "rerun-fails": 0,
  "packages": ["./...", "./cmd/..."],
  "go-test-flags": ["-short"],
  "profiles": {
    "race": {"junitfile": "reports/race.xml", "max-fails": 3, "go-test-flags": ["-race", "-timeout=5m"]},
    "bare": {"go-test-flags": []}
  }
}`

func TestDecode(t *testing.T) {
	top := []flag{
		{"format", "testname"},
		{"hide-summary", "skipped,output"},
		{"junitfile", "reports/short.xml"},
		{"no-color", "true"},
		{"rerun-fails", "0"},
		{"packages", "./... ./cmd/..."},
	}
	race := append(append([]flag{}, top...), flag{"max-fails", "3"})
	race[2].value = "reports/race.xml"
	tests := []struct {
		name, json, profile string
		flags               []flag
		goTest              []string
	}{
		{"empty object", `{}`, "", nil, nil},
		{"no profile", example, "", top, []string{"-short"}},
		{"profile replaces and adds", example, "race", race, []string{"-race", "-timeout=5m"}},
		{"empty list replaces", example, "bare", top, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := decode([]byte(tt.json), tt.profile)
			require.NoError(t, err)
			assert.Equal(t, tt.flags, s.flags)
			assert.Equal(t, tt.goTest, s.goTest)
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	tests := []struct{ name, json, profile, want string }{
		{"misspelt key", `{"junit-files": "x"}`, "", `key "junit-files": not a setting; did you mean "junitfile"?`},
		{"unlike any key", `{"colour": "x"}`, "", `key "colour": not a setting; there are format, format-hide-empty-pkg`},
		{"only by hand", `{"watch": true}`, "", `key "watch": not a setting;`},
		{"misspelt in a profile", `{"profiles": {"race": {"max-fail": 1}}}`, "", `profile "race": key "max-fail": not a setting; did you mean "max-fails"?`},
		{"mistake in a profile not chosen", `{"profiles": {"a": {}, "b": {"format": 1}}}`, "a", `profile "b": key "format"`},
		{"profile in a profile", `{"profiles": {"a": {"profiles": {}}}}`, "", `key "profiles": not a setting`},
		{"unknown profile", example, "rase", `no profile "rase"; did you mean "race"?`},
		{"profile where there are none", `{}`, "race", `no profile "race"; there are none`},
		{"string for a count", `{"rerun-fails": "two"}`, "", `key "rerun-fails": want a whole number, got "two" (a string)`},
		{"fraction for a count", `{"max-fails": 1.5}`, "", `want a whole number, got 1.5 (a number)`},
		{"negative count", `{"max-fails": -1}`, "", `want a whole number, got -1`},
		{"number for a string", `{"format": 7}`, "", `key "format": want a string, got 7 (a number)`},
		{"null for a string", `{"format": null}`, "", `want a string, got null`},
		{"string for a toggle", `{"no-color": "yes"}`, "", `want true or false, got "yes" (a string)`},
		{"string for a list", `{"packages": "./..."}`, "", `want a list of strings, got "./..." (a string)`},
		{"null for a list", `{"packages": null}`, "", `want a list of strings, got null`},
		{"mixed list", `{"packages": ["./...", 3]}`, "", `want a list of strings, got ["./...", 3] (a list)`},
		{"null in a list", `{"packages": ["./...", null]}`, "", `element 1: want a word, got nothing`},
		{"two packages in one", `{"packages": ["./a ./b"]}`, "", `element 0: "./a ./b" contains " "; make it two elements`},
		{"-v", `{"go-test-flags": ["-v"]}`, "", `remove "-v": gotestsum sets -json itself`},
		{"-test.v=true", `{"go-test-flags": ["-test.v=true"]}`, "", `remove "-test.v=true"`},
		{"--json", `{"go-test-flags": ["--json"]}`, "", `remove "--json"`},
		{"value apart from its flag", `{"go-test-flags": ["-run", "TestA"]}`, "", `"TestA" is not a flag; write a flag and its value as one element`},
		{"twice", "{\"format\": \"dots\",\n\"format\": \"testdox\"}", "", `key "format": given twice; keep one`},
		{"not an object", `[]`, "", `want an object { … }, got [] (a list)`},
		{"nothing", ``, "", `want an object { … }, got nothing`},
		{"missing comma", "{\"format\": \"dots\"\n\"no-color\": true}", "", `line 2: `},
		{"cut short", "{\n\"format\": \"dots\"", "", `line 2: `},
		{"text after", "{}\n{}", "", `line 2: text after the closing brace`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := decode([]byte(tt.json), tt.profile)
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestReadSettings(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "gotestsum.json")
	_, err := readSettings(missing, "")
	assert.ErrorContains(t, err, "no settings "+missing)
	assert.ErrorContains(t, err, "name the file with -config")

	require.NoError(t, os.WriteFile(missing, []byte(`{"max-fails": true}`), 0o644))
	_, err = readSettings(missing, "")
	assert.EqualError(t, err, `gotestsum.json: key "max-fails": want a whole number, got true`)
}

// The settings of this project must decode with each of their profiles.
func TestOurSettings(t *testing.T) {
	file := filepath.Join("..", "..", "gotestsum.json")
	for _, profile := range []string{"", "race", "long"} {
		s, err := readSettings(file, profile)
		require.NoError(t, err)
		assert.Contains(t, s.flags, flag{"packages", "./..."})
	}
}

// FuzzDecode looks for input that panics or that is accepted and yet yields a flag
// gotestsum does not have.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(example), "race")
	f.Add([]byte(`{"profiles": {"": {}}}`), "")
	f.Fuzz(func(t *testing.T, data []byte, profile string) {
		s, err := decode(data, profile)
		if err != nil {
			return
		}
		for _, fl := range s.flags {
			if known[fl.name].kind == "" {
				t.Fatalf("accepted %q", fl.name)
			}
		}
	})
}
