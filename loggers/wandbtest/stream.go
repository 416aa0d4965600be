package wandbtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// The files that are streamed.
const (
	historyFile = "wandb-history.jsonl"
	summaryFile = "wandb-summary.json"
	eventsFile  = "wandb-events.jsonl"
	consoleFile = "output.log"
)

// maxLine is the length in bytes of the longest line that the service takes.
const maxLine = 10 << 20

// chunk is lines of one file.
type chunk struct {
	Offset  *int     `json:"offset"`
	Content []string `json:"content"`
}

// streamed is the body of a request.
type streamed struct {
	Files      map[string]chunk `json:"files"`
	Uploaded   []string         `json:"uploaded"`
	Preempting *bool            `json:"preempting"`
	Complete   *bool            `json:"complete"`
	ExitCode   *int             `json:"exitcode"`
	Dropped    *int             `json:"dropped"`
	Failed     *bool            `json:"failed"`
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, body []byte) {
	var parts []string
	for part := range strings.SplitSeq(strings.Trim(r.URL.EscapedPath(), "/"), "/") {
		plain, err := url.PathUnescape(part)
		if err != nil {
			fail(w, badRequest("%s", err))
			return
		}
		parts = append(parts, plain)
	}
	if len(parts) != 5 || parts[0] != "files" {
		fail(w, &trouble{status: http.StatusNotFound, message: "not found"})
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	run := s.find(parts[1], parts[2], parts[3])
	if run == nil {
		fail(w, &trouble{status: http.StatusNotFound, message: "run not found"})
		return
	}
	if err := s.take(run, body); err != nil {
		fail(w, err)
		return
	}
	reply := map[string]any{"exitcode": nil, "limits": map[string]any{}}
	if run.stop {
		reply["stopped"] = true
	}
	answer(w, http.StatusOK, reply)
}

// take is all or nothing.
func (s *Server) take(r *run, body []byte) error {
	var in streamed
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return s.violated("file_stream: the body cannot be read: %s", err)
	}
	if r.State != "running" {
		if string(body) == r.last {
			return nil // the answer was lost
		}
		return s.violated("file_stream: run %s is complete and gets more: %.200s", r.ID, body)
	}
	after := map[string][]string{}
	for name, c := range in.Files {
		lines, err := place(name, r.lines[name], c)
		if err != nil {
			return s.violated("file_stream: %s of run %s: %s", name, r.ID, err)
		}
		after[name] = lines
	}
	for _, name := range in.Uploaded {
		if _, there := r.Files[name]; !there {
			return s.violated("file_stream: run %s reports the file %s as uploaded, which is not there", r.ID, name)
		}
	}
	complete := in.Complete != nil && *in.Complete
	if complete && in.ExitCode == nil {
		return s.violated("file_stream: run %s is complete without exitcode", r.ID)
	}
	for name, lines := range after {
		r.lines[name] = lines
	}
	for _, name := range in.Uploaded {
		if !slices.Contains(r.Uploaded, name) {
			r.Uploaded = append(r.Uploaded, name)
		}
	}
	if len(in.Files)+len(in.Uploaded) == 0 && !complete {
		r.Heartbeats++
	}
	if complete {
		r.State, r.ExitCode, r.last = "finished", *in.ExitCode, string(body)
		if r.ExitCode != 0 {
			r.State = "failed"
		}
	}
	return nil
}

// place puts lines where their offset says.
func place(name string, there []string, c chunk) ([]string, error) {
	if c.Offset == nil {
		return nil, fmt.Errorf("there is no offset")
	}
	at := *c.Offset
	if name == summaryFile {
		if at != 0 {
			return nil, fmt.Errorf("its offset is %d, it has to be 0", at)
		}
		there = nil
	}
	if at < 0 || at > len(there) {
		return nil, fmt.Errorf("offset %d leaves a gap after the %d lines that are there", at, len(there))
	}
	lines := slices.Clone(there)
	for i, line := range c.Content {
		if strings.ContainsAny(line, "\n") {
			return nil, fmt.Errorf("line %d has a newline", at+i)
		}
		if len(line) > maxLine {
			return nil, fmt.Errorf("line %d has %d bytes, more than %d", at+i, len(line), maxLine)
		}
		if name != consoleFile && !isJSON(line) {
			return nil, fmt.Errorf("line %d is not a JSON object: %.200s", at+i, line)
		}
		if at+i < len(lines) {
			if name == historyFile && lines[at+i] != line {
				return nil, fmt.Errorf("line %d comes again and differs: %.200s, it was %.200s", at+i, line, lines[at+i])
			}
			lines[at+i] = line
			continue
		}
		if name == historyFile {
			if err := follows(lines, line); err != nil {
				return nil, fmt.Errorf("line %d: %w", at+i, err)
			}
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// follows says whether the step of a row is after that of the last one.
func follows(before []string, line string) error {
	step, err := stepOf(line)
	if err != nil || len(before) == 0 {
		return err
	}
	last, err := stepOf(before[len(before)-1])
	if err == nil && step <= last {
		err = fmt.Errorf("_step %d is not after %d", step, last)
	}
	return err
}

func stepOf(line string) (int64, error) {
	var row struct {
		Step json.RawMessage `json:"_step"`
	}
	if err := json.Unmarshal([]byte(extended(line)), &row); err != nil {
		return 0, err
	}
	step, err := strconv.ParseInt(string(row.Step), 10, 64)
	if err != nil || step < 0 {
		return 0, fmt.Errorf("_step %q is not a whole number from 0", row.Step)
	}
	return step, nil
}
