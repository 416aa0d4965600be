package wandbtest

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Run is what the server holds of a run.
type Run struct {
	Entity, Project, ID                string
	DisplayName, Notes, Group, JobType string
	Host, Program, Commit, Repo, Sweep string
	Tags                               []string
	// Config by name, without the wrapping; "_wandb" holds what clients keep for
	// themselves.
	Config map[string]any
	// History has a row for each step. Numbers are float64, NaN and infinities too.
	History []map[string]any
	Summary map[string]any
	// Events are the samples of the machine.
	Events []map[string]any
	// Console has the lines of output, with their times.
	Console []string
	// Files by name; Uploaded are those that the client has reported.
	Files    map[string][]byte
	Uploaded []string
	// State is "running", "finished" or "failed".
	State    string
	ExitCode int
	// Heartbeats counts the requests that carried nothing.
	Heartbeats int
	// Used are the ids of artifacts that the run has used.
	Used []string
}

// run is a Run as it came in.
type run struct {
	Run
	id     string // of the storage
	config string
	lines  map[string][]string
	stop   bool
	last   string // body of the last request that completed the run
}

// Runs returns all runs, in the order of their creation.
func (s *Server) Runs() []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Run, len(s.runs))
	for i, r := range s.runs {
		all[i] = r.copy()
	}
	return all
}

// Run returns the run of an id; it is empty if there is none.
func (s *Server) Run(id string) Run {
	for _, r := range s.Runs() {
		if r.ID == id {
			return r
		}
	}
	return Run{}
}

// StopRun is the button Stop of the web page.
func (s *Server) StopRun(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.runs {
		if r.ID == id {
			r.stop = true
		}
	}
}

// DeleteRun removes a run. Its id can never be used again.
func (s *Server) DeleteRun(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs = slices.DeleteFunc(s.runs, func(r *run) bool {
		if r.ID == id {
			s.deleted[r.Entity+"/"+r.Project+"/"+r.ID] = true
		}
		return r.ID == id
	})
}

func (r *run) copy() Run {
	c := r.Run
	c.Tags, c.Uploaded, c.Used = slices.Clone(c.Tags), slices.Clone(c.Uploaded), slices.Clone(c.Used)
	c.Files = maps.Clone(c.Files)
	c.Console = slices.Clone(r.lines[consoleFile])
	c.Config = map[string]any{}
	for name, value := range decode(r.config) {
		wrapped, _ := value.(map[string]any)
		c.Config[name] = wrapped["value"]
	}
	for _, line := range r.lines[historyFile] {
		c.History = append(c.History, decode(line))
	}
	for _, line := range r.lines[eventsFile] {
		c.Events = append(c.Events, decode(line))
	}
	if lines := r.lines[summaryFile]; len(lines) > 0 {
		c.Summary = decode(lines[len(lines)-1])
	}
	return c
}

// decode reads the JSON of Python; nil if it is not an object.
func decode(text string) map[string]any {
	var m map[string]any
	if json.Unmarshal([]byte(extended(text)), &m) != nil {
		return nil
	}
	numbers(m)
	return m
}

// numbers makes numbers of the names of those that JSON cannot write.
func numbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			v[name] = numbers(v[name])
		}
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case string:
		switch v {
		case "NaN":
			return math.NaN()
		case "Infinity":
			return math.Inf(1)
		case "-Infinity":
			return math.Inf(-1)
		}
	}
	return v
}

func (s *Server) find(entity, project, id string) *run {
	for _, r := range s.runs {
		if r.Entity == entity && r.Project == project && r.ID == id {
			return r
		}
	}
	return nil
}

// maxConfig is the size in bytes that the service gives in its error message.
const maxConfig = 15 << 20

func (s *Server) upsertBucket(a arguments) (any, error) {
	in, err := inputOf("UpsertBucketInput", a)
	if err != nil {
		return nil, err
	}
	entity, project, name := in.text("entityName"), in.text("modelName"), in.text("name")
	if entity == "" {
		entity = Entity
	}
	if project == "" {
		project = "uncategorized"
	}
	r := s.find(entity, project, name)
	if t := s.checkBucket(in, entity, project, name); t != nil {
		t.path = "upsertBucket"
		return nil, t
	}
	inserted := r == nil
	if inserted {
		r = &run{id: s.id("Run"), lines: map[string][]string{}, Run: Run{Entity: entity, Project: project, ID: name, DisplayName: "brave-cloud-1", Files: map[string][]byte{}}}
		s.runs = append(s.runs, r)
	} else if id := in.text("id"); id != "" && id != r.id {
		return nil, &trouble{status: http.StatusNotFound, message: "run not found", path: "upsertBucket"}
	}
	r.update(in)
	b, err := s.bucket(entity, project, name)
	return object{"__typename": "UpsertBucketPayload", "bucket": b, "inserted": inserted, "clientMutationId": nil}, err
}

// update sets what is not null.
func (r *run) update(in arguments) {
	for name, to := range map[string]*string{
		"displayName": &r.DisplayName, "notes": &r.Notes, "groupName": &r.Group, "jobType": &r.JobType, "host": &r.Host, "jobProgram": &r.Program,
		"commit": &r.Commit, "jobRepo": &r.Repo, "sweep": &r.Sweep, "config": &r.config,
	} {
		if in[name] != nil {
			*to = in.text(name)
		}
	}
	if tags, ok := in["tags"].([]any); ok {
		r.Tags = nil
		for _, tag := range tags {
			r.Tags = append(r.Tags, tag.(string))
		}
	}
	if r.State == "" || in["displayName"] != nil || in["id"] != nil {
		r.State, r.last = "running", ""
	}
}

func (s *Server) checkBucket(in arguments, entity, project, name string) *trouble {
	switch {
	case entity != Entity:
		return &trouble{status: http.StatusForbidden, message: "permission denied", code: "PERMISSION_ERROR"}
	case name == "" || name != strings.TrimSpace(name) || strings.ContainsAny(name, `:;,#?/\'%`) || len(name) > 128:
		return badRequest("invalid run id %q", name)
	case strings.ContainsAny(project, `/\#?%:`) || len(project) > 128:
		return badRequest("invalid project name %q", project)
	case s.deleted[entity+"/"+project+"/"+name]:
		return &trouble{status: http.StatusConflict, message: "run " + entity + "/" + project + "/" + name + " was previously created and deleted; try a new run name"}
	case len(in.text("config")) > maxConfig:
		return badRequest("run config cannot exceed 15 MB")
	}
	for field, most := range map[string]int{"displayName": 128, "groupName": 128, "jobType": 64} {
		if utf8.RuneCountInString(in.text(field)) > most {
			return badRequest("%s must be %d characters or less", field, most)
		}
	}
	tags, _ := in["tags"].([]any)
	for _, tag := range tags {
		if text, _ := tag.(string); text == "" || utf8.RuneCountInString(text) > 64 {
			return badRequest("invalid tag '%s'. must be between 1 and 64 characters", text)
		}
	}
	if config := in.text("config"); config != "" {
		parsed := decode(config)
		if parsed == nil {
			return badRequest("config is not a JSON object")
		}
		for key, value := range parsed {
			wrapped, ok := value.(map[string]any)
			if _, has := wrapped["value"]; !ok || !has {
				return s.violated("config %q is not wrapped as {\"value\": ...}", key)
			}
		}
	}
	return nil
}

// bucket is a run for queries.
func (s *Server) bucket(entity, project, name string) (any, error) {
	r := s.find(entity, project, name)
	if r == nil {
		return object(nil), nil
	}
	summary := "{}"
	if lines := r.lines[summaryFile]; len(lines) > 0 {
		summary = lines[len(lines)-1]
	}
	var rows []string
	rows = append(rows, r.lines[historyFile]...)
	return object{
		"__typename": "Run", "id": r.id, "name": r.ID, "displayName": r.DisplayName, "description": nil, "config": r.config, "sweepName": nil,
		"notes": r.Notes, "tags": r.Tags, "group": r.Group, "groupName": r.Group, "jobType": r.JobType, "state": r.State, "commit": r.Commit, "host": r.Host,
		"readOnly": false, "createdAt": created, "heartbeatAt": created, "projectId": "1", "systemMetrics": "{}", "summaryMetrics": summary,
		"historyKeys": nil, "user": object{"__typename": "User", "name": "Ann", "username": "ann"},
		"historyLineCount": len(r.lines[historyFile]), "eventsLineCount": len(r.lines[eventsFile]), "logLineCount": len(r.lines[consoleFile]),
		"historyTail": tail(r.lines[historyFile]), "eventsTail": tail(r.lines[eventsFile]), "stopped": r.stop,
		"history":     resolver{[]string{"minStep", "maxStep", "samples"}, func(arguments) (any, error) { return rows, nil }},
		"wandbConfig": resolver{[]string{"keys"}, r.wandbConfig},
		"files":       resolver{[]string{"names", "after", "first", "upload", "pattern"}, s.runFiles(r)},
		"project":     projectObject(entity, project),
	}, nil
}

const created = "2026-01-01T00:00:00"

// wandbConfig is the part of the config that clients keep for themselves.
func (r *run) wandbConfig(a arguments) (any, error) {
	wrapped, _ := decode(r.config)["_wandb"].(map[string]any)
	own, _ := wrapped["value"].(map[string]any)
	keys, _ := a["keys"].([]any)
	out := map[string]any{}
	for _, key := range keys {
		if v, ok := own[key.(string)]; ok {
			out[key.(string)] = v
		}
	}
	b, err := json.Marshal(out)
	return string(b), err
}

func tail(lines []string) string {
	b, err := json.Marshal(lines[max(0, len(lines)-1):])
	if err != nil || len(lines) == 0 {
		return "[]"
	}
	return string(b)
}
