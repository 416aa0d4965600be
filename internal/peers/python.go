package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// uv installs Python packages: pip's resolver may not come to an end for
// art-training.
const uv = "uv==0.13.9"

// pythonEnvironment makes .venv/NAME from python/NAME.txt and returns its
// interpreter. An environment that was made from the same list is kept.
//
// The wheel of torch links against CUDA libraries, so that they have to be
// installed, 3 GB of them, although nothing here uses them.
func pythonEnvironment(ctx context.Context, root, name string) (string, error) {
	venv := filepath.Join(root, ".venv")
	list := filepath.Join(root, "internal", "peers", "python", name+".txt")
	want, err := os.ReadFile(list)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(venv, name)
	python, stamp := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "installed.txt")
	if have, err := os.ReadFile(stamp); err == nil && string(have) == string(want) {
		return python, nil
	}
	tool := filepath.Join(venv, "uv", "bin", "uv")
	if _, err := os.Stat(tool); errors.Is(err, fs.ErrNotExist) {
		if err := command(ctx, root, "python3", "-m", "venv", filepath.Join(venv, "uv")); err != nil {
			return "", err
		}
		if err := command(ctx, root, filepath.Join(venv, "uv", "bin", "pip"), "install", "--quiet", uv); err != nil {
			return "", err
		}
	}
	fmt.Fprintf(os.Stderr, "installing %s into %s\n", list, dir)
	if err := command(ctx, root, tool, "venv", "--quiet", "--clear", "--python", "python3", dir); err != nil {
		return "", err
	}
	if err := command(ctx, root, tool, "pip", "install", "--quiet", "--python", python, "-r", list); err != nil {
		return "", err
	}
	return python, os.WriteFile(stamp, want, 0o644)
}

// pins are the packages that an environment is asked for, on a line.
func pins(root, name string) string {
	text, err := os.ReadFile(filepath.Join(root, "internal", "peers", "python", name+".txt"))
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text)), ", ")
}

// command runs a program; an error has the end of what it printed.
func command(ctx context.Context, dir, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	_, err := run(ctx, process{Dir: dir, Command: append([]string{name}, args...)})
	return err
}
