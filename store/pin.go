package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// pinFile marks a run as pinned; it holds the name of the pin in a line, which
// may be empty. It lies in the run's directory so that it travels with it.
const pinFile = "pin.txt"

// maxPin is the longest name of a pin, in bytes.
const maxPin = 64

// Pin keeps a run from being collected, under a name that [Store.Find] knows; the
// empty name is allowed. Within a recipe a name stands for one run: another one that
// has it stays pinned without. Pinning again changes the name.
func (s *Store) Pin(run Summary, name string) error {
	if err := PinName(name); err != nil {
		return err
	}
	own := s.Dir(run)
	others, err := os.ReadDir(filepath.Dir(own))
	if err != nil {
		return fmt.Errorf("store: pinning %s: %w", run.Path, err)
	}
	for _, other := range others {
		dir := filepath.Join(filepath.Dir(own), other.Name())
		if pin, ok := readPin(dir); ok && name != "" && pin == name && dir != own {
			if err := writeWhole(filepath.Join(dir, pinFile), "\n"); err != nil {
				return fmt.Errorf("store: taking the name %q from %s: %w", name, dir, err)
			}
		}
	}
	if err := writeWhole(filepath.Join(own, pinFile), name+"\n"); err != nil {
		return fmt.Errorf("store: pinning %s: %w", run.Path, err)
	}
	return nil
}

// Unpin lets a run be collected. It is no error if the run is not pinned.
func (s *Store) Unpin(run Summary) error {
	if err := os.Remove(filepath.Join(s.Dir(run), pinFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: unpinning %s: %w", run.Path, err)
	}
	return nil
}

// PinName reports a name that cannot be that of a pin. The empty name can.
func PinName(name string) error {
	bad := strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == '/' || r == ':' || r == '"' })
	switch {
	case len(name) > maxPin, bad, strings.TrimSpace(name) != name:
		return fmt.Errorf("store: %q cannot be the name of a pin: use at most %d bytes of letters, digits, dots and dashes", name, maxPin)
	case name == "last":
		return errors.New(`store: "last" means the newest run: give the pin another name`)
	}
	return nil
}

// readPin reads the pin of the run in dir, as far as it can be the name of one.
func readPin(dir string) (name string, pinned bool) {
	b, err := os.ReadFile(filepath.Join(dir, pinFile))
	if err != nil {
		return "", false
	}
	name, _, _ = strings.Cut(string(b), "\n")
	if name = strings.TrimSpace(name); PinName(name) != nil {
		return "", true
	}
	return name, true
}

// writeWhole writes a file under another name first, so that its own name never
// holds half of it.
func writeWhole(file, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = tmp.WriteString(text)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
