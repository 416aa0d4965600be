package wandbtest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// Fault is trouble that the server makes. Several at once are tried in the order
// of their injection; the first that fits is used.
type Fault struct {
	// Operation that it befalls: a GraphQL operation like "UpsertBucket",
	// "file_stream", or "PUT" and "GET" of the object store. Empty is all.
	Operation string
	// Times it happens; 0 is until [Server.Recover].
	Times int
	// Delay before anything else.
	Delay time.Duration
	// Status, Header and Body are answered instead of doing anything, if Status is
	// not 0.
	Status int
	Header map[string]string
	Body   string
	// Drop closes the connection before the request has had an effect.
	Drop bool
	// Lose closes it after the request has had its effect, before the answer.
	Lose bool
	// Cut closes it in the middle of the answer.
	Cut bool
}

// Request is one that the server got.
type Request struct {
	Method, Host, URL, Operation string
	Header                       http.Header
	// Body is kept after [Server.KeepBodies].
	Body []byte
	// Status is 0 if the connection was closed without one.
	Status int
	At     time.Time
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Recover ends all faults.
func (s *Server) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Requests returns what came in, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// KeepBodies keeps the bodies of requests from now on.
func (s *Server) KeepBodies() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = true
}

// meddle notes every request and makes trouble.
func (s *Server) meddle(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		operation := operationOf(r, body)
		at, f := s.note(r, operation, body)
		time.Sleep(f.Delay)
		switch {
		case f.Drop:
			panic(http.ErrAbortHandler)
		case f.Status != 0:
			for name, value := range f.Header {
				w.Header().Set(name, value)
			}
			w.WriteHeader(f.Status)
			_, _ = io.WriteString(w, f.Body)
			s.done(at, f.Status)
			return
		}
		held := httptest.NewRecorder()
		serve(held, r)
		if f.Lose {
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), held.Header())
		s.done(at, held.Code)
		w.WriteHeader(held.Code)
		if f.Cut {
			_, _ = w.Write(held.Body.Bytes()[:held.Body.Len()/2])
			if flusher, ok := w.(http.Flusher); ok {
				flusher.Flush()
			}
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(held.Body.Bytes())
	}
}

func (s *Server) note(r *http.Request, operation string, body []byte) (at int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := Request{Method: r.Method, Host: r.Host, URL: r.URL.String(), Operation: operation, Header: r.Header.Clone(), At: time.Now()}
	if s.bodies {
		got.Body = body
	}
	s.requests = append(s.requests, got)
	for i, f := range s.faults {
		if f.Operation != "" && f.Operation != operation {
			continue
		}
		if f.Times == 1 {
			s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
		} else if f.Times > 1 {
			f.Times--
		}
		return len(s.requests) - 1, *f
	}
	return len(s.requests) - 1, Fault{}
}

func (s *Server) done(at, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[at].Status = status
}

func operationOf(r *http.Request, body []byte) string {
	switch {
	case strings.HasSuffix(r.URL.Path, "/file_stream"):
		return "file_stream"
	case r.URL.Path != "/graphql":
		return r.Method
	}
	var e envelope
	if json.Unmarshal(body, &e) != nil {
		return ""
	}
	if e.OperationName != "" {
		return e.OperationName
	}
	d, err := parse(e.Query)
	if err != nil {
		return ""
	}
	if name := d.operations[0].name; name != "" || len(d.operations[0].selection) == 0 {
		return name
	}
	return d.operations[0].selection[0].name
}
