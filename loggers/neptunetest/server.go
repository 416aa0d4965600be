package neptunetest

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/actually-robust-training/art/internal/faults"
)

// Project is the one that the server has, as workspace/name.
const Project = "acme/iris"

// Server is a stand-in for a server. Its methods may be called at any time, from
// any goroutine.
type Server struct {
	// URL is the address of the server. StorageURL is that of another host, from
	// which downloads come after [Server.RedirectDownloads].
	URL, StorageURL string
	// Meddler has the requests that came in, and makes trouble.
	faults.Meddler

	mu         sync.Mutex
	key        string
	signIn     signIn
	limits     Limits
	project    projectIDs
	runs       []*run
	uploads    map[string]*upload
	prepared   map[string][]byte // file sets as zip
	redirect   bool
	signed     map[string][]byte // what is behind a signed address, by signature
	errors     []OperationError
	violations []string
}

// Limits are those that a server tells its clients, or enforces.
type Limits struct {
	// MaxSinglePart is the size in bytes up to which a file is sent in one request.
	// Default 5 MiB, as servers have it.
	MaxSinglePart int64
	// MinChunk and MaxChunk bound the size in bytes of the parts of a larger file; the
	// last may be smaller than MinChunk. Defaults 5 MiB and 1 GiB.
	MinChunk, MaxChunk int64
	// MaxChunks is the largest number of parts. Default 1000.
	MaxChunks int64
	// MaxFields is the largest number of fields of a run. Default 9000.
	MaxFields int
}

// OperationError is what a server says of an operation that it did not carry out.
type OperationError struct {
	Description string `json:"errorDescription"`
	Type        string `json:"errorType"`
}

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
	s := &Server{key: rand.Text(), uploads: map[string]*upload{}, prepared: map[string][]byte{}, signed: map[string][]byte{}}
	s.project = projectIDs{id: newUUID(), workspace: newUUID()}
	s.signIn = signIn{life: 5 * time.Minute, access: map[string]time.Time{}, refresh: map[string]time.Time{}}
	s.SetLimits(Limits{})
	service := httptest.NewServer(faults.Wrap(&s.Meddler, operationOf, s.serve))
	storage := httptest.NewServer(faults.Wrap(&s.Meddler, operationOf, s.store))
	s.URL, s.StorageURL = service.URL, storage.URL
	t.Cleanup(func() {
		service.CloseClientConnections()
		storage.CloseClientConnections()
		service.Close()
		storage.Close()
		for _, v := range s.Violations() {
			t.Errorf("the Neptune protocol was violated: %s", v)
		}
	})
	return s
}

// SetLimits sets the limits; what is 0 gets its default.
func (s *Server) SetLimits(l Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limits = Limits{MaxSinglePart: 5 << 20, MinChunk: 5 << 20, MaxChunk: 1 << 30, MaxChunks: 1000, MaxFields: 9000}
	for to, from := range map[*int64]int64{
		&s.limits.MaxSinglePart: l.MaxSinglePart, &s.limits.MinChunk: l.MinChunk, &s.limits.MaxChunk: l.MaxChunk, &s.limits.MaxChunks: l.MaxChunks,
	} {
		if from != 0 {
			*to = from
		}
	}
	if l.MaxFields != 0 {
		s.limits.MaxFields = l.MaxFields
	}
}

// RedirectDownloads makes files come from another host, by way of signed addresses.
func (s *Server) RedirectDownloads() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.redirect = true
}

// Violations returns what clients did against the protocol since the last call.
func (s *Server) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.violations
	s.violations = nil
	return v
}

// Errors returns the errors of single operations and uploads since the last call.
func (s *Server) Errors() []OperationError {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.errors
	s.errors = nil
	return e
}

// violated notes a violation and returns it as an error with status 400.
func (s *Server) violated(format string, args ...any) error {
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
	return badRequest(format, args...)
}

// trouble is an answer that is no success.
type trouble struct {
	Status    int    `json:"code"`
	ErrorType string `json:"errorType,omitempty"`
	Title     string `json:"title,omitempty"`
}

func (t *trouble) Error() string { return t.Title }

func badRequest(format string, args ...any) error {
	return &trouble{Status: http.StatusBadRequest, Title: fmt.Sprintf(format, args...)}
}

func notFound(kind, format string, args ...any) error {
	return &trouble{http.StatusNotFound, kind, fmt.Sprintf(format, args...)}
}

// call is one request.
type call struct {
	*http.Request
	w     http.ResponseWriter
	query url.Values
	body  []byte
}

// need returns a parameter of the query that must be there, though it may be empty.
func (c *call) need(name string) (string, error) {
	if !c.query.Has(name) {
		return "", badRequest("required query parameter %s is missing", name)
	}
	return c.query.Get(name), nil
}

// serve holds s.mu while it answers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &call{r, w, r.URL.Query(), body}
	route, found := routes[r.Method+" "+r.URL.Path]
	if !found {
		route, found = routes[r.Method+" "+strings.TrimPrefix(r.URL.Path, apiRoot)]
	}
	var result any
	switch {
	case !found:
		err = notFound("", "HTTP 404 Not Found: %s %s", r.Method, r.URL.Path)
	default:
		if err = s.admit(c, route.credentials); err == nil {
			result, err = route.serve(s, c)
		}
	}
	if err != nil {
		t := &trouble{Status: http.StatusInternalServerError, Title: err.Error()}
		errors.As(err, &t)
		answer(w, t.Status, t)
		return
	}
	if result != written {
		answer(w, http.StatusOK, result)
	}
}

// written is the result of a handler that has written its answer.
var written any = new(int)

func answer(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b) // to memory
}

// object is JSON.
type object map[string]any

func newUUID() string {
	b := make([]byte, 16)
	rand.Read(b) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// store is the other host: signed addresses and nothing else. Credentials have no
// business there.
func (s *Server) store(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, header := range []string{"Authorization", keyHeader, "Cookie"} {
		if r.Header.Get(header) != "" {
			s.violations = append(s.violations, "the header "+header+" was sent to the host of signed addresses")
		}
	}
	content, found := s.signed[r.URL.Query().Get("signature")]
	if !found {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="file"`)
	_, _ = w.Write(content) // to memory
}

// findRun returns a run by a parameter of the query: a UUID, or WORKSPACE/PROJECT/ID.
func (s *Server) findRun(c *call, parameter string) (*run, error) {
	id, err := c.need(parameter)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(s.runs, func(r *run) bool { return r.id == id || Project+"/"+r.shortID() == id })
	if at < 0 {
		return nil, notFound("EXPERIMENT_NOT_FOUND", "no run %s", id)
	}
	return s.runs[at], nil
}
