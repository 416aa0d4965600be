package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
)

// become replaces this process by gotestsum, as built from the given module file.
//
// `go tool gotestsum …` would be one process more, and it hands an interrupt from
// the terminal on to a child that has already had it; the second one kills
// gotestsum before it writes its reports. So the go command is only asked to build
// the tool and to say where it lies.
func become(modFile string, args []string) error {
	goTool := exec.Command("go", "tool", "-modfile="+modFile, "-n", "gotestsum")
	goTool.Stderr = os.Stderr
	out, err := goTool.Output()
	if err != nil {
		return fmt.Errorf("building gotestsum with %s: %w", strings.Join(goTool.Args, " "), err)
	}
	path := strings.TrimSpace(string(out))
	argv := append([]string{"gotestsum"}, args...)
	if runtime.GOOS != "windows" {
		return fmt.Errorf("starting %s: %w", path, syscall.Exec(path, argv, os.Environ()))
	}
	return wait(path, args)
}

// wait runs gotestsum as a child and exits as it does, on systems where a process
// cannot be replaced. A console interrupt reaches the child without our help.
func wait(path string, args []string) error {
	child := exec.Command(path, args...)
	child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := child.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("starting %s: %w", path, err)
	}
	os.Exit(child.ProcessState.ExitCode())
	return nil
}
