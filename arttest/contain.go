package arttest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// errEnded is what becomes of code that calls t.FailNow of the recipe's test.
var errEnded = errors.New("it ended its goroutine (t.FailNow, t.Skip, require of the test's own t, or runtime.Goexit): return an error instead")

// contain runs code of the user's so that it can end neither the test nor the
// process: its panic is an error, and so is the end of its goroutine.
func contain(f func() error) error { return <-begin(f) }

// begin is contain without the waiting.
func begin(f func() error) <-chan error {
	done := make(chan error, 1)
	go func() {
		err := errEnded
		defer func() { done <- err }()
		err = guard(f)
	}()
	return done
}

// guard turns a panic of f into an error.
func guard(f func() error) (err error) {
	defer func() {
		if caught := train.Caught(recover()); caught != nil {
			err = caught
		}
	}()
	return f()
}

// stackOf is the stack of the panic that caused an error, "" if none did: a line
// for each function of the user's, and one for its file. Left out are what
// caught the panic, the loop, and what called the user's code: all stacks have
// these. A panic that none of the user's functions is part of keeps them.
func stackOf(err error) string {
	var p *train.PanicError
	if !errors.As(err, &p) {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(p.Stack)), "\n")
	start := 0
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			start = i + 2
		}
	}
	var all, users []string
	for i := start; i+1 < len(lines) && !strings.HasPrefix(lines[i], ownFrame+"guard("); i += 2 {
		if strings.HasPrefix(lines[i], "created by ") {
			break
		}
		name := lines[i][:max(strings.LastIndex(lines[i], "("), 0)]
		file, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " +0x")
		frame := name + "\n    " + file
		all = append(all, frame)
		if !machinery(name) {
			users = append(users, frame)
		}
	}
	if len(users) == 0 {
		users = all
	}
	return strings.Join(users, "\n")
}

// machinery reports functions that stand between the harness and the user's code.
func machinery(function string) bool {
	for _, prefix := range []string{ownFrame, "github.com/actually-robust-training/art/train.", "runtime.", "slices.", "iter."} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

// ownFrame begins the names of functions of this package.
const ownFrame = "github.com/actually-robust-training/art/arttest."

// withStack is the text of an error that has no other place for its stack.
func withStack(err error) string {
	if stack := stackOf(err); stack != "" {
		return fmt.Sprint(err, "\n", stack)
	}
	return fmt.Sprint(err)
}
