// Package pythonenv makes Python environments for tests in which the official client
// or server of a service judges ours. It is for tests only.
package pythonenv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Interpreter returns that of a virtual environment which has what a requirements file
// pins. It is made once a machine, in the user's cache, and made anew when the file
// changes. It is an error that Python or its packages are not to be had.
//
// Tests of two packages may ask at once: each makes one of its own, the last stays.
func Interpreter(requirements string) (exe string, err error) {
	base, err := exec.LookPath("python3")
	if err != nil {
		return "", err
	}
	pins, err := os.ReadFile(requirements)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(pins)
	place := filepath.Join(cache, "art-tests", filepath.Base(requirements)+"-"+hex.EncodeToString(sum[:6]))
	if exe, err := os.ReadFile(place + madeSuffix); err == nil {
		if _, err := os.Stat(string(exe)); err == nil {
			return string(exe), nil
		}
	}
	return install(base, requirements, place)
}

// madeSuffix ends the name of the file that says where an environment is.
const madeSuffix = ".made"

// install makes an environment beside place and says in a file where it is.
func install(base, requirements, place string) (exe string, err error) {
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp(filepath.Dir(place), filepath.Base(place)+"-")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	exe = filepath.Join(dir, "bin", "python")
	for _, args := range [][]string{
		{base, "-m", "venv", dir},
		{exe, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return "", fmt.Errorf("packages of %s: %w\n%s", filepath.Base(requirements), err, out)
		}
	}
	// Renamed, so that nobody reads half of it.
	next := filepath.Join(dir, "made")
	if err := os.WriteFile(next, []byte(exe), 0o644); err != nil {
		return "", err
	}
	return exe, os.Rename(next, place+madeSuffix)
}
