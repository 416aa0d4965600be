package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Beside the runs of a recipe, arttest keeps what later runs go on from: files that
// each name the run they are about, and are of no use without it. See package
// arttest, history.go and checkpoint.go.
//
//	passed/*.json, tried/*.json       field "run"
//	checkpoints/*/*.safetensors       metadata "art", field "Run"
const (
	passedFolder     = "passed"
	triedFolder      = "tried"
	checkpointFolder = "checkpoints"
	unfinished       = ".tmp-" // begins the names of files that were not written to their end
)

// orphans returns what is about runs of a recipe that are gone, and what killed
// processes left half written a day ago.
func (s *Store) orphans(recipe string, gone map[string]bool) []string {
	var left []string
	for _, folder := range []string{passedFolder, triedFolder} {
		orphans, _ := s.orphansIn(filepath.Join(s.root, recipe, folder), recipe, gone, runOfEntry)
		left = append(left, orphans...)
	}
	folder := filepath.Join(s.root, recipe, checkpointFolder)
	steps, err := os.ReadDir(folder)
	if err != nil {
		return left // there are none
	}
	for _, step := range steps {
		dir := filepath.Join(folder, step.Name())
		orphans, all := s.orphansIn(dir, recipe, gone, runOfCheckpoint)
		if all && len(orphans) > 0 {
			orphans = []string{dir}
		}
		left = append(left, orphans...)
	}
	return left
}

// orphansIn are those of one folder; all reports that nothing else is in it.
func (s *Store) orphansIn(dir, recipe string, gone map[string]bool, runOf func(string) (string, error)) (left []string, all bool) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, false
	}
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if strings.HasPrefix(e.Name(), unfinished) {
			if s.untouched(e, 24*time.Hour) {
				left = append(left, file)
			}
			continue
		}
		run, err := runOf(file)
		if err != nil || !runID.MatchString(run) {
			continue // not ours to judge
		}
		if path := recipe + "/" + run; gone[path] || s.empty(path) {
			left = append(left, file)
		}
	}
	return left, len(left) == len(entries)
}

func runOfEntry(file string) (string, error) {
	var entry struct{ Run string }
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	return entry.Run, json.Unmarshal(text, &entry)
}

// runOfCheckpoint reads the header of a safetensors file: its length in eight bytes,
// and JSON.
func runOfCheckpoint(file string) (run string, err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var length uint64
	if err := binary.Read(f, binary.LittleEndian, &length); err != nil {
		return "", err
	}
	const most = 100 << 20 // of the format
	if length > most {
		return "", errors.New("no safetensors file")
	}
	var header struct {
		Metadata map[string]string `json:"__metadata__"`
	}
	if err := json.NewDecoder(io.LimitReader(f, int64(length))).Decode(&header); err != nil {
		return "", err
	}
	var checkpoint struct{ Run string }
	err = json.Unmarshal([]byte(header.Metadata["art"]), &checkpoint)
	return checkpoint.Run, err
}
