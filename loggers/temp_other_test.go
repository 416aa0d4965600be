//go:build !linux

package loggers

func memoryTemp() string { return "" }
