package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/actually-robust-training/art/internal/suggest"
)

// settings is what gotestsum.json says once a profile is chosen.
type settings struct {
	// flags are gotestsum's, in the order of the file, each name once.
	flags []flag
	// goTest are the flags of go test.
	goTest []string
	// profiles are the undecoded objects under "profiles", by name.
	profiles map[string]json.RawMessage
}

// readSettings reads the file and lays the profile over it; profile "" is none.
func readSettings(file, profile string) (settings, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		here, _ := os.Getwd()
		return settings{}, fmt.Errorf("no settings %s in %s; start at the root of the module, or name the file with -config", file, here)
	}
	if err != nil {
		return settings{}, err
	}
	s, err := decode(data, profile)
	if err != nil {
		return settings{}, fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	return s, nil
}

// decode reads the settings and lays the profile over them. All profiles are
// decoded, so that a mistake in one shows in every run.
func decode(data []byte, profile string) (settings, error) {
	var s settings
	if err := s.read(data, true); err != nil {
		return settings{}, err
	}
	names := slices.Sorted(maps.Keys(s.profiles))
	if profile != "" && !slices.Contains(names, profile) {
		return settings{}, fmt.Errorf("no profile %q; %s", profile, suggest.Hint(profile, names))
	}
	for _, name := range names {
		var p settings
		if err := p.read(s.profiles[name], false); err != nil {
			return settings{}, fmt.Errorf("profile %q: %w", name, err)
		}
		if name != profile {
			continue
		}
		for _, f := range p.flags {
			s.flags = with(s.flags, f)
		}
		if p.goTest != nil {
			s.goTest = p.goTest
		}
	}
	return s, nil
}

// read decodes one object of settings into s; only the outermost has profiles.
func (s *settings) read(data []byte, outermost bool) error {
	return eachKey(data, func(key string, value json.RawMessage) error {
		switch {
		case key == "go-test-flags":
			words, err := decodeList(value, "")
			s.goTest = append([]string{}, words...)
			return errors.Join(err, checkGoTestFlags(words))
		case key == "profiles" && outermost:
			s.profiles = map[string]json.RawMessage{}
			return eachKey(value, func(name string, profile json.RawMessage) error {
				s.profiles[name] = profile
				return nil
			})
		case known[key].kind == "" || known[key].byHand:
			return fmt.Errorf("not a setting; %s", suggest.Hint(key, settingNames(outermost)))
		}
		word, err := decodeValue(value, known[key])
		s.flags = with(s.flags, flag{key, word})
		return err
	})
}

// settingNames lists the keys that an object of settings may have.
func settingNames(outermost bool) []string {
	names := []string{"go-test-flags"}
	if outermost {
		names = append(names, "profiles")
	}
	for name, spec := range known {
		if !spec.byHand {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// eachKey calls do for each key of a JSON object, in order, and names the key in
// the error. A map would lose the order and hide that a key is there twice.
func eachKey(data []byte, do func(string, json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return fmt.Errorf("want an object { … }, got %s", describe(data))
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("line %d: %w", lineAt(data, d.InputOffset()), err)
		}
		key := token.(string) // inside an object the decoder yields nothing else here
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("line %d: key %q: %w", lineAt(data, d.InputOffset()), key, err)
		}
		if seen[key] {
			return fmt.Errorf("key %q: given twice; keep one", key)
		}
		seen[key] = true
		if err := do(key, value); err != nil {
			return fmt.Errorf("key %q: %w", key, err)
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("line %d: %w", lineAt(data, d.InputOffset()), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("line %d: text after the closing brace", lineAt(data, d.InputOffset()))
	}
	return nil
}

// decodeValue returns a JSON value in the form of a command line.
func decodeValue(value json.RawMessage, s spec) (string, error) {
	switch s.kind {
	case list:
		words, err := decodeList(value, s.separator)
		return strings.Join(words, s.separator), err
	case count:
		if n, err := strconv.Atoi(string(value)); err == nil && n >= 0 {
			return strconv.Itoa(n), nil
		}
	case toggle:
		if b := string(value); b == "true" || b == "false" {
			return b, nil
		}
	case text:
		var word *string
		if json.Unmarshal(value, &word) == nil && word != nil {
			return *word, nil
		}
	}
	return "", fmt.Errorf("want %s, got %s", s.kind, describe(value))
}

// decodeList returns a list of words, none of them empty, null or with the
// separator in it.
func decodeList(value json.RawMessage, separator string) ([]string, error) {
	var words []*string
	if json.Unmarshal(value, &words) != nil || words == nil {
		return nil, fmt.Errorf("want %s, got %s", list, describe(value))
	}
	out := make([]string, len(words))
	for i, w := range words {
		if w == nil || *w == "" {
			return nil, fmt.Errorf("element %d: want a word, got nothing", i)
		}
		if separator != "" && strings.Contains(*w, separator) {
			return nil, fmt.Errorf("element %d: %q contains %q; make it two elements", i, *w, separator)
		}
		out[i] = *w
	}
	return out, nil
}

// checkGoTestFlags refuses words that go test or gotestsum would misread.
func checkGoTestFlags(words []string) error {
	for _, w := range words {
		name, _, _ := strings.Cut(strings.TrimLeft(w, "-"), "=")
		switch name = strings.TrimPrefix(name, "test."); {
		case !strings.HasPrefix(w, "-"):
			return fmt.Errorf("%q is not a flag; write a flag and its value as one element, -name=value, and packages under \"packages\"", w)
		case name == "v" || name == "json":
			return fmt.Errorf("remove %q: gotestsum sets -json itself, and -v beside it delays results and lets printed text pass for events", w)
		}
	}
	return nil
}

// describe names the JSON value and its type for an error.
func describe(value json.RawMessage) string {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return "nothing"
	}
	short := string(value)
	if len(short) > 40 {
		short = short[:40] + "…"
	}
	switch value[0] {
	case '"':
		return short + " (a string)"
	case '{':
		return short + " (an object)"
	case '[':
		return short + " (a list)"
	case 't', 'f', 'n':
		return short
	}
	return short + " (a number)"
}

// lineAt returns the line, from 1, of a byte offset.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(int(offset), len(data))], []byte("\n"))
}
