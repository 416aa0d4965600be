package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// Report is all that a run measured. It is kept as JSON, from which the tables
// can be made again.
type Report struct {
	Date    time.Time
	Command string
	Machine []Fact
	// Load is the number of processes at work in the minute before.
	Load float64
	// Versions of engines, by name.
	Versions map[string]string
	Rows     []Row
	Threads  []int
	Rounds   int
	// Peaks are GFLOP/s by threads, round by round.
	Peaks   map[int][]float64
	Samples Samples
	// Wrong says by "engine row" what an engine computes otherwise.
	Wrong      map[string]string
	Harness    []Harness
	Quickstart []Quickstart
	// Problems are parts that could not run.
	Problems []string
}

// Fact is a line about the machine.
type Fact struct{ Name, Value string }

func (r *Report) save(path string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func loadReport(path string) (*Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Report
	return &r, json.Unmarshal(text, &r)
}
