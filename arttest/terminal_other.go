//go:build !linux && !darwin

package arttest

import "io"

// openTerminal finds none: plain lines are shown instead.
func openTerminal() io.WriteCloser { return nil }
