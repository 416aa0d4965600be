package neptunetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Run is what the server has of a run.
type Run struct {
	// ID is what clients call it in requests, ShortID what people do, CustomID what
	// the client chose, empty if it did not.
	ID, ShortID, CustomID string
	// Fields by path.
	Fields map[string]Field
	// Pings is how often the client said that the run goes on.
	Pings int
	// Git is what the client said of its repository, as it said it.
	Git json.RawMessage
}

type projectIDs struct{ id, workspace string }

const projectKey = "IR"

type run struct {
	id, customID string
	number       int
	fields       map[string]*Field
	pings        int
	git          json.RawMessage
}

func (r *run) shortID() string { return fmt.Sprintf("%s-%d", projectKey, r.number) }

// Runs returns all runs in the order of their creation. It is a copy.
func (s *Server) Runs() []Run {
	s.mu.Lock()
	defer s.mu.Unlock()
	var runs []Run
	for _, r := range s.runs {
		out := Run{ID: r.id, ShortID: r.shortID(), CustomID: r.customID, Pings: r.pings, Git: r.git, Fields: map[string]Field{}}
		for path, f := range r.fields {
			out.Fields[path] = f.clone()
		}
		runs = append(runs, out)
	}
	return runs
}

func (s *Server) projectObject() object {
	workspace, name, _ := strings.Cut(Project, "/")
	return object{"id": s.project.id, "name": name, "version": 2, "organizationName": workspace, "organizationId": s.project.workspace, "projectKey": projectKey}
}

func getProject(s *Server, c *call) (any, error) {
	name, err := c.need("projectIdentifier")
	if err != nil {
		return nil, err
	}
	if name != Project && name != s.project.id {
		return nil, notFound("", "no project %s", name)
	}
	return s.projectObject(), nil
}

func listProjects(s *Server, c *call) (any, error) {
	_, name, _ := strings.Cut(Project, "/")
	if !strings.Contains(name, c.query.Get("searchTerm")) {
		return object{"entries": []object{}, "matchingItemCount": 0, "totalItemCount": 1}, nil
	}
	return object{"entries": []object{s.projectObject()}, "matchingItemCount": 1, "totalItemCount": 1}, nil
}

func listWorkspaces(s *Server, _ *call) (any, error) {
	workspace, _, _ := strings.Cut(Project, "/")
	return []object{{"id": s.project.workspace, "name": workspace}}, nil
}

func (s *Server) runObject(r *run) object {
	workspace, name, _ := strings.Cut(Project, "/")
	return object{
		"id": r.id, "shortId": r.shortID(), "organizationName": workspace, "organizationId": s.project.workspace,
		"projectName": name, "projectId": s.project.id, "parentId": s.project.id, "trashed": false, "type": "run",
	}
}

// maxCustomID is the length of an id that a client may choose, in characters.
const maxCustomID = 36

// createRun returns the run that has the custom id, if there is one.
func createRun(s *Server, c *call) (any, error) {
	var p struct {
		ProjectIdentifier, ParentID, Type, CliVersion string
		CustomID                                      *string
		GitInfo                                       json.RawMessage
	}
	if err := decodeJSON(c, &p); err != nil {
		return nil, err
	}
	switch {
	case p.ProjectIdentifier != s.project.id || p.ParentID != s.project.id:
		return nil, notFound("", "no project %q with parent %q: both are its UUID", p.ProjectIdentifier, p.ParentID)
	case p.Type != "run":
		return nil, badRequest("type %q: this server has only runs", p.Type)
	}
	r := &run{id: newUUID(), number: len(s.runs) + 1, fields: map[string]*Field{}}
	if p.CustomID != nil {
		r.customID = *p.CustomID
		if n := len([]rune(r.customID)); n == 0 || n > maxCustomID {
			return nil, badRequest("customId has %d characters, not 1 to %d", n, maxCustomID)
		}
		if at := slices.IndexFunc(s.runs, func(old *run) bool { return old.customID == r.customID }); at >= 0 {
			return s.runObject(s.runs[at]), nil
		}
	}
	if len(p.GitInfo) > 0 && string(p.GitInfo) != "null" {
		r.git = p.GitInfo
	}
	now := time.Now().UTC()
	for path, f := range map[string]*Field{
		"sys/id": {Type: "string", Value: r.shortID()}, "sys/name": {Type: "string", Value: "Untitled"},
		"sys/owner": {Type: "string", Value: "ann"}, "sys/state": {Type: "experimentState", Value: "running"},
		"sys/trashed": {Type: "bool", Value: false}, "sys/creation_time": {Type: "datetime", Value: now},
		"sys/failed": {Type: "bool", Value: false}, "sys/tags": {Type: "stringSet"},
	} {
		r.fields[path] = f
	}
	if r.customID != "" {
		r.fields["sys/custom_run_id"] = &Field{Type: "string", Value: r.customID}
	}
	s.runs = append(s.runs, r)
	return s.runObject(r), nil
}

func decodeJSON(c *call, to any) error {
	if !strings.HasPrefix(c.Header.Get("Content-Type"), "application/json") {
		return &trouble{Status: http.StatusUnsupportedMediaType, Title: "HTTP 415 Unsupported Media Type: " + c.Header.Get("Content-Type")}
	}
	if err := json.Unmarshal(c.body, to); err != nil {
		return badRequest("the body is not JSON of the right kind: %s", err)
	}
	return nil
}

func getRun(s *Server, c *call) (any, error) {
	r, err := s.findRun(c, "experimentId")
	if err != nil {
		return nil, err
	}
	return s.runObject(r), nil
}

func ping(s *Server, c *call) (any, error) {
	r, err := s.findRun(c, "experimentId")
	if err != nil {
		return nil, err
	}
	if err := s.noBody(c); err != nil {
		return nil, err
	}
	r.pings++
	return written, nil
}

// noBody holds a client to what the official one sends where there is no body.
func (s *Server) noBody(c *call) error {
	if len(c.body) > 0 || c.ContentLength != 0 {
		return s.violated("%s %s has a body, or does not say Content-Length: 0", c.Method, c.URL.Path)
	}
	return nil
}

// searchRuns knows comparisons joined by AND: (`sys/id`:string = "IR-1").
func searchRuns(s *Server, c *call) (any, error) {
	var p struct {
		Query      struct{ Query string }
		Pagination struct{ Limit, Offset int }
	}
	if err := decodeJSON(c, &p); err != nil {
		return nil, err
	}
	if id := c.query.Get("projectIdentifier"); id != s.project.id && id != Project {
		return nil, notFound("", "no project %s", id)
	}
	entries := []object{}
	for _, r := range slices.Backward(s.runs) { // the latest first
		fits, err := r.fits(p.Query.Query)
		if err != nil {
			return nil, err
		}
		if fits {
			entries = append(entries, object{"experimentId": r.id, "type": "run", "attributes": r.attributes()})
		}
	}
	from := min(p.Pagination.Offset, len(entries))
	return object{"matchingItemCount": len(entries), "totalItemCount": len(s.runs), "entries": entries[from:min(from+max(p.Pagination.Limit, 1), len(entries))]}, nil
}

func (r *run) fits(query string) (bool, error) {
	for comparison := range strings.SplitSeq(query, " AND ") {
		comparison = strings.Trim(comparison, "() ")
		if comparison == "" {
			continue
		}
		name, rest, ok := strings.Cut(strings.TrimPrefix(comparison, "`"), "`:")
		_, value, equals := strings.Cut(rest, " = ")
		if !ok || !equals {
			return false, &trouble{Status: http.StatusBadRequest, Title: "Syntax error"}
		}
		f := r.fields[name]
		if f == nil || fmt.Sprint(f.Value) != strings.Trim(value, `"`) {
			return false, nil
		}
	}
	return true, nil
}

func (r *run) attributes() []object {
	out := []object{}
	for _, path := range slices.Sorted(maps.Keys(r.fields)) {
		out = append(out, r.fields[path].attribute(path))
	}
	return out
}
