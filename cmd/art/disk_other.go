//go:build !linux && !darwin

package main

// space is not known here.
func space(string) (bytes uint64, ok bool) { return 0, false }
