package loggers

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
)

// autoResume remembers the last run of a folder, until it has ended well, in the
// file of the official client.
type autoResume struct {
	file string
	on   bool
}

func (s wandbSettings) resumeFile() string {
	return filepath.Join(cmp.Or(s["dir"], "."), "wandb", "wandb-resume.json")
}

// remembered is the content of the file.
type remembered struct {
	RunID string `json:"run_id"`
}

// last is the id of that run, empty if there is none to go on with.
func (a autoResume) last() string {
	var r remembered
	b, err := os.ReadFile(a.file)
	if !a.on || err != nil || json.Unmarshal(b, &r) != nil {
		return ""
	}
	return r.RunID
}

// begin and end do what they can: without the file, the next run is a new one.
func (a autoResume) begin(id string) {
	if !a.on || os.MkdirAll(filepath.Dir(a.file), 0o755) != nil {
		return
	}
	if b, err := json.Marshal(remembered{id}); err == nil {
		_ = os.WriteFile(a.file, b, 0o644)
	}
}

func (a autoResume) end() {
	if a.on {
		_ = os.Remove(a.file)
	}
}
