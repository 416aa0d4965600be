package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// process is a program that runs to its end.
type process struct {
	Dir     string
	Env     []string // beside the environment of this process
	Command []string
}

// outcome is what it printed and took.
type outcome struct {
	Output []byte
	Wall   time.Duration
	// Peak is the largest resident memory in bytes, 0 where that is not known.
	Peak int64
}

// run runs a process. The error has the end of its output.
func run(ctx context.Context, p process) (outcome, error) {
	cmd := exec.CommandContext(ctx, p.Command[0], p.Command[1:]...)
	cmd.Dir = p.Dir
	cmd.Env = append(os.Environ(), p.Env...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	begin := time.Now()
	err := cmd.Run()
	o := outcome{Output: output.Bytes(), Wall: time.Since(begin)}
	if err != nil {
		end := &tail{}
		end.Write(o.Output) //nolint:errcheck // it is memory
		return o, fmt.Errorf("%s: %w: %s", filepath.Base(p.Command[0]), err, end)
	}
	o.Peak = peakMemory(cmd.ProcessState)
	return o, nil
}
