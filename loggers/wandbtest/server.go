package wandbtest

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/actually-robust-training/art/internal/faults"
)

// Server is a stand-in for the service. Its methods may be called at any time,
// from any goroutine.
type Server struct {
	// URL is the address of the service, StorageURL that of its object store.
	URL, StorageURL string
	// Meddler has the requests that came in, and makes trouble.
	faults.Meddler

	mu         sync.Mutex
	key        string
	runs       []*run
	deleted    map[string]bool // entity/project/id
	artifacts  []*artifact
	assemblies map[string]*assembly
	grants     map[string]*grant
	violations []string
	ids        int
}

// Entity is the one that the key belongs to. Others are forbidden.
const Entity = "acme"

// TB is what a server needs of the test: a [*testing.T].
type TB interface {
	Helper()
	Cleanup(func())
	Errorf(format string, args ...any)
}

// NewServer starts a server, which ends with the test. Violations of the protocol
// that the test has not asked for fail it.
func NewServer(t TB) *Server {
	t.Helper()
	key := make([]byte, 20)
	rand.Read(key) // never fails
	s := &Server{key: hex.EncodeToString(key), deleted: map[string]bool{}, grants: map[string]*grant{}}
	service := httptest.NewServer(faults.Wrap(&s.Meddler, operationOf, s.serve))
	storage := httptest.NewServer(faults.Wrap(&s.Meddler, operationOf, s.store))
	s.URL, s.StorageURL = service.URL, storage.URL
	t.Cleanup(func() {
		service.CloseClientConnections()
		storage.CloseClientConnections()
		service.Close()
		storage.Close()
		for _, v := range s.Violations() {
			t.Errorf("the W&B protocol was violated: %s", v)
		}
	})
	return s
}

// Key is the key that the server takes, 40 hexadecimal digits.
func (s *Server) Key() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.key
}

// SetKey makes the server take another key: the one that clients have is expired.
func (s *Server) SetKey(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
}

// Violations returns what clients did against the protocol since the last call.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.violations
	s.violations = nil
	return v
}

// violated notes a violation and returns it as an error with status 400.
func (s *Server) violated(format string, args ...any) *trouble {
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
	return badRequest(format, args...)
}

// id returns a new opaque one, like base64("Artifact:7").
func (s *Server) id(kind string) string {
	s.ids++
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s:%d", kind, s.ids))
}

func (s *Server) authorized(r *http.Request) bool {
	user, key, ok := r.BasicAuth()
	return ok && user == "api" && key == s.key
}

// maxBody is the size in bytes of the largest request that the service takes.
const maxBody = 32 << 20

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	s.mu.Lock()
	authorized := s.authorized(r)
	s.mu.Unlock()
	switch {
	case err != nil:
		fail(w, badRequest("%s", err))
	case len(body) > maxBody:
		fail(w, &trouble{status: http.StatusRequestEntityTooLarge, message: "request body too large"})
	case !authorized:
		fail(w, &trouble{status: http.StatusUnauthorized, message: "user is not logged in"})
	case r.URL.Path == "/graphql" && r.Method == http.MethodPost:
		s.graphql(w, body)
	case strings.HasSuffix(r.URL.Path, "/file_stream") && r.Method == http.MethodPost:
		s.stream(w, r, body)
	default:
		fail(w, &trouble{status: http.StatusNotFound, message: "not found"})
	}
}

func readBody(r *http.Request) ([]byte, error) {
	var from io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		from = unpacked
	}
	return io.ReadAll(io.LimitReader(from, maxBody+1))
}

// fail answers with an error in the way of GraphQL.
func fail(w http.ResponseWriter, err error) {
	t := &trouble{status: http.StatusInternalServerError, message: err.Error()}
	errors.As(err, &t)
	e := map[string]any{"message": t.message}
	data := map[string]any{}
	if t.path != "" {
		e["path"], data[t.path] = []string{t.path}, nil
	}
	if t.code != "" {
		e["extensions"] = map[string]string{"code": t.code}
	}
	answer(w, t.status, map[string]any{"errors": []any{e}, "data": data})
}

func answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // the client may be gone
}

// envelope is a GraphQL request.
type envelope struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
	Extensions    any            `json:"extensions"`
}

func (s *Server) graphql(w http.ResponseWriter, body []byte) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		fail(w, badRequest("the request is not JSON: %s", err))
		return
	}
	s.mu.Lock()
	data, err := execute(e.Query, e.OperationName, e.Variables, s.root())
	s.mu.Unlock()
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]any{"data": data})
}

// root has the fields of both queries and mutations.
func (s *Server) root() object {
	root := object{
		"__typename": "Query",
		"viewer": object{
			"__typename": "User", "id": "VXNlcjox", "entity": Entity, "username": "ann", "email": "ann@example.com", "name": "Ann", "admin": false,
			"flags": `{"code_saving_enabled":false}`, "teams": edges("Team", []object{{"__typename": "Team", "name": Entity}}),
		},
		"serverInfo": serverInfo(),
		"__type":     resolver{[]string{"name"}, s.introspect},
		"entity": resolver{[]string{"name"}, func(a arguments) (any, error) {
			if a.text("name") != Entity {
				return object(nil), nil
			}
			return object{"__typename": "Entity", "id": "RW50aXR5OjE=", "name": Entity, "xxhashDigestsEnabled": false, "organization": object(nil)}, nil
		}},
		"model":   resolver{[]string{"name", "entityName"}, s.project},
		"project": resolver{[]string{"name", "entityName"}, s.project},
		"notifyScriptableRunAlert": resolver{[]string{"input"}, func(arguments) (any, error) {
			return object{"__typename": "NotifyScriptableRunAlertPayload", "success": true}, nil
		}},
	}
	for name, resolve := range map[string]func(arguments) (any, error){
		"upsertBucket": s.upsertBucket, "createRunFiles": s.createRunFiles,
		"createArtifact": s.createArtifact, "createArtifactManifest": s.createArtifactManifest,
		"commitArtifact": s.commitArtifact, "useArtifact": s.useArtifact,
		"completeMultipartUploadArtifact": s.completeMultipartUploadArtifact,
	} {
		root[name] = resolver{[]string{"input"}, resolve}
	}
	root["createArtifactFiles"] = resolver{[]string{"input"}, s.createArtifactFiles}
	root["artifact"] = resolver{[]string{"id"}, s.artifactByID}
	root["clientIDMapping"] = resolver{[]string{"clientID"}, s.clientIDMapping}
	return root
}

func serverInfo() object {
	return object{
		"__typename": "ServerInfo", "features": []object{},
		"cliVersionInfo": map[string]any{"max_cli_version": "0.99.0"}, "latestLocalVersionInfo": object(nil),
	}
}

// edges is a connection that has one page.
func edges(kind string, nodes []object) object {
	list := make([]object, len(nodes))
	for i, n := range nodes {
		list[i] = object{"__typename": kind + "Edge", "node": n, "cursor": fmt.Sprint(i)}
	}
	page := object{"__typename": "PageInfo", "hasNextPage": false, "endCursor": nil}
	return object{"__typename": kind + "Connection", "edges": list, "pageInfo": page, "totalCount": len(nodes)}
}

// project returns what queries select from; its name "" is that of the run.
func (s *Server) project(a arguments) (any, error) {
	entity, name := a.text("entityName"), a.text("name")
	if entity == "" {
		entity = Entity
	}
	if entity != Entity {
		return nil, &trouble{status: http.StatusForbidden, message: "permission denied", path: "project", code: "PERMISSION_ERROR"}
	}
	known := slices.ContainsFunc(s.runs, func(r *run) bool { return r.Project == name }) ||
		slices.ContainsFunc(s.artifacts, func(a *artifact) bool { return a.Project == name })
	if !known {
		return object(nil), nil
	}
	return s.projectFields(entity, name), nil
}

func (s *Server) projectFields(entity, name string) object {
	p := projectObject(entity, name)
	p["bucket"] = resolver{[]string{"name", "missingOk"}, func(a arguments) (any, error) { return s.bucket(entity, name, a.text("name")) }}
	p["run"] = p["bucket"]
	p["artifact"] = resolver{[]string{"name"}, func(a arguments) (any, error) { return s.artifactByName(entity, name, a.text("name")) }}
	p["artifactCollectionMembership"] = resolver{[]string{"name"}, func(a arguments) (any, error) { return s.membership(entity, name, a.text("name")) }}
	p["artifactCollection"] = resolver{[]string{"name"}, func(a arguments) (any, error) { return s.collection(entity, name, a.text("name")) }}
	p["artifactType"] = resolver{[]string{"name"}, func(a arguments) (any, error) { return s.artifactType(entity, name, a.text("name")) }}
	return p
}

func projectObject(entity, name string) object {
	return object{
		"__typename": "Project", "id": "UHJvamVjdDox", "internalId": "UHJvamVjdEludGVybmFsSWQ6MQ==", "name": name,
		"entity": object{"__typename": "Entity", "id": "RW50aXR5OjE=", "name": entity},
	}
}

// extended turns the JSON of Python, which has NaN and infinities, into JSON
// where they are strings.
func extended(text string) string {
	if !strings.Contains(text, "NaN") && !strings.Contains(text, "Infinity") {
		return text
	}
	var out bytes.Buffer
	for len(text) > 0 {
		n := 1
		switch {
		case text[0] == '"':
			for n < len(text) && text[n] != '"' {
				if text[n] == '\\' {
					n++
				}
				n++
			}
			n = min(n+1, len(text))
		case strings.HasPrefix(text, "NaN"), strings.HasPrefix(text, "Infinity"), strings.HasPrefix(text, "-Infinity"):
			n = strings.Index(text, "N") + len("NaN")
			if text[0] != 'N' {
				n = strings.Index(text, "y") + 1
			}
			fmt.Fprintf(&out, "%q", text[:n])
			text = text[n:]
			continue
		}
		out.WriteString(text[:n])
		text = text[n:]
	}
	return out.String()
}
